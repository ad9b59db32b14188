/** Where workspaces and copies of tools live, and whom sandboxed processes run as. */
import { createHash, randomUUID } from "node:crypto";
import { chmod, chown, lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { only } from "../../domain/environment.ts";
import type { Failure } from "../../domain/failure.ts";
import type { Installed } from "../../domain/ports.ts";
import { useCache } from "../lock.ts";
import { forgetUse, noteUse } from "./cache.ts";
import { giveTree, removeTree } from "./remove.ts";
import { spreadBelow } from "./spread.ts";
import { endSurvivors } from "./survivors.ts";

/** Started as root, nothing model-written runs as root but as this user, which owns nothing else. */
const SANDBOX_USER = { uid: 65_432, gid: 65_432 };

/** How the name of a workspace that is being removed begins; no name that is asked for does. */
export const TOSSED = "%tossed-";

export interface Quarters {
  /** Whom to run as; undefined: as ourselves. */
  user: { uid: number; gid: number } | undefined;
  /** Where files for all sandboxes are kept. */
  base: string;
  /** The folder of that name, made anew and empty. */
  workspace(name: string): Promise<string>;
  handOver(folder: string): Promise<void>;
  discard(folder: string): Promise<void>;
  /** Throws for a folder that is no workspace: nothing else may be shown to a sandbox for writing. */
  mustOwn(folder: string): void;
  /** Removes what is left of the run's workspaces. */
  close(): Promise<void>;
  /** Installed packages. */
  installed: Installed & {
    /** What is shown in a workspace: where it lies, and its path there. */
    shownIn(folder: string): readonly { source: string; path: string }[];
  };
  /** The path itself, or a copy of it where the sandbox's user cannot get there. */
  reachable(path: string): Promise<string>;
}

/**
 * Opens `/var/cache/fractal` for root and the user's cache folder for others. Workspaces of
 * different runs are apart; what a process of this run left when it was killed, in folders and
 * running in them, is cleared away, as one process at a time works on a run.
 */
export async function openQuarters(o: {
  runId: string;
  /** Instead of the usual cache folder. */
  cache?: string | undefined;
}): Promise<Quarters | Failure> {
  const user = isRoot() ? SANDBOX_USER : undefined;
  const base = cacheBase(o.cache);
  const workspaces = workspacesOf(o.runId, o.cache);
  let use: ReturnType<typeof useCache>;
  try {
    await mkdir(base, { recursive: true });
    // From here on nobody clears away what this process may come to use.
    use = useCache(base);
    await endSurvivors(workspaces);
    await removeTree(workspaces);
    await mkdir(workspaces, { recursive: true });
    for (const each of [dirname(workspaces), workspaces]) await chmod(each, 0o711);
    await spreadBelow(workspaces);
    // Copies of private files live here: the sandbox's group may pass, nobody else.
    if (user) await chown(base, 0, user.gid);
    await chmod(base, user ? 0o710 : 0o700);
  } catch (error) {
    use?.release();
    return unavailable(`The folder ${base} cannot be used: ${String(error)}`);
  }
  if (user && !(await canPass(dirname(base)))) {
    use?.release();
    return unavailable(
      `Started as root, fractal runs model-written code as an unprivileged user, which cannot reach ${base}: ` +
        `the folders above it must be passable for others (chmod o+x).`,
    );
  }

  const mustOwn = (folder: string) => {
    if (dirname(folder) !== workspaces) throw new Error(`${folder} is not a workspace`);
  };
  const shown = new Map<string, { source: string; path: string }[]>();
  let removing: Promise<void> = Promise.resolve();
  /** At once under another name, then removed behind the work, one after the other. */
  const toss = async (folder: string) => {
    const tossed = join(workspaces, `${TOSSED}${randomUUID()}`);
    try {
      await rename(folder, tossed);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    removing = removing.then(() => removeTree(tossed)).catch(() => undefined);
  };
  const discard = async (folder: string) => {
    mustOwn(folder);
    shown.delete(folder);
    await toss(folder);
  };
  const placeOf = (key: string) => join(base, "installed", fileName(key));
  const isThere = async (path: string) => (await lstat(path).catch(() => undefined)) !== undefined;
  return {
    user,
    base,
    mustOwn,
    discard,
    installed: {
      async has(key) {
        const isKept = await isThere(placeOf(key));
        if (isKept) await noteUse(base, placeOf(key));
        return isKept;
      },
      async keep(key, folder, path) {
        mustOwn(folder);
        const source = join(folder, path);
        const place = placeOf(key);
        await mkdir(dirname(place), { recursive: true });
        await chmod(dirname(place), 0o711);
        if (await isThere(place)) return;
        // What the sandbox's user made is not its own any more.
        if (user) await giveTree(source, { uid: 0, gid: user.gid });
        await rename(source, place).catch(async (error: unknown) => {
          // Another process was first.
          if (!(await isThere(place))) throw error;
        });
        await noteUse(base, place);
      },
      async show(key, folder, path) {
        mustOwn(folder);
        shown.set(folder, [...(shown.get(folder) ?? []), { source: placeOf(key), path }]);
      },
      shownIn: (folder) => shown.get(folder) ?? [],
    },
    async workspace(name) {
      const folder = join(workspaces, fileName(name));
      shown.delete(folder);
      await toss(folder);
      await mkdir(folder, { mode: 0o700 });
      if (user) await chown(folder, user.uid, user.gid);
      return folder;
    },
    async handOver(folder) {
      mustOwn(folder);
      if (user) await giveTree(folder, user);
    },
    async close() {
      await removing;
      await removeTree(workspaces);
      use?.release();
    },
    async reachable(path) {
      return !user || (await canRead(path)) ? path : copyOf(path, base);
    },
  };
}

/** Where files for all sandboxes of this user are kept. */
export function cacheBase(cache = usualCache()): string {
  return join(cache, "sandbox");
}

/** The folder that holds the workspaces of a run. */
export function workspacesOf(runId: string, cache = usualCache()): string {
  return join(cacheBase(cache), "workspaces", fileName(runId));
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function usualCache(): string {
  const own = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return isRoot() ? "/var/cache/fractal" : join(own, "fractal");
}

/** The failure of a sandbox that cannot be had, with what to do about it. */
export function unavailable(detail: string): Failure {
  return { failure: "sandbox-unavailable", detail };
}

function fileName(name: string): string {
  if (/^\.*$/.test(name)) throw new Error(`"${name}" is no name for a workspace`);
  return encodeURIComponent(name);
}

/** True when users who own nothing may go through a folder and those above it. */
async function canPass(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

async function canRead(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  return (mode & 0o004) !== 0 && (await canPass(dirname(path)));
}

/** A copy that is renewed when the original changes; made beside, then moved into place. */
async function copyOf(path: string, base: string): Promise<string> {
  const copies = join(base, "copies");
  const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
  const stamps = await Promise.all(
    // Package managers rewrite the second whenever they change what is installed.
    [path, join(path, ".package-lock.json")].map((each) =>
      lstat(each).then(
        (stats) => `${stats.size} ${stats.mtimeMs}`,
        () => "",
      ),
    ),
  );
  const original = digest(path);
  const name = `${original}-${digest(stamps.join("\n"))}`;
  const copy = join(copies, name);
  await noteUse(base, copy);
  if (await lstat(copy).catch(() => undefined)) return copy;
  await mkdir(copies, { recursive: true });
  await chmod(copies, 0o711);
  const draft = join(copies, `.${randomUUID()}`);
  // Its own process group: a copy that Ctrl-C in the terminal cuts short is no bug.
  await execa("cp", ["-a", "--", path, draft], {
    env: only(process.env, ["PATH"]),
    extendEnv: false,
    stdin: "ignore",
    detached: true,
  });
  await chmod(draft, 0o755);
  const stale = (await readdir(copies)).filter(
    (each) => each.startsWith(`${original}-`) && each !== name,
  );
  try {
    await rename(draft, copy);
  } catch {
    // Another process was first.
    await rm(draft, { recursive: true, force: true });
  }
  for (const each of stale) {
    await rm(join(copies, each), { recursive: true, force: true });
    await forgetUse(base, join(copies, each));
  }
  return copy;
}
