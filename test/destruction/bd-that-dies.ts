/** A `bd` that is killed in the middle of one write, at a system call, and works well otherwise. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BD } from "../support/bd.ts";

/** Calls by which bd changes what is on disk. */
const CALLS = "write,pwrite64,fsync,renameat,renameat2,openat,unlinkat,ftruncate";

/**
 * Writes the program into a folder and returns its path: its `write`-th command that changes
 * something (from 1) dies when a thread of it comes to the `call`-th such call. A file
 * `<folder>/died` tells that it did.
 */
export function bdThatDies(folder: string, write: number, call: number): string {
  const path = join(folder, "bd");
  const script = `#!/bin/sh
case "$*" in
  *create*|*batch*|*close*|*update*|*comment\\ *|*respond*)
    echo >> '${folder}/writes'
    if [ "$(wc -l < '${folder}/writes')" -eq ${write} ]; then
      strace -f --seccomp-bpf -qq -o /dev/null -e trace=${CALLS} \\
        -e inject=${CALLS}:signal=SIGKILL:when=${call} '${BD}' "$@"
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
