/** Ways out of the sandbox that are tried, each with the guard without which it succeeds. */
import { REFUSED } from "../../../src/adapters/sandbox/seccomp.ts";

/** What is planted on the host for them; nothing of it may be reached. */
export interface World {
  /** A file all may read, and what is in it. */
  secretFile: string;
  secret: string;
  /** A folder all may write, with a file `kept` all may write. */
  outside: string;
  /** A file in another workspace. */
  sibling: string;
  checkout: string;
  /** Of a server on the host's 127.0.0.1. */
  tcp: number;
  udp: number;
  /** An abstract socket, and one in `outside`. */
  abstract: string;
  socket: string;
  /** A process of the sandbox's user, whose command line has this mark. */
  pid: number;
  mark: string;
}

/** What is left out of the sandbox to see that a probe succeeds without it. */
export type Guard =
  /** All of it: `--dangerously-no-sandbox`. */
  | "sandbox"
  | "filter"
  /** The filter, and the ban on user namespaces within. */
  | "namespaces"
  | "network";

export interface EscapeProbe {
  name: string;
  argv(world: World): string[];
  /** Without this guard it succeeds; left out where that cannot be shown safely, or two guards hold. */
  guard?: Guard;
  /** Why it need not succeed on every machine without its guard. */
  unsure?: string;
  /** Only fractal that was started as root can plant what it needs. */
  plantedByRoot?: boolean;
}

const number = (name: string): number => {
  const found = REFUSED.find((one) => one.name === name);
  return found?.[process.arch as "x64" | "arm64"] ?? -1;
};
const x64 = process.arch === "x64";
const NUMBERS = x64
  ? { socket: 41, clone: 56, ioctl: 16, personality: 135, exit: 60 }
  : { socket: 198, clone: 220, ioctl: 29, personality: 92, exit: 93 };

const sh = (script: (world: World) => string) => (world: World) => ["sh", "-c", script(world)];
const perl = (code: (world: World) => string) => (world: World) => ["perl", "-e", code(world)];
const node = (code: (world: World) => string) => (world: World) => ["node", "-e", code(world)];
/** A call that must come back with nothing but a refusal. */
const call = (what: string, ...args: (number | string)[]) =>
  perl(() => `print "ESCAPED" if syscall(${[what, ...args].join(", ")}) != -1`);
/** A call that the kernel itself would refuse, in other words than the filter. */
const reaches = (words: string, what: string, ...args: (number | string)[]) =>
  perl(() => `syscall(${[what, ...args].join(", ")}); print "ESCAPED $!" if $! =~ /${words}/i`);
const named = (name: string) => String(number(name));

