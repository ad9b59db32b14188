/** Limits a process sets on itself before it becomes the command: they need no privilege. */
import { release } from "node:os";

const KIB = 1024;
/** Per process. Node and compilers reserve far more address space than they use, so this counts data. */
const DATA_KIB_MAX = 8 * KIB * KIB;
/** `ulimit -f` counts 512 bytes; 1 GiB. */
const FILE_BLOCKS_MAX = 2 * KIB * KIB;
const PROCESSES_MAX = 1024;

/**
 * The argv that runs another one under limits. Processor time needs none: the wall clock ends the
 * whole tree. When memory runs out the kernel takes these processes first, not ours.
 */
export function limitedArgv(argv: string[], o: { countsProcesses: boolean }): string[] {
  // dash says -p where others say -u.
  const processes = `ulimit -u ${PROCESSES_MAX} || ulimit -p ${PROCESSES_MAX}`;
  const script = [
    "{ ulimit -c 0",
    `ulimit -f ${FILE_BLOCKS_MAX}`,
    `ulimit -d ${DATA_KIB_MAX}`,
    ...(o.countsProcesses ? [processes] : []),
    "echo 900 >/proc/self/oom_score_adj; } 2>/dev/null",
    'exec "$@"',
  ].join("; ");
  return ["/bin/sh", "-c", script, "sh", ...argv];
}

/** True where a limit on processes counts those of one user namespace, not all of a user's. */
export function countsPerNamespace(): boolean {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  return major > 5 || (major === 5 && minor >= 14);
}
