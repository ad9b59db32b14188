/** The repository's top folder, where fractal.yaml and the traces of runs are. */
import { execa } from "execa";
import { GIT_VARIABLES, only } from "../domain/environment.ts";

/** The top folder of the work tree around `dir`; `dir` itself where there is no repository. */
export async function topFolderOf(dir: string): Promise<string> {
  const { exitCode, stdout } = await execa("git", ["rev-parse", "--show-toplevel"], {
    cwd: dir,
    env: only(process.env, GIT_VARIABLES),
    extendEnv: false,
    reject: false,
    // As with every command: Ctrl-C in the terminal is for fractal.
    detached: true,
  });
  return exitCode === 0 && stdout.trim() !== "" ? stdout.trim() : dir;
}