export const ESCAPES: EscapeProbe[] = [
  // Reading what is the host's.
  { name: "read a secret", argv: sh((w) => `cat ${w.secretFile}`), guard: "sandbox" },
  {
    name: "read a secret through a link",
    argv: sh((w) => `ln -s ${w.secretFile} l; cat l`),
    guard: "sandbox",
  },
  {
    name: "read a secret by climbing out",
    argv: sh((w) => `cat ../../../../../../../../../..${w.secretFile}`),
    guard: "sandbox",
  },
  {
    name: "read a secret through its own root",
    argv: sh((w) => `cat /proc/self/root${w.secretFile}`),
    guard: "sandbox",
  },
  {
    name: "read a secret through the first process",
    argv: sh((w) => `cat /proc/1/root${w.secretFile}`),
  },
  {
    name: "read a secret through an open folder of any process",
    argv: sh((w) => `for p in /proc/[0-9]*; do cat $p/root${w.secretFile} $p/cwd/../secret; done`),
    guard: "sandbox",
  },
  {
    name: "link a secret in by its number",
    argv: sh((w) => `ln ${w.secretFile} hard && cat hard`),
  },
  { name: "read another workspace", argv: sh((w) => `cat ${w.sibling}`), guard: "sandbox" },
  {
    name: "read the user's repository",
    argv: sh((w) => `grep -q core ${w.checkout}/.git/config && echo ESCAPED`),
    guard: "sandbox",
  },
  {
    name: "list the folders of the host's users",
    argv: sh(() => "ls -d /root /home/[!f]* 2>/dev/null | grep . && echo ESCAPED"),
    guard: "sandbox",
  },
  { name: "read the passwords", argv: sh(() => "grep . /etc/shadow && echo ESCAPED") },
  {
    name: "look into the host's system folder",
    argv: sh(() => "ls /sys/kernel && echo ESCAPED"),
    guard: "sandbox",
  },
  {
    name: "find what fractal's environment holds",
    argv: sh(() => "cat /proc/*/environ | tr '\\0' '\\n' | grep CANARY && echo ESCAPED"),
  },
  {
    name: "read a file that fractal was started with open",
    argv: sh(() => "cat /proc/self/fd/[3-9]* 2>/dev/null"),
  },
  // Writing outside.
  { name: "write a file outside", argv: sh((w) => `echo x > ${w.outside}/new`), guard: "sandbox" },
  {
    name: "write outside through a link",
    argv: sh((w) => `ln -s ${w.outside} out; echo x > out/new`),
    guard: "sandbox",
  },
  {
    name: "write outside by climbing out",
    argv: sh((w) => `echo x > ../../../../../../../../../..${w.outside}/new`),
    guard: "sandbox",
  },
  {
    name: "change a file outside",
    argv: sh((w) => `echo x >> ${w.outside}/kept`),
    guard: "sandbox",
  },
  { name: "delete a file outside", argv: sh((w) => `rm -f ${w.outside}/kept`), guard: "sandbox" },
  {
    name: "move a file outside",
    argv: sh((w) => `echo x > x; mv x ${w.outside}/`),
    guard: "sandbox",
  },
  {
    name: "write into the user's repository",
    argv: sh((w) => `echo x > ${w.checkout}/.git/hooks/post-checkout && echo ESCAPED`),
    guard: "sandbox",
  },
  {
    name: "change a dependency that others use",
    argv: sh(() => "echo x > node_modules/dep/index.js && echo ESCAPED"),
    guard: "sandbox",
  },
  {
    name: "change what a check is made of",
    argv: sh(() => "echo x > oracle/test.mjs && echo ESCAPED"),
    guard: "sandbox",
  },
  {
    name: "move away what a check is made of",
    argv: sh(() => "mv oracle elsewhere && mkdir oracle && echo ESCAPED"),
    guard: "sandbox",
  },
  {
    name: "replace a program",
    argv: sh(() => "for f in /usr/bin/env /opt/fractal/bin/node; do : >> $f && echo ESCAPED; done"),
  },
  {
    name: "write where every command would read it",
    argv: sh(
      () =>
        "for f in / /etc /usr /usr/local/bin /opt/fractal /dev /lib; do : > $f/x && echo ESCAPED; done",
    ),
  },
  {
    name: "change a setting of the kernel",
    argv: sh(
      () =>
        "for f in kernel/core_pattern kernel/hostname vm/swappiness; do echo x > /proc/sys/$f && echo ESCAPED; done",
    ),
  },
  // Other processes.
  {
    name: "see the host's processes",
    argv: sh(
      (w) =>
        `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done | grep '^sh -c : ${w.mark}' && echo ESCAPED`,
    ),
    guard: "sandbox",
  },
  {
    name: "find a process of the host by its number",
    argv: sh((w) => `kill -0 ${w.pid} && echo ESCAPED`),
    guard: "sandbox",
  },
  {
    name: "kill a process of the host",
    argv: sh((w) => `kill -9 ${w.pid}; while kill -0 ${w.pid} 2>/dev/null; do sleep 0.05; done`),
    guard: "sandbox",
  },
  {
    name: "leave a process behind",
    argv: sh(
      (w) =>
        `setsid sh -c 'echo > there; sleep 1000; : ${w.mark}-left' >/dev/null 2>&1 </dev/null & while [ ! -s there ]; do sleep 0.01; done`,
    ),
    guard: "sandbox",
  },
  {
    name: "be the last one that runs out of memory",
    argv: sh(() => "echo -900 > /proc/self/oom_score_adj && echo ESCAPED"),
  },
  {
    name: "raise its own limits",
    argv: sh(() => "(ulimit -n 100000; ulimit -f unlimited) && echo ESCAPED"),
  },
  {
    name: "go before others on the processor",
    argv: perl(() => "setpriority(0, 0, -10) and print 'ESCAPED'"),
  },
  // The network.
  {
    name: "reach a server of the host",
    argv: node(
      (w) => `require("net").connect(${w.tcp}, "127.0.0.1").on("error", () => process.exit())`,
    ),
    guard: "network",
  },
  {
    name: "send a datagram to the host",
    argv: perl(
      (w) =>
        `use IO::Socket::INET; IO::Socket::INET->new(Proto => "udp", PeerAddr => "127.0.0.1:${w.udp}")->send("x")`,
    ),
    guard: "network",
  },
  {
    name: "reach an abstract socket of the host",
    argv: node(
      (w) =>
        `require("net").connect({ path: "\\0${w.abstract}" }).on("error", () => process.exit())`,
    ),
    guard: "network",
  },
  {
    name: "reach a socket in a folder of the host",
    argv: node(
      (w) => `require("net").connect({ path: "${w.socket}" }).on("error", () => process.exit())`,
    ),
    guard: "sandbox",
  },
  {
    name: "see what listens on the host",
    argv: sh(
      (w) => `grep -i ':${w.tcp.toString(16).padStart(4, "0")} ' /proc/net/tcp && echo ESCAPED`,
    ),
    guard: "network",
  },
  {
    name: "see the host's network cards",
    argv: sh(() => "grep ':' /proc/net/dev | grep -v ' lo:' | grep -v '^ *lo:' && echo ESCAPED"),
    guard: "network",
    unsure: "a machine may have none",
  },
  {
    name: "reach the internet",
    argv: node(
      () =>
        `require("net").connect(80, "192.0.2.1").on("connect", () => console.log("ESCAPED")).on("error", () => process.exit())`,
    ),
  },
  { name: "ask a name server", argv: sh(() => "getent hosts example.com && echo ESCAPED") },
  {
    name: "send raw packets",
    argv: perl(() => `use Socket; socket(my $s, 2, 3, 1) and print "ESCAPED"`),
  },
  // Rights.
  {
    name: "become root by a setuid program",
    argv: sh(() => `[ "$(./id-as-root -u)" = 0 ] && echo ESCAPED`),
    guard: "sandbox",
    plantedByRoot: true,
  },
  {
    name: "become root by asking",
    argv: perl(() => `$> = 0; $< = 0; print "ESCAPED" if $> == 0 || $< == 0`),
  },
  { name: "make a device", argv: sh(() => "mknod disk b 8 0 && echo ESCAPED") },
  {
    name: "read the machine's memory",
    argv: sh(
      () => "head -c 1 /dev/mem /dev/kmem /proc/kcore 2>/dev/null | grep -q . && echo ESCAPED",
    ),
  },
  // The kernel.
  {
    name: "make a user namespace",
    argv: sh(() => "unshare --user --map-root-user true && echo ESCAPED"),
    guard: "namespaces",
  },
  {
    name: "mount in a namespace of its own",
    argv: sh(
      () => "unshare --user --map-root-user --mount mount -t tmpfs none /tmp && echo ESCAPED",
    ),
    guard: "namespaces",
  },
  {
    name: "make a user namespace by the call itself",
    argv: perl(
      () =>
        `my $p = syscall(${NUMBERS.clone}, 0x10000011, 0, 0, 0, 0); if ($p == 0) { syscall(${NUMBERS.exit}, 0) } print "ESCAPED" if $p > 0`,
    ),
    guard: "namespaces",
  },
  {
    name: "make a namespace by the newer call",
    argv: reaches("Invalid argument", named("clone3"), 0, 0),
    guard: "filter",
  },
  {
    name: "enter another namespace",
    argv: reaches("Bad file descriptor", named("setns"), -1, 0),
    guard: "filter",
  },
  { name: "trace a process", argv: call(named("ptrace"), 0, 0, 0, 0), guard: "filter" },
  {
    name: "read another process's memory",
    argv: call(named("process_vm_readv"), "$$", 0, 0, 0, 0, 0),
    guard: "filter",
  },
  {
    name: "take a file out of another process",
    argv: reaches("Bad file descriptor", named("pidfd_getfd"), -1, 0, 0),
    guard: "filter",
  },
  {
    name: "open a ring that makes calls past the filter",
    argv: perl(
      () =>
        `my $p = "\\0" x 120; print "ESCAPED" if syscall(${named("io_uring_setup")}, 1, $p) != -1`,
    ),
    guard: "filter",
    unsure: "a kernel may have them turned off",
  },
  {
    name: "handle page faults",
    argv: call(named("userfaultfd"), 1),
    guard: "filter",
    unsure: "a kernel may be built without",
  },
  {
    name: "load a program into the kernel",
    argv: reaches("Invalid argument|Bad address|Argument list", named("bpf"), 0, 0, 1),
    guard: "filter",
    unsure: "a kernel may refuse it to all but root",
  },
  {
    name: "watch the kernel's counters",
    argv: reaches("Bad address|Argument list|Invalid", named("perf_event_open"), 0, 0, -1, -1, 0),
    guard: "filter",
    unsure: "a kernel may refuse it",
  },
  {
    name: "find the user's keys",
    argv: perl(() => `print "ESCAPED" if syscall(${named("keyctl")}, 0, -4, 1) > 0`),
    guard: "filter",
    unsure: "a kernel may have no keys",
  },
  {
    name: "keep a key for later",
    argv: perl(
      () =>
        `my ($t, $d, $v) = ("user", "fractal-probe", "x"); print "ESCAPED" if syscall(${named("add_key")}, $t, $d, $v, 1, -2) > 0`,
    ),
    guard: "filter",
    unsure: "a kernel may have no keys",
  },
  {
    name: "hide memory in a file without a name",
    argv: perl(
      () => `my $n = "x"; print "ESCAPED" if syscall(${named("memfd_create")}, $n, 0) != -1`,
    ),
    guard: "filter",
  },
  {
    name: "make all memory executable",
    argv: call(String(NUMBERS.personality), 0x40_0000),
    guard: "filter",
  },
  {
    name: "open a file by its number",
    argv: reaches(
      "Bad address|Bad file|Operation not permitted.{9}",
      named("open_by_handle_at"),
      -1,
      0,
      0,
    ),
    guard: "filter",
    unsure: "the kernel may look at rights first",
  },
  {
    name: "reach the kernel's ciphers by a socket",
    argv: call(String(NUMBERS.socket), 38, 5, 0),
    guard: "filter",
    unsure: "a kernel may be built without",
  },
  {
    name: "reach the host of a virtual machine by a socket",
    argv: call(String(NUMBERS.socket), 40, 1, 0),
    guard: "filter",
    unsure: "a kernel may be built without",
  },
  {
    name: "reach the kernel's packet filter by a socket",
    argv: call(String(NUMBERS.socket), 16, 3, 12),
    guard: "filter",
    unsure: "a kernel may be built without",
  },
  {
    name: "type into a terminal",
    argv: reaches("Inappropriate ioctl|Bad address|Input", String(NUMBERS.ioctl), 1, 0x5412, 0),
    guard: "filter",
  },
  {
    name: "read the kernel's log",
    argv: call(named("syslog"), 10, 0, 0),
    guard: "filter",
    unsure: "a kernel may refuse it to all but root",
  },
];
