/** Prepares `.beads`: makes it when missing, uses it when present, never upgrades it unasked. */

import { constants, existsSync } from "node:fs";
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { GIT_VARIABLES, only } from "../../domain/environment.ts";
import { type Failure, isFailure } from "../../domain/failure.ts";
import { type Bd, type BdFailure, lost, openBd, unavailable } from "./bd.ts";
import { isKnownBd } from "./binary.ts";

const PREFIX = "fr";
/** bd's gate beside `.beads` is a file of its own, always empty. */
const BEADS_FILES = ["/.beads/", "/.beads.gate.lock"];
/** From the top folder only: a folder `src/telemetry` is somebody's work. */
const OUR_FILES = ["/telemetry/", "/.fractal/"];

/** `older-schema`: using it would upgrade it for good and lock an older bd out; that needs consent. */
export type BeadsWorkspace =
  | { state: "ready"; beadsDir: string; prefix: string; created: boolean }
  | { state: "older-schema"; beadsDir: string; detail: string };

export interface PrepareOptions {
  /** The bd program. */
  bd: string;
  /** The top folder of the checkout. */
  repository: string;
  /** A folder of ours in the user's cache, for the copy that is looked at. */
  cacheDir: string;
  /** A person agreed to the upgrade of an older database. */
  mayUpgrade: boolean;
  /** False where a run is known to have its issues there: an empty one would be another database. */
  mayCreate: boolean;
}

/** Makes the repository's Beads database ready for use, and git blind to what fractal leaves there. */
export async function prepareBeads(options: PrepareOptions): Promise<BeadsWorkspace | Failure> {
  const beadsDir = join(options.repository, ".beads");
  try {
    const isNew = !existsSync(beadsDir) || (await readdir(beadsDir)).length === 0;
    if (isNew && !options.mayCreate) return lost(beadsDir);
    await excludeFromGit(options.repository, isNew ? [...BEADS_FILES, ...OUR_FILES] : OUR_FILES);
    return isNew ? await createBeads(options, beadsDir) : await useBeads(options, beadsDir);
  } catch (error) {
    // A read-only folder, a full disk, no permission: the environment, and not a bug.
    if (error instanceof Error && "code" in error) return unavailable(error.message);
    throw error;
  }
}

