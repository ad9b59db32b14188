/** A `bd` that is killed in the middle of one write, at a system call, and works well otherwise. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BD } from "../support/bd.ts";

/** Calls by which bd changes what is on disk, and about how often a small write of bd 1.3.0 makes each. */
export const CALLS = {
  write: 75,
  fsync: 18,
  renameat: 6,
  ftruncate: 6,
  flock: 10,
  openat: 200,
} as const;

/**
 * Writes the program into a folder and returns its path: its `write`-th command that changes
 * something (from 1) dies when it comes to its `n`-th call of that name. A file `<folder>/died` tells
 * that it did.
 */
export function bdThatDies(
  folder: string,
  write: number,
  { call, n }: { call: keyof typeof CALLS; n: number },
): string {
  const path = join(folder, "bd");
  const script = `#!/bin/sh
case "$*" in
  *create*|*batch*|*close*|*update*|*comment\\ *|*respond*)
    echo >> '${folder}/writes'
    if [ "$(wc -l < '${folder}/writes')" -eq ${write} ]; then
      strace -f -qq -o /dev/null -e trace=${call} \\
        -e inject=${call}:signal=SIGKILL:when=${n} '${BD}' "$@"
      code=$?
      [ $code -gt 128 ] && touch '${folder}/died'
      exit $code
    fi;;
esac
exec '${BD}' "$@"
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}
