/** Why bubblewrap does not work on this machine, and the one thing to do about it. */
import { readFile } from "node:fs/promises";
import type { Failure } from "../../domain/failure.ts";
import { unavailable } from "./quarters.ts";
import { findProgram } from "./toolchain.ts";

/** Older ones cannot forbid nested user namespaces. */
export const OLDEST_BUBBLEWRAP = "0.8.0";

/** The one that the adapter for macOS was written against. */
const SANDBOX_RUNTIME_VERSION = "0.0.83";

const INSTALL: [program: string, command: string][] = [
  ["apt-get", "apt-get install -y bubblewrap"],
  ["dnf", "dnf install -y bubblewrap"],
  ["pacman", "pacman -S --noconfirm bubblewrap"],
  ["zypper", "zypper install -y bubblewrap"],
  ["apk", "apk add bubblewrap"],
];

const REFUSED = "Without a sandbox nothing model-written is run.";

/** The failure when there is no bwrap, with the command that installs it here. */
export async function missingBubblewrap(): Promise<Failure> {
  return unavailable(`bubblewrap is not installed. Install it: ${await installCommand()}`);
}

/** The failure when bwrap is too old to contain anything, or is something else. */
export async function oldBubblewrap(version: string): Promise<Failure> {
  return unavailable(
    `bubblewrap ${version} is too old: ${OLDEST_BUBBLEWRAP} or later is needed. Update it: ${await installCommand()}`,
  );
}

/** The failure on a system bubblewrap does not exist for. */
export function unsupportedPlatform(platform: string): Failure {
  return unavailable(
    `There is no sandbox for ${platform} yet, only for Linux and macOS. ${REFUSED}`,
  );
}

/** The failure on macOS without the package that contains commands there. */
export function missingSandboxRuntime(name: string): Failure {
  return unavailable(
    `On macOS commands are contained by ${name}, which is not installed beside fractal. ` +
      `Install it: npm install -g ${name}@${SANDBOX_RUNTIME_VERSION}. ${REFUSED}`,
  );
}

/** The failure on a processor whose system calls no filter is written for. */
export function unsupportedProcessor(processor: string): Failure {
  return unavailable(
    `There is no sandbox for ${processor} processors yet, only for x64 and arm64. ${REFUSED}`,
  );
}

/** The failure drawn from what bwrap said when it could not start something. */
export async function failedStart(said: string): Promise<Failure> {
  const words = said.trim().split("\n").slice(-3).join("\n");
  if (/namespace|uid map|gid map|setgroups|NETLINK|loopback/i.test(said)) {
    return unavailable(`User namespaces are forbidden here (${words}). ${await namespaceAdvice()}`);
  }
  if (/mount proc/i.test(said)) {
    return unavailable(
      `This container hides parts of /proc, so no sandbox can have its own (${words}). ` +
        "Start the container with --security-opt systempaths=unconfined.",
    );
  }
  return unavailable(`The sandbox did not start: ${words || "bubblewrap said nothing"}`);
}

async function installCommand(): Promise<string> {
  const sudo = process.getuid?.() === 0 ? "" : "sudo ";
  for (const [program, command] of INSTALL) {
    if (await findProgram(program)) return sudo + command;
  }
  return "see https://github.com/containers/bubblewrap";
}

/** Which of the known switches is off, told by the kernel itself. */
async function namespaceAdvice(): Promise<string> {
  const switches: [path: string, off: string, fix: string][] = [
    ["kernel/apparmor_restrict_unprivileged_userns", "1", "0"],
    ["kernel/unprivileged_userns_clone", "0", "1"],
    ["user/max_user_namespaces", "0", "10000"],
  ];
  for (const [path, off, fix] of switches) {
    const value = await readFile(`/proc/sys/${path}`, "utf8").catch(() => "");
    if (value.trim() === off) {
      return `Allow them: sudo sysctl -w ${path.replaceAll("/", ".")}=${fix}`;
    }
  }
  return "In a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined.";
}