/** Made beside its place and moved there when whole, so that a kill leaves nothing half made. */
async function createBeads(
  options: PrepareOptions,
  beadsDir: string,
): Promise<BeadsWorkspace | Failure> {
  const ours = join(options.repository, ".fractal");
  await mkdir(ours, { recursive: true });
  await removeHalfMade(ours);
  const folder = await mkdtemp(join(ours, HALF_MADE));
  try {
    const bd = bdIn(options.bd, join(folder, ".beads"));
    const args = ["init", "--non-interactive", "-q", "-p", PREFIX];
    const made = await bd.run({
      args: [...args, "--skip-agents", "--skip-hooks", "--stealth"],
      effect: "write",
      schema: z.unknown(),
      // Without a repository in sight it leaves the user's ignore rules alone: it would hide *.db.
      env: { GIT_DIR: "/dev/null" },
    });
    if (isFailure(made)) return made;
    const found = await inspect(bd);
    if ("failure" in found) return found;
    await silence(bd, options.repository);
    if (existsSync(beadsDir)) await rmdir(beadsDir);
    await rename(join(folder, ".beads"), beadsDir);
    return { state: "ready", beadsDir, prefix: found.prefix, created: true };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const HALF_MADE = "new-beads-";

/** What a process that was killed left; its bd may be at work there for a moment still. */
async function removeHalfMade(ours: string): Promise<void> {
  const names = (await readdir(ours)).filter((name) => name.startsWith(HALF_MADE));
  for (const name of names) {
    const folder = join(ours, name);
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** What `bd` would say in the user's own calls: which role, and that it counts commands. */
async function silence(bd: Bd, repository: string): Promise<void> {
  const role = await git(repository, ["config", "beads.role"]);
  if (role === "") await git(repository, ["config", "beads.role", "maintainer"]);
  const key = "metrics.disabled";
  const chosen = await bd.run({ args: ["config", "get", key], effect: "read", schema: setting });
  // Only where the user has not chosen: it is a setting of the user, not of this repository.
  if (isFailure(chosen) || chosen.value !== "") return;
  const args = ["config", "set-many", `${key}=true`];
  await bd.run({ args, effect: "write", schema: z.unknown() });
}

async function useBeads(
  options: PrepareOptions,
  beadsDir: string,
): Promise<BeadsWorkspace | Failure> {
  const bd = bdIn(options.bd, beadsDir);
  const found = (await wasUsedByKnownBd(beadsDir))
    ? await inspect(bd)
    : await inspectCopy(options, beadsDir);
  if (!("failure" in found)) return { state: "ready", beadsDir, ...found, created: false };
  const versions = /database is at v(\d+), binary expects v(\d+)/.exec(found.detail);
  if (versions === null) return explained(found, beadsDir);
  const [, from, to] = versions;
  if (!options.mayUpgrade) {
    const detail =
      `${beadsDir} was made by an older bd (schema ${from}). To use it, it must be upgraded to ` +
      `schema ${to}; that cannot be undone, and an older bd can then no longer open it.`;
    return { state: "older-schema", beadsDir, detail };
  }
  const args = ["migrate", "schema"];
  const upgraded = await bd.run({ args, effect: "upgrade", schema: z.unknown() });
  if (isFailure(upgraded)) return upgraded;
  const after = await inspect(bd);
  if ("failure" in after) return explained(after, beadsDir);
  return { state: "ready", beadsDir, ...after, created: false };
}

function explained(found: BdFailure, beadsDir: string): Failure {
  const reason = found.detail.includes("binary knows up to")
    ? "it was made by a newer bd; update bd, or name the newer one with FRACTAL_BD"
    : "`bd list` in this folder shows whether bd itself can";
  return unavailable(`${beadsDir} cannot be used: ${reason}.\n${found.detail}`);
}

/** bd notes which of its releases used a database last; what that one could open has its schema. */
async function wasUsedByKnownBd(beadsDir: string): Promise<boolean> {
  const version = await readFile(join(beadsDir, ".local_version"), "utf8").catch(() => "");
  return isKnownBd(version.trim());
}

/** Even a look may migrate what an older bd made, so the first look is at a copy. */
async function inspectCopy(
  options: PrepareOptions,
  beadsDir: string,
): Promise<{ prefix: string } | BdFailure> {
  await mkdir(options.cacheDir, { recursive: true });
  const folder = await mkdtemp(join(options.cacheDir, "beads-copy-"));
  try {
    const copy = join(folder, ".beads");
    await cp(beadsDir, copy, { recursive: true, mode: constants.COPYFILE_FICLONE });
    return await inspect(bdIn(options.bd, copy));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const setting = z.object({ value: z.string() });

/** `--readonly` refuses a database of another schema instead of migrating it. */
async function inspect(bd: Bd): Promise<{ prefix: string } | BdFailure> {
  const args = ["--readonly", "config", "get", "issue_prefix"];
  const found = await bd.run({ args, effect: "read", schema: setting });
  if (isFailure(found)) return found;
  if (found.value === "") return unavailable("the database has no prefix for its issues");
  return { prefix: found.value };
}

function bdIn(bd: string, beadsDir: string): Bd {
  return openBd({ bd, beadsDir, actor: "fractal" });
}

/** Adds lines to the repository's own exclude file, once, and leaves the rest of it alone. */
async function excludeFromGit(repository: string, lines: string[]): Promise<void> {
  const path = await git(repository, ["rev-parse", "--git-path", "info/exclude"]);
  const file = resolve(repository, path);
  const present = await readFile(file, "utf8").catch(() => "");
  const known = new Set(present.split("\n").map((line) => line.trim()));
  const missing = lines.filter((line) => !known.has(line));
  if (missing.length === 0) return;
  await mkdir(dirname(file), { recursive: true });
  const gap = present === "" || present.endsWith("\n") ? "" : "\n";
  await appendFile(file, `${gap}${missing.join("\n")}\n`);
}

async function git(repository: string, args: string[]): Promise<string> {
  const { stdout } = await execa("git", args, {
    cwd: repository,
    env: only(process.env, GIT_VARIABLES),
    extendEnv: false,
    reject: false,
    detached: true,
  });
  return stdout.trim();
}
