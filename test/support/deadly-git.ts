/** A git that is killed at one of its system calls, for one of its commands. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Whether this machine can kill it. */
export const hasStrace = spawnSync("sh", ["-c", "command -v strace"]).status === 0;

/**
 * From now on a git whose arguments match `pattern` of the shell is killed at its nth of these calls;
 * undone by what is returned. The program is put into `folder`.
 */
export function deadlyGit(folder: string, pattern: string, calls: string, n: number): () => void {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const trace = `-qq -o /dev/null -e trace=${calls} -e inject=${calls}:signal=SIGKILL:when=${n}`;
  writeFileSync(
    join(bin, "git"),
    `#!/bin/sh\ncase "$*" in *${pattern}*) exec strace ${trace} ${real} "$@";; esac\nexec ${real} "$@"\n`,
  );
  chmodSync(join(bin, "git"), 0o755);
  const path = process.env["PATH"];
  process.env["PATH"] = `${bin}:${path}`;
  return () => {
    process.env["PATH"] = path;
  };
}
