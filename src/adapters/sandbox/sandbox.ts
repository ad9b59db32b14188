/** Opens the sandbox a run uses: contained, or on request not. */
import { type Failure, isFailure } from "../../domain/failure.ts";
import type { Sandbox } from "../../domain/ports.ts";
import { openBubblewrap } from "./bubblewrap.ts";
import { findMounts, namesInRoot } from "./mounts.ts";
import { openQuarters } from "./quarters.ts";
import { openUnconfined } from "./unconfined.ts";

/** Programs that would leave files beside the work are told not to. */
const TIDY = { PYTHONDONTWRITEBYTECODE: "1", PYTEST_ADDOPTS: "-p no:cacheprovider" };

export interface OpenSandbox extends Sandbox {
  /** Paths in every workspace that are shown from the checkout: `openRepository` must skip them. */
  readonly mounts: string[];
  /** Removes the run's workspaces, once nothing works in them. */
  close(): Promise<void>;
}

/**
 * `checkout` is the top of the user's work tree, `root` the run's folder in it, `mountNames` what the
 * spec lists as `mounts`, `env` what the config declares for commands. A sandbox that cannot be had
 * is a failure that says what to do.
 */
export async function createSandbox(o: {
  mode: "contained" | "unconfined";
  checkout: string;
  root: string;
  runId: string;
  mountNames?: readonly string[];
  env?: Record<string, string>;
  /** Instead of the usual cache folder. */
  cache?: string;
}): Promise<OpenSandbox | Failure> {
  const root = o.root.replace(/^(\.\/)+|\/+$/g, "") || ".";
  const quarters = await openQuarters({ runId: o.runId, cache: o.cache });
  if (isFailure(quarters)) return quarters;
  const mounts = await findMounts({ checkout: o.checkout, root, names: o.mountNames ?? [] });
  const world = { quarters, root, mounts, env: { ...TIDY, ...o.env } };
  const sandbox =
    o.mode === "contained" ? await openBubblewrap(world) : await openUnconfined(world);
  if (isFailure(sandbox)) return sandbox;
  return { ...sandbox, mounts: namesInRoot(mounts, root), close: () => quarters.close() };
}
