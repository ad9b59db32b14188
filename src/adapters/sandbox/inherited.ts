/** Files that this process was started with open: a command must not get them handed on. */
import { closeSync, readdirSync, readFileSync } from "node:fs";

const O_CLOEXEC = 0o2000000;

/**
 * Closes what is open beyond the usual three and would be handed to every process started from here.
 * Nothing of Node's or ours is: it is what a shell or another program left open for us. Only Linux
 * tells; Node itself sees to the lowest ones.
 */
export function closeInherited(): void {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd <= 2) continue;
    try {
      const info = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
      const flags = Number.parseInt(/^flags:\s*(\d+)$/m.exec(info)?.[1] ?? "", 8);
      if ((flags & O_CLOEXEC) === 0) closeSync(fd);
    } catch {
      // It was the folder that was listed.
    }
  }
}
