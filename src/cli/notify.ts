/** Runs the person's own `notify` command on each new question. */
import { spawn } from "node:child_process";
import type { RunEvent } from "../domain/event.ts";
import { harmless } from "../domain/harmless.ts";
import type { Environment } from "./output.ts";

/**
 * A listener that runs `sh -c COMMAND` when a question opens, told by FRACTAL_QUESTION (its id),
 * FRACTAL_TASK, FRACTAL_TITLE and FRACTAL_WHY. Nothing waits for the command, and what comes of it
 * changes nothing.
 */
export function notifier(
  command: string,
  o: { cwd: string; env: Environment },
): (event: RunEvent) => void {
  return (event) => {
    if (event.event_type !== "question.opened") return;
    const child = spawn("sh", ["-c", command], {
      cwd: o.cwd,
      env: {
        ...o.env,
        FRACTAL_QUESTION: event.question,
        FRACTAL_TASK: event.task_id ?? "",
        FRACTAL_TITLE: harmless(event.title),
        FRACTAL_WHY: harmless(event.why),
      },
      stdio: "ignore",
      detached: true,
    });
    child.on("error", () => undefined);
    child.unref();
  };
}
