/** The filter of system calls a sandboxed process carries: a classic BPF program for `bwrap --seccomp`. */

/** Processors there is a filter for, as Node names them. */
export type Processor = "x64" | "arm64";

/** A call that no build, test or tool needs, and its number on each processor that has it. */
interface Refused {
  name: string;
  x64?: number;
  arm64?: number;
  /** What the caller is told; EPERM when left out. */
  errno?: number;
}

const EPERM = 1;
/** For calls whose callers go on without them: what they would see on an older kernel. */
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Numbers: the kernel's `asm/unistd_64.h` and `asm-generic/unistd.h`. */
export const REFUSED: readonly Refused[] = [
  // Programs and probes in the kernel.
  { name: "bpf", x64: 321, arm64: 280 },
  { name: "perf_event_open", x64: 298, arm64: 241 },
  { name: "userfaultfd", x64: 323, arm64: 282 },
  { name: "init_module", x64: 175, arm64: 105 },
  { name: "finit_module", x64: 313, arm64: 273 },
  { name: "delete_module", x64: 176, arm64: 106 },
  { name: "create_module", x64: 174 },
  { name: "kexec_load", x64: 246, arm64: 104 },
  { name: "kexec_file_load", x64: 320, arm64: 294 },
  // Its rings carry out calls that no filter sees.
  { name: "io_uring_setup", x64: 425, arm64: 425 },
  { name: "io_uring_enter", x64: 426, arm64: 426 },
  { name: "io_uring_register", x64: 427, arm64: 427 },
  // Keys are the user's, not a namespace's.
  { name: "add_key", x64: 248, arm64: 217 },
  { name: "request_key", x64: 249, arm64: 218 },
  { name: "keyctl", x64: 250, arm64: 219 },
  // Namespaces within: what kernel holes have most often needed.
  { name: "unshare", x64: 272, arm64: 97 },
  { name: "setns", x64: 308, arm64: 268 },
  // Its flags are behind a pointer; libraries fall back to `clone`, whose flags are judged below.
  { name: "clone3", x64: 435, arm64: 435, errno: ENOSYS },
  // Mounts.
  { name: "mount", x64: 165, arm64: 40 },
  { name: "umount2", x64: 166, arm64: 39 },
  { name: "pivot_root", x64: 155, arm64: 41 },
  { name: "chroot", x64: 161, arm64: 51 },
  { name: "open_tree", x64: 428, arm64: 428 },
  { name: "move_mount", x64: 429, arm64: 429 },
  { name: "fsopen", x64: 430, arm64: 430 },
  { name: "fsconfig", x64: 431, arm64: 431 },
  { name: "fsmount", x64: 432, arm64: 432 },
  { name: "fspick", x64: 433, arm64: 433 },
  { name: "mount_setattr", x64: 442, arm64: 442 },
  { name: "open_tree_attr", x64: 467, arm64: 467 },
  // Other processes' memory and files.
  { name: "ptrace", x64: 101, arm64: 117 },
  { name: "process_vm_readv", x64: 310, arm64: 270 },
  { name: "process_vm_writev", x64: 311, arm64: 271 },
  { name: "process_madvise", x64: 440, arm64: 440 },
  { name: "pidfd_getfd", x64: 438, arm64: 438 },
  { name: "kcmp", x64: 312, arm64: 272 },
  { name: "move_pages", x64: 279, arm64: 239 },
  { name: "migrate_pages", x64: 256, arm64: 238 },
  // Files by number instead of by name, and watching whole file systems.
  { name: "open_by_handle_at", x64: 304, arm64: 265 },
  { name: "fanotify_init", x64: 300, arm64: 262 },
  { name: "lookup_dcookie", x64: 212, arm64: 18 },
  // The machine itself.
  { name: "quotactl", x64: 179, arm64: 60 },
  { name: "quotactl_fd", x64: 443, arm64: 443 },
  { name: "swapon", x64: 167, arm64: 224 },
  { name: "swapoff", x64: 168, arm64: 225 },
  { name: "acct", x64: 163, arm64: 89 },
  { name: "reboot", x64: 169, arm64: 142 },
  { name: "syslog", x64: 103, arm64: 116 },
  { name: "vhangup", x64: 153, arm64: 58 },
  { name: "sethostname", x64: 170, arm64: 161 },
  { name: "setdomainname", x64: 171, arm64: 162 },
  { name: "settimeofday", x64: 164, arm64: 170 },
  { name: "clock_settime", x64: 227, arm64: 112 },
  { name: "iopl", x64: 172 },
  { name: "ioperm", x64: 173 },
  { name: "modify_ldt", x64: 154 },
  { name: "uselib", x64: 134 },
  { name: "nfsservctl", x64: 180, arm64: 42 },
  // Memory that no limit of ours counts; programs then take a file in /tmp or /dev/shm.
  { name: "memfd_create", x64: 319, arm64: 279, errno: ENOSYS },
  { name: "memfd_secret", x64: 447, arm64: 447, errno: ENOSYS },
];

