/** A `git` whose n-th move of a ref takes its time: it outlives a fractal that is killed meanwhile. */
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes the program into a folder, which belongs first in PATH. */
export function slowGit(folder: string, move: number, seconds: number): void {
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const path = join(folder, "git");
  const script = `#!/bin/sh
case "$*" in
  *update-ref*)
    while IFS= read -r line; do
      if [ "$line" = commit ]; then
        echo >> '${folder}/moves'
        [ "$(wc -l < '${folder}/moves')" -eq ${move} ] && sleep ${seconds}
      fi
      printf '%s\\n' "$line"
    done | '${real}' "$@";;
  *) exec '${real}' "$@";;
esac
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
}
