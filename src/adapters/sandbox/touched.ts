/** Tells which watched files a sandboxed command has changed, also where it put them back. */
import { isFailure } from "../../domain/failure.ts";
import type { Sandbox } from "../../domain/ports.ts";
import { plainStats } from "./mounts.ts";

/** `run` that looks at the watched files of a command before and after it. */
export function tellingTouched(run: Sandbox["run"]): Sandbox["run"] {
  return async (command, signal) => {
    const watched = command.watched ?? [];
    const before = await marksOf(command.folder, watched);
    const ran = await run(command, signal);
    if (isFailure(ran)) return ran;
    const after = await marksOf(command.folder, watched);
    const touched = watched.filter((_, at) => before[at] !== after[at]);
    return touched.length === 0 ? ran : { ...ran, touched };
  };
}

/**
 * What changes with every change of a file. The time of the last change of status is the kernel's:
 * nobody can set it back.
 */
async function marksOf(folder: string, paths: readonly string[]): Promise<string[]> {
  const marks: string[] = [];
  for (const path of paths) {
    const stats = await plainStats(folder, path);
    marks.push(stats === undefined ? "none" : `${stats.ino} ${stats.size} ${stats.ctimeNs}`);
  }
  return marks;
}
