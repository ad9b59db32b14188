/** Opens the sandbox a run uses: contained, or on request not. */
import { type Failure, isFailure } from "../../domain/failure.ts";
import type { Sandbox } from "../../domain/ports.ts";
import { openBubblewrap } from "./bubblewrap.ts";
import { unsupportedPlatform } from "./diagnosis.ts";
import { closeInherited } from "./inherited.ts";
import { CEILINGS, type Ceilings } from "./limits.ts";
import { findMounts, findToolFolders, namesInRoot } from "./mounts.ts";
import { openQuarters } from "./quarters.ts";
import { tellingTouched } from "./touched.ts";
import { openUnconfined } from "./unconfined.ts";

// When this is loaded: later this process has files of its own open that look like inherited ones.
closeInherited();

/** Programs that would leave files beside the work are told not to. */
const TIDY = { PYTHONDONTWRITEBYTECODE: "1", PYTEST_ADDOPTS: "-p no:cacheprovider" };

export interface OpenSandbox extends Sandbox {
  /** Paths in every workspace that are shown from the checkout: `openRepository` must skip them. */
  readonly mounts: string[];
  /** The same for sandboxes built in the same way from the same parts; none without containment. */
  readonly fingerprint: string | undefined;
  /** Where what is known of a sandbox may be kept: nothing inside reaches it. */
  readonly base: string;
  /** Removes the run's workspaces, once nothing works in them. */
  close(): Promise<void>;
}

/**
 * `checkout` is the top of the user's work tree, `root` the run's folder in it, `mountNames` what the
 * spec and the config list as `mounts` in it, `env` what the config declares for commands. A sandbox that cannot be had
 * is a failure that says what to do.
 */
export async function createSandbox(o: {
  mode: "contained" | "unconfined";
  checkout: string;
  root: string;
  runId: string;
  mountNames?: readonly string[];
  /** Absolute paths of folders shown read-only where they are, their `bin` on PATH. */
  toolFolders?: readonly string[];
  env?: Record<string, string>;
  /** Lower than the usual ones. */
  ceilings?: Partial<Ceilings>;
  /** Instead of the usual cache folder. */
  cache?: string;
}): Promise<OpenSandbox | Failure> {
  const root = o.root.replace(/^(\.\/)+|\/+$/g, "") || ".";
  const quarters = await openQuarters({ runId: o.runId, cache: o.cache });
  if (isFailure(quarters)) return quarters;
  const mounts = await findMounts({ checkout: o.checkout, root, names: o.mountNames ?? [] });
  const ceilings = { ...CEILINGS, ...o.ceilings };
  const toolFolders = await findToolFolders(o.toolFolders ?? []);
  const world = { quarters, root, mounts, toolFolders, env: { ...TIDY, ...o.env }, ceilings };
  const sandbox = await (o.mode === "contained" ? openContained(world) : openUnconfined(world));
  if (isFailure(sandbox)) {
    await quarters.close();
    return sandbox;
  }
  return {
    ...sandbox,
    run: tellingTouched(sandbox.run),
    fingerprint: "fingerprint" in sandbox ? sandbox.fingerprint : undefined,
    base: quarters.base,
    mounts: namesInRoot(mounts, root),
    async close() {
      await quarters.close();
      if ("end" in sandbox) await sandbox.end?.();
    },
  };
}

async function openContained(
  world: Parameters<typeof openBubblewrap>[0],
): Promise<(Sandbox & { fingerprint: string; end?(): Promise<void> }) | Failure> {
  switch (process.platform) {
    case "linux":
      return openBubblewrap(world);
    case "darwin": {
      const { openSeatbelt } = await import("./seatbelt.ts");
      return openSeatbelt(world);
    }
    default:
      return unsupportedPlatform(process.platform);
  }
}
