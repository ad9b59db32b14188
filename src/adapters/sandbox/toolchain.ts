/** The programs of our own that are shown to a sandbox: this Node, its npm, the file tools. */
import { lstat, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Toolchain {
  node: string;
  /** The folder of the npm package, where it is not below /usr anyway. */
  npm: string | undefined;
  /** The program that carries out file tools. */
  runner: string;
}

/** Finds them; `reachable` copies what the sandbox's user could not read where it is. */
export async function findToolchain(
  reachable: (path: string) => Promise<string>,
): Promise<Toolchain> {
  const npm = await findNpm();
  return {
    node: await reachable(await realpath(process.execPath)),
    npm: npm === undefined ? undefined : await reachable(npm),
    runner: await reachable(fileURLToPath(new URL("./tool-runner.mjs", import.meta.url))),
  };
}

/** The absolute path of a program on PATH. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = (process.env["PATH"] ?? "").split(":");
  for (const folder of folders.filter((each) => each.startsWith("/"))) {
    const path = join(folder, name);
    if (await lstat(path).catch(() => undefined)) return path;
  }
  return undefined;
}

async function findNpm(): Promise<string | undefined> {
  const beside = join(dirname(process.execPath), "../lib/node_modules/npm/bin/npm-cli.js");
  const onPath = await findProgram("npm");
  for (const program of [beside, onPath]) {
    const real = program && (await realpath(program).catch(() => undefined));
    if (!real?.endsWith("/bin/npm-cli.js")) continue;
    return real.startsWith("/usr/") ? undefined : dirname(dirname(real));
  }
  return undefined;
}
