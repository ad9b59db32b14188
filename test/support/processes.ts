/** The processes of this machine, as /proc shows them. */
import { readdirSync, readFileSync } from "node:fs";

export interface Seen {
  pid: number;
  /** Its words, each ended by a zero byte. */
  commandLine: string;
  /** Likewise; empty where it is somebody else's. */
  environment: string;
}

/** All but this one; who ends meanwhile is left out. */
export function processes(): Seen[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const commandLine = textOf(pid, "cmdline");
    if (commandLine === undefined) return [];
    return [{ pid, commandLine, environment: textOf(pid, "environ") ?? "" }];
  });
}

/** Those with this text in their command line. */
export function processesWith(text: string): Seen[] {
  return processes().filter((one) => one.commandLine.replaceAll("\0", " ").includes(text));
}

function textOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
