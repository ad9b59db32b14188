/** The packages of a tree's lock file: gathered by the controller, installed once inside a sandbox, shown read-only. */
import { createHash } from "node:crypto";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { LockedPackage, Packages } from "../domain/ports.ts";
import type { RunState } from "../domain/run-state.ts";
import { linesToAllow } from "../rules/check/needs.ts";
import {
  LOCK_FILE,
  lockedPackages,
  PACKAGES_FOLDER,
  withLocalPackages,
} from "../rules/lock-file.ts";
import { ACTOR, type World } from "./world.ts";

const INSTALLED = "node_modules";
const INSTALL_TIMEOUT_MS = 600_000;
const NAMES_SHOWN_MAX = 5;
/** Offline: whatever is not beside it is missing. No script of any package is run, ever. */
const INSTALL = [
  ...["npm", "ci", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"],
  ...["--no-update-notifier", "--cache", "/tmp/npm"],
];

/** What is being installed in this process, by key: nobody installs the same twice. */
const underWay = new Map<string, Promise<Failure | undefined>>();

/**
 * Shows the packages of a commit's lock file in a workspace, where some task of the run declares that
 * it needs them and the user's settings allow it. They are installed when they are first needed, not
 * for each attempt. What cannot be installed is a lack, and a person's to provide.
 */
export async function showPackages(
  world: World,
  commit: string,
  folder: string,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { packages, repository, sandbox, store } = world;
  if (packages === undefined || !isInstallNeeded(store.state)) return undefined;
  const lock = await repository.readFile(commit, LOCK_FILE);
  const manifest = await repository.readFile(commit, "package.json");
  if (lock === undefined || manifest === undefined) return undefined;
  // The same bytes give the same packages, in every run of this user.
  const key = createHash("sha256")
    .update(JSON.stringify([manifest, lock]))
    .digest("hex");
  const order = { world, packages, key, lock, manifest };
  let trouble: Failure | undefined;
  do {
    const pending = underWay.get(key) ?? install(order, signal).finally(() => underWay.delete(key));
    underWay.set(key, pending);
    trouble = await pending;
    // Whoever began it may have been stopped: then the next goes on.
  } while (trouble?.failure === "cancelled" && !signal.aborted);
  if (trouble === undefined) await sandbox.installed.show(key, folder, INSTALLED);
  return trouble;
}

/**
 * Whether checking work that changed these files would download what its lock file names: addresses
 * that a model may have written.
 */
export function wouldDownload({ packages, store }: World, files: readonly string[]): boolean {
  return packages?.downloads === true && isInstallNeeded(store.state) && files.includes(LOCK_FILE);
}

function isInstallNeeded({ tasks }: RunState): boolean {
  return [...tasks.values()].some(({ contract }) => contract.needs?.includes("install"));
}

interface Order {
  world: World;
  packages: Packages;
  key: string;
  lock: string;
  manifest: string;
}

async function install(o: Order, signal: AbortSignal): Promise<Failure | undefined> {
  const { world, packages, key, lock, manifest } = o;
  const { sandbox, store, clock } = world;
  if (await sandbox.installed.has(key)) return undefined;
  const startedAt = clock.now();
  const named = lockedPackages(lock);
  if ("problem" in named) return lack(`package-lock.json cannot be installed: ${named.problem}`);
  if (packages.downloads) {
    const hosts = hostsOf(named);
    const event_type = "packages.requested";
    store.record([{ task_id: null, actor: ACTOR, event_type, key, hosts }]);
  }
  const folder = await sandbox.workspace(`${store.state.runId}-install-${key.slice(0, 12)}`);
  try {
    const gathered = await packages.gather(named, `${folder}/${PACKAGES_FOLDER}`, signal);
    if (signal.aborted) return { failure: "cancelled", detail: "stopped" };
    const missing = gathered.missing.filter(({ optional }) => !optional);
    if (missing.length > 0) return lack(missingText(missing, packages.downloads));
    const run = (argv: string[], stdin?: string) =>
      sandbox.run(
        {
          folder,
          argv,
          ...(stdin === undefined ? {} : { stdin }),
          timeoutMs: INSTALL_TIMEOUT_MS,
          outputBytesMax: world.limits.outputBytesMax,
        },
        signal,
      );
    await sandbox.handOver(folder);
    for (const [name, text] of [
      ["package.json", manifest],
      [LOCK_FILE, withLocalPackages(lock, gathered.files)],
    ] as const) {
      const wrote = await run(["sh", "-c", 'cat > "$0"', name], text);
      if (isFailure(wrote)) return wrote;
    }
    const ran = await run(INSTALL);
    if (isFailure(ran)) return ran;
    if (ran.exitCode !== 0) {
      return lack(`npm ci failed (exit ${ran.exitCode}): ${ran.stderr.trim().slice(-1500)}`);
    }
    // With nothing to install there is no folder.
    const made = await run(["mkdir", "-p", INSTALLED]);
    if (isFailure(made)) return made;
    await sandbox.installed.keep(key, folder, INSTALLED);
    store.record([
      {
        task_id: null,
        actor: ACTOR,
        event_type: "packages.installed",
        key,
        packages: gathered.files.size,
        downloaded: gathered.downloaded,
        duration_ms: clock.now() - startedAt,
      },
    ]);
    return undefined;
  } finally {
    await sandbox.discard(folder);
  }
}

/** How many packages are of each host. */
function hostsOf(named: readonly LockedPackage[]): Record<string, number> {
  const hosts = new Map<string, number>();
  for (const { url } of named) {
    const host = URL.parse(url)?.host ?? "";
    hosts.set(host, (hosts.get(host) ?? 0) + 1);
  }
  return Object.fromEntries([...hosts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function lack(detail: string): Failure {
  return { failure: "capability-missing", detail };
}

function missingText(missing: readonly LockedPackage[], downloads: boolean): string {
  const names = missing.map(({ url }) => url.split("/").at(-1) ?? url).sort();
  const more = names.length > NAMES_SHOWN_MAX ? ` and ${names.length - NAMES_SHOWN_MAX} more` : "";
  const which = `${names.slice(0, NAMES_SHOWN_MAX).join(", ")}${more}`;
  if (downloads)
    return `these packages could not be downloaded as the lock file names them: ${which}`;
  const [line = ""] = linesToAllow(["install"]);
  return `these packages are not in the cache on this machine: ${which}\nInstall them once yourself (npm ci), or allow downloading in your own settings: ${line.replace("cache   # or `network`", "network   #")}`;
}
