/** Secrets planted around a repository, which nothing that a run leaves behind may hold. */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { execaSync } from "execa";
import { spellingsOf } from "../../src/rules/secrets/encodings.ts";

/** Where sandboxes work: as root in one place, else below the home folder, which is searched whole. */
const WORKSPACES = "/var/cache/fractal/sandbox/workspaces";

export interface Canary {
  /** A key by its name, and a variable that nothing tells from others. */
  env: Record<string, string>;
  /** Throws with every place in which a canary is found, in whatever spelling. */
  mustBeUnseen(o: { repository: string; heard: readonly string[] }): void;
}

/** Plants a key in the environment, a plain variable, and a file of keys in the home folder of `place`. */
export function plantCanary(place: string): Canary {
  const values = {
    CANARY_API_KEY: `canary-${randomBytes(18).toString("base64url")}-Key`,
    CANARY_PLACE: `canary-${randomBytes(18).toString("base64url")}-Env`,
  };
  const inFile = `canary-${randomBytes(18).toString("base64url")}-File`;
  const file = join(place, "home", ".aws", "credentials");
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, `[default]\naws_secret_access_key = ${inFile}\n`);
  const planted = { ...values, [file]: inFile };
  return {
    env: values,
    mustBeUnseen({ repository, heard }) {
      if (!existsSync(repository)) return;
      const seen = searchFor(Object.values(planted));
      const places = [
        ...filesBelow(place)
          .filter((path) => path !== file)
          .flatMap((path) => (seen(textOf(path)) ? [relative(place, path)] : [])),
        ...workspacesOf(repository)
          .flatMap(filesBelow)
          .filter((path) => seen(textOf(path))),
        ...(seen(objectsOf(repository)) ? ["the objects of git"] : []),
        ...heard.flatMap((text, at) => (seen(text) ? [`what command ${at + 1} printed`] : [])),
      ];
      if (places.length > 0) throw new Error(`a canary was found in:\n  ${places.join("\n  ")}`);
    },
  };
}

/** True for a text with one of the values, in one of their usual spellings. */
export function searchFor(values: readonly string[]): (text: string) => boolean {
  const spellings = [...new Set(values.flatMap(spellingsOf))];
  const pattern = new RegExp(
    spellings.map((one) => one.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"),
  );
  return (text) => pattern.test(text);
}

/** Every object in a repository's store, reachable or not: its files are compressed. */
export function objectsOf(repository: string): string {
  const args = ["cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer"];
  const options = {
    cwd: repository,
    reject: false,
    encoding: "buffer",
    maxBuffer: 2 ** 30,
  } as const;
  const { stdout } = execaSync("git", args, options);
  return stdout === undefined ? "" : Buffer.from(stdout).toString("latin1");
}

function workspacesOf(repository: string): string[] {
  const telemetry = join(repository, "telemetry");
  if (!existsSync(telemetry) || !existsSync(WORKSPACES)) return [];
  return readdirSync(telemetry)
    .map((run) => join(WORKSPACES, run))
    .filter((folder) => existsSync(folder));
}

/** Plain files; what goes away meanwhile, or is a link or a socket, is left out. */
export function filesBelow(folder: string): string[] {
  const found: string[] = [];
  const walk = (at: string) => {
    for (const name of attempt(() => readdirSync(at)) ?? []) {
      const path = join(at, name);
      const stats = attempt(() => lstatSync(path));
      if (stats?.isDirectory()) walk(path);
      else if (stats?.isFile()) found.push(path);
    }
  };
  walk(folder);
  return found;
}

/** Bytes as letters of one byte each: binary files are searched as well. */
export function textOf(path: string): string {
  return attempt(() => readFileSync(path, "latin1")) ?? "";
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