const PROCESSORS: Record<
  Processor,
  { audit: number; clone: number; socket: number; ioctl: number; personality: number }
> = {
  x64: { audit: 0xc000_003e, clone: 56, socket: 41, ioctl: 16, personality: 135 },
  arm64: { audit: 0xc000_00b7, clone: 220, socket: 198, ioctl: 29, personality: 92 },
};

/** x32, a second set of numbers for the same calls, has this bit. */
const X32_BIT = 0x4000_0000;
/** Mount, cgroup, UTS, IPC, user, PID and network namespaces. */
const CLONE_NEW = 0x7e02_0000;
const [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK] = [1, 2, 10, 16];
/** Types into a terminal as if a person did. */
const [TIOCSTI, TIOCLINUX] = [0x5412, 0x541c];
/** Linux as it is, a question only, and a fixed address space as debuggers and sanitizers want it. */
const PERSONALITIES = [0, 0xffff_ffff, 0x0004_0000];

const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const refuse = (errno: number) => 0x0005_0000 | errno;

/** One instruction: operation, steps to skip when true and when false, operand. */
type Step = [code: number, ifTrue: number, ifFalse: number, operand: number];
const loadWord = (offset: number): Step => [0x20, 0, 0, offset];
const isEqual = (value: number, ifTrue: number, ifFalse: number): Step => [
  ...([0x15, ifTrue, ifFalse, value] as const),
];
const isAtLeast = (value: number, ifTrue: number, ifFalse: number): Step => [
  ...([0x35, ifTrue, ifFalse, value] as const),
];
const hasAny = (bits: number, ifTrue: number, ifFalse: number): Step => [
  ...([0x45, ifTrue, ifFalse, bits] as const),
];
const end = (verdict: number): Step => [0x06, 0, 0, verdict];

/** Offsets in `struct seccomp_data`; of arguments the lower half, which is all the kernel looks at here. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const argument = (index: number) => 16 + 8 * index;

/**
 * The program for a processor; undefined where there is none. Everything that is not named is
 * allowed; a call made for another processor (32-bit programs) ends the process.
 */
export function systemCallFilter(processor: string): Buffer | undefined {
  if (processor !== "x64" && processor !== "arm64") return undefined;
  const { audit, clone, socket, ioctl, personality } = PROCESSORS[processor];
  const steps: Step[] = [
    loadWord(ARCHITECTURE),
    isEqual(audit, 1, 0),
    end(KILL),
    loadWord(NUMBER),
    ...(processor === "x64" ? [isAtLeast(X32_BIT, 0, 1), end(refuse(EPERM))] : []),
    ...REFUSED.flatMap(({ [processor]: number, errno = EPERM }) =>
      number === undefined ? [] : [isEqual(number, 0, 1), end(refuse(errno))],
    ),
    ...when(clone, [loadWord(argument(0)), hasAny(CLONE_NEW, 0, 1), end(refuse(EPERM))]),
    ...when(ioctl, [
      loadWord(argument(1)),
      isEqual(TIOCSTI, 1, 0),
      isEqual(TIOCLINUX, 0, 1),
      end(refuse(EPERM)),
    ]),
    ...when(personality, [
      loadWord(argument(0)),
      ...PERSONALITIES.map((value, at) => isEqual(value, PERSONALITIES.length - at, 0)),
      end(refuse(EPERM)),
    ]),
    ...when(socket, [
      loadWord(argument(0)),
      isEqual(AF_UNIX, 6, 0),
      isEqual(AF_INET, 5, 0),
      isEqual(AF_INET6, 4, 0),
      isEqual(AF_NETLINK, 0, 2),
      // Its protocol 0 tells the addresses of this machine, which here has none but its own.
      loadWord(argument(2)),
      isEqual(0, 1, 0),
      end(refuse(EAFNOSUPPORT)),
    ]),
    end(ALLOW),
  ];
  const bytes = Buffer.alloc(steps.length * 8);
  for (const [at, [code, ifTrue, ifFalse, operand]] of steps.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(ifTrue, at * 8 + 2);
    bytes.writeUInt8(ifFalse, at * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, at * 8 + 4);
  }
  return bytes;
}

/** Steps for one call by its number, allowed when they come to no other end. */
function when(number: number, steps: Step[]): Step[] {
  return [isEqual(number, 0, steps.length + 1), ...steps, end(ALLOW)];
}
