/** Finds the bd program: the right one, of a release that fractal knows. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { execa } from "execa";
import { only } from "../../domain/environment.ts";
import { type Failure, isFailure } from "../../domain/failure.ts";

/** The release that fractal is built on; a later one of the same major version is accepted. */
const BD_VERSION = "1.3.0";
const VERSION_TIMEOUT_MS = 10_000;

/** A bd that answered for itself. */
export interface BdProgram {
  path: string;
  version: string;
}

export interface BdSearch {
  env: NodeJS.ProcessEnv;
  /** The folder of the fractal package. */
  packageDir: string;
}

/**
 * Looks at `FRACTAL_BD`, the user's cache, `node_modules/@beads/bd` and PATH, in this order, and
 * believes only what `bd version --json` says: there is an unrelated program of a similar name.
 * A `FRACTAL_BD` that does not fit is a failure at once, for somebody meant it.
 */
export async function findBd(search: BdSearch): Promise<BdProgram | Failure> {
  const { FRACTAL_BD: named } = search.env;
  if (named && !existsSync(named)) {
    return unusable(`FRACTAL_BD names ${named}, and there is no such file. ${instead()}`);
  }
  // Absolute, because bd is run in the folder of its database.
  if (named) return await judge(resolve(named), "FRACTAL_BD names");
  const problems: Failure[] = [];
  for (const path of candidates(search)) {
    if (!existsSync(path)) continue;
    const judged = await judge(path, "found");
    if (!isFailure(judged)) return judged;
    problems.push(judged);
  }
  return problems[0] ?? unusable(`bd ${BD_VERSION} is not installed. ${remedy(search.packageDir)}`);
}

/** Where set-up puts the bd it built. */
export function cachedBd({ XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv): string {
  const cache = XDG_CACHE_HOME || join(HOME || homedir(), ".cache");
  return join(cache, "fractal", `bd-${BD_VERSION}`, "bd");
}

function candidates({ env, packageDir }: BdSearch): string[] {
  const { PATH = "" } = env;
  return [
    cachedBd(env),
    ...(process.getuid?.() === 0 ? [`/var/cache/fractal/bd-${BD_VERSION}/bd`] : []),
    // The program itself: the package's own starter forwards no signals.
    join(packageDir, "node_modules/@beads/bd/bin/bd"),
    ...PATH.split(delimiter)
      .filter((folder) => folder !== "")
      .map((folder) => join(folder, "bd")),
  ];
}

async function judge(path: string, how: string): Promise<BdProgram | Failure> {
  const version = await versionOf(path);
  if (version === undefined) {
    return unusable(
      `${how} ${path}, which is not Beads (it does not answer \`bd version --json\`). ${instead()}`,
    );
  }
  if (isKnownBd(version)) return { path, version };
  return unusable(
    `${how} ${path}, which is bd ${version}; fractal needs ${BD_VERSION}. ${instead()}`,
  );
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await execa(path, ["version", "--json"], {
      timeout: VERSION_TIMEOUT_MS,
      killSignal: "SIGKILL",
      env: { ...only(process.env, ["PATH", "HOME"]), BD_DISABLE_METRICS: "1" },
      extendEnv: false,
      stdin: "ignore",
      // Its own process group: cut short by Ctrl-C in the terminal, it would look like another bd.
      detached: true,
    });
    const answer: unknown = JSON.parse(stdout);
    const isAnswer = typeof answer === "object" && answer !== null && "version" in answer;
    return isAnswer && typeof answer.version === "string" ? answer.version : undefined;
  } catch {
    return undefined;
  }
}

/** True for the release fractal is built on and later ones of the same major version. */
export function isKnownBd(version: string): boolean {
  const [major, minor] = version.split(".").map(Number);
  const [majorKnown, minorKnown] = BD_VERSION.split(".").map(Number);
  return major === majorKnown && minor !== undefined && minor >= (minorKnown ?? 0);
}

function instead(): string {
  return `Install bd ${BD_VERSION}, or name it with FRACTAL_BD.`;
}

function remedy(packageDir: string): string {
  const setup = join(packageDir, "setup/setup.mjs");
  return `\`node ${setup}\` builds it once into your cache; or install it and name it with FRACTAL_BD.`;
}

function unusable(detail: string): Failure {
  return { failure: "tracker-unavailable", detail };
}
