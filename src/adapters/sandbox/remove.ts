/** Removes and hands over whole trees, however deep, locked or large untrusted processes made them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, rm } from "node:fs/promises";
import { only } from "../../domain/environment.ts";

/**
 * Removes a folder and all below it. By programs made for it: they walk below any length of path, do
 * not keep this process busy, and take a fifth of the time.
 */
export async function removeTree(folder: string): Promise<void> {
  if ((await lstat(folder).catch(() => undefined)) === undefined) return;
  if (await succeeds("rm", "-rf", "--", folder)) return;
  // A folder may forbid its owner to look into it.
  await succeeds("chmod", "-R", "u+rwX", "--", folder);
  if (await succeeds("rm", "-rf", "--", folder)) return;
  await rm(folder, { recursive: true, force: true });
}

/** Links themselves change hands, never what they point to. */
export async function giveTree(folder: string, user: { uid: number; gid: number }): Promise<void> {
  if (await succeeds("chown", "-hR", `${user.uid}:${user.gid}`, "--", folder)) return;
  throw new Error(`${folder} cannot be given to user ${user.uid}`);
}

/** Runs a program to its end; false also where it is not there. */
export async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  // Its own process group: cut short by Ctrl-C in the terminal it would leave half of it.
  const env = only(process.env, ["PATH"]);
  const child = spawn(program, args, { cwd: "/", env, stdio: "ignore", detached: true });
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code === 0;
  } catch {
    return false;
  }
}
