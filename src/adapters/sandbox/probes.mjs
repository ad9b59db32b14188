/** Tries, from inside a sandbox, what must not succeed there; prints what came of each attempt. */
import { execFileSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";

const given = JSON.parse(process.env.FRACTAL_PROBES);
const isLinux = process.platform === "linux";

/** Runs an attempt that must fail; what it returns is what it got. */
function mustFail(attempt) {
  try {
    return { held: false, detail: `it worked: ${String(attempt() ?? "done").slice(0, 200)}` };
  } catch (error) {
    return { held: true, detail: firstLine(error.stderr || error.code || error.message) };
  }
}

function firstLine(text) {
  return String(text).trim().split("\n")[0].slice(0, 200);
}

function must(held, detail) {
  return { held, detail };
}

/** Connecting must be refused by the network, not by time. */
function unreachable(address) {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: 1000 });
    const end = (held, detail) => {
      socket.destroy();
      resolve({ held, detail });
    };
    socket.on("connect", () => end(false, "it connected"));
    socket.on("timeout", () => end(false, "no answer, but a way out"));
    socket.on("error", (error) => end(true, error.code));
  });
}

function statusField(name) {
  return new RegExp(`^${name}:\\s*(.+)$`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1];
}

function processIds() {
  return isLinux ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
}

/** Names in the environment of any process that can be seen, beyond those that were given. */
function strayVariables() {
  const seen = new Set(Object.keys(process.env));
  for (const id of processIds()) {
    try {
      for (const line of readFileSync(`/proc/${id}/environ`, "utf8").split("\0")) {
        if (line !== "") seen.add(line.slice(0, line.indexOf("=")));
      }
    } catch {
      // Not readable is as it should be.
    }
  }
  return [...seen].filter((name) => !given.variables.includes(name) && !isRuntimes(name));
}

/** What the sandbox of macOS itself sets: ways to a proxy that lets nothing through. */
function isRuntimes(name) {
  return !isLinux && /^(?:.*_proxy|SANDBOX_RUNTIME|TMPDIR)$/i.test(name);
}

/** The hard limit of a resource, as the kernel names it. */
function limitOf(name) {
  const line = readFileSync("/proc/self/limits", "utf8").split("\n");
  return line
    .find((one) => one.startsWith(name))
    ?.slice(name.length)
    .trim()
    .split(/\s+/)[1];
}

function gitAbove() {
  for (let at = process.cwd(); ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (at === dirname(at)) return undefined;
  }
}

const everywhere = [
  "/",
  "/usr",
  "/usr/bin",
  "/etc",
  "/opt/fractal/bin",
  "/dev",
  "/proc/sys/kernel",
];
const writable = everywhere.filter((folder) => {
  try {
    writeFileSync(join(folder, "fractal-probe"), "");
    return true;
  } catch {
    return false;
  }
});

/** Devices of the host among those that are shown. */
function strayDevices() {
  const known = ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"];
  return readdirSync("/dev").filter((name) => {
    const stats = statSync(join("/dev", name), { throwIfNoEntry: false });
    return (stats?.isBlockDevice() || stats?.isCharacterDevice()) && !known.includes(name);
  });
}
const sockets = [
  "/var/run/docker.sock",
  "/run/docker.sock",
  "/run/podman/podman.sock",
  "/run/dbus/system_bus_socket",
  "/run/user",
].filter((path) => existsSync(path));
const stray = strayVariables();
const repository = gitAbove();

/** What must hold wherever there is a sandbox. */
const everywhereHeld = async () => ({
  "a planted secret cannot be read": mustFail(() => readFileSync(given.secret, "utf8")),
  "a planted secret cannot be read through a link": mustFail(() => {
    symlinkSync(given.secret, "probe-link");
    return readFileSync("probe-link", "utf8");
  }),
  "another workspace cannot be seen": mustFail(() => readFileSync(given.sibling, "utf8")),
  "the checkout cannot be seen": must(!existsSync(given.checkout), given.checkout),
  "no repository is in sight": must(repository === undefined, repository ?? "none"),
  "nothing outside the workspace can be written": must(
    writable.length === 0,
    writable.join(", ") || "nothing",
  ),
  "it is not root": must(
    process.getuid() !== 0 && process.geteuid() !== 0,
    `uid ${process.getuid()}`,
  ),
  "it cannot become root": mustFail(() => process.setuid(0)),
  "the environment has only what was given": must(
    stray.length === 0,
    stray.join(", ") || "nothing",
  ),
  "a process of the host cannot be signalled": mustFail(() => process.kill(given.pid, 0)),
  "a server of the host cannot be reached": await unreachable({
    host: "127.0.0.1",
    port: given.port,
  }),
  "the internet cannot be reached": await unreachable({ host: "192.0.2.1", port: 80 }),
  "there is no socket of a service": must(sockets.length === 0, sockets.join(", ") || "none"),
});

/** What holds besides where the kernel gives each command a world of its own. */
const linuxHeld = async () => {
  const cards = Object.keys(networkInterfaces()).filter((name) => name !== "lo");
  const devices = strayDevices();
  const limits = ["Max file size", "Max processes", "Max data size", "Max cpu time"];
  const unlimited = limits.filter((name) => limitOf(name) === "unlimited");
  return {
    "programs cannot be replaced": mustFail(() =>
      accessSync("/opt/fractal/bin/node", constants.W_OK),
    ),
    // Whatever user it is: being refused for lack of rights is not enough.
    "kernel settings are read-only": must(
      /^\S+ \S+ \S+ \S+ \/proc\/sys ro\b/m.test(readFileSync("/proc/self/mountinfo", "utf8")),
      mustFail(() => writeFileSync("/proc/sys/kernel/core_pattern", "|/bin/true")).detail,
    ),
    "it has no capability": must(
      /^0+$/.test(statusField("CapEff")) && /^0+$/.test(statusField("CapBnd")),
      `CapEff ${statusField("CapEff")}, CapBnd ${statusField("CapBnd")}`,
    ),
    "setuid programs give it nothing": must(
      statusField("NoNewPrivs") === "1",
      `NoNewPrivs ${statusField("NoNewPrivs")}`,
    ),
    "system calls are filtered": must(
      statusField("Seccomp") === "2" && Number(statusField("Seccomp_filters")) > given.filters,
      `Seccomp ${statusField("Seccomp")}, ${statusField("Seccomp_filters")} filters`,
    ),
    "it cannot make a user namespace": mustFail(() =>
      execFileSync("unshare", ["--user", "--map-root-user", "true"], { stdio: "pipe" }),
    ),
    "it cannot mount": mustFail(() =>
      execFileSync("mount", ["-t", "tmpfs", "none", "/tmp"], { stdio: "pipe" }),
    ),
    "what it may take of the machine is limited": must(
      unlimited.length === 0,
      unlimited.map((name) => `${name}: unlimited`).join(", ") || limits.map(limitOf).join(", "),
    ),
    "processes of the host are not visible": must(
      processIds().length < 12,
      `${processIds().length} processes`,
    ),
    "there is no network card": must(cards.length === 0, cards.join(", ") || "none"),
    "an abstract socket of the host cannot be reached": await unreachable({
      path: `\0${given.socket}`,
    }),
    "there is no device of the host": must(devices.length === 0, devices.join(", ") || "none"),
  };
};

const probes = { ...(await everywhereHeld()), ...(isLinux ? await linuxHeld() : {}) };

process.stdout.write(
  JSON.stringify(Object.entries(probes).map(([name, result]) => ({ name, ...result }))),
);
