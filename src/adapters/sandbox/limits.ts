/** How much of this machine one command may take, and the part of it that the kernel enforces. */
import { availableParallelism, constants, release, totalmem } from "node:os";

const KIB = 1024;
const MIB = KIB * KIB;
const GIB = KIB * MIB;

/** What one command and all it starts may take, at most. */
export interface Ceilings {
  /** Threads count as processes. */
  processesMax: number;
  /** Memory of all processes together. */
  memoryBytesMax: number;
  /** What one process may allocate; more than it uses, as Node and compilers reserve ahead. */
  dataBytesMax: number;
  fileBytesMax: number;
  openFilesMax: number;
  /** What the workspace may hold on disk, and how many files and folders. */
  diskBytesMax: number;
  filesMax: number;
  /** Free space of the disk below which nothing more is written by a command that wrote much. */
  diskFreeBytesMin: number;
}

/** Half of the machine, but enough for a compiler and never more than a few jobs can share. */
const MEMORY_BYTES_MAX = Math.min(8 * GIB, Math.max(GIB, totalmem() / 2));

export const CEILINGS: Ceilings = {
  processesMax: 1024,
  memoryBytesMax: MEMORY_BYTES_MAX,
  dataBytesMax: 8 * GIB,
  fileBytesMax: GIB,
  openFilesMax: 8192,
  diskBytesMax: 4 * GIB,
  filesMax: 500_000,
  diskFreeBytesMin: GIB / 2,
};

/** Time to notice a SIGXCPU, before the kernel kills. */
const CPU_GRACE_S = 5;

/**
 * The argv that runs another one under limits, which need no privilege. Processor time is a
 * backstop: no process can use as much before the wall clock ends all of them, unless nobody is
 * left to look at the clock. When memory runs out the kernel takes these processes first, not ours.
 */
export function limitedArgv(
  argv: string[],
  o: { countsProcesses: boolean; timeoutMs: number; ceilings: Ceilings },
): string[] {
  const { ceilings } = o;
  const cpuS = Math.ceil(o.timeoutMs / 1000) * availableParallelism() + 1;
  // dash says -p where others say -u.
  const processes = `ulimit -u ${ceilings.processesMax} || ulimit -p ${ceilings.processesMax}`;
  const script = [
    "{ ulimit -c 0",
    // Counted in 512 bytes.
    `ulimit -f ${Math.floor(ceilings.fileBytesMax / 512)}`,
    `ulimit -d ${Math.floor(ceilings.dataBytesMax / KIB)}`,
    `ulimit -n ${ceilings.openFilesMax}`,
    `ulimit -S -t ${cpuS}`,
    `ulimit -H -t ${cpuS + CPU_GRACE_S}`,
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

/** What programs say when they could not start another, or a thread. */
const NO_PROCESS = /cannot fork|can't start new thread|EAGAIN|resource temporarily unavailable/i;

/** Which limit a command that failed by itself came to, in words; undefined when none is to be seen. */
export function limitOfEnd(
  end: { exitCode: number | null; stderr: string },
  ceilings: Ceilings,
): string | undefined {
  if (end.exitCode === 128 + constants.signals.SIGXFSZ) {
    return `a file may have at most ${bytesText(ceilings.fileBytesMax)}, and it wrote more`;
  }
  if (end.exitCode === 128 + constants.signals.SIGXCPU) return "its processor time is used up";
  if (end.exitCode !== 0 && NO_PROCESS.test(end.stderr)) {
    return `at most ${ceilings.processesMax} processes and threads may run at a time, and it seems to want more`;
  }
  return undefined;
}

/** `512 MiB`. */
export function bytesText(bytes: number): string {
  if (bytes >= GIB) return `${Math.round((bytes / GIB) * 10) / 10} GiB`;
  return `${Math.round(bytes / MIB)} MiB`;
}
