/** Runs the person's own `notify` command on a new question. */
import { spawn } from "node:child_process";
import { harmless } from "../domain/harmless.ts";
import type { Question } from "../domain/run-state.ts";
import type { Secrets } from "./secrets.ts";

/**
 * Runs `sh -c COMMAND` for a question, told by FRACTAL_QUESTION (its id), FRACTAL_TASK,
 * FRACTAL_TITLE and FRACTAL_WHY, in this environment without its keys. Nothing waits for the command, and what comes of it changes
 * nothing; the first time it fails `say` is told how.
 */
export function notifier(
  command: string,
  o: { cwd: string; secrets: Secrets; say(text: string): void },
): (question: Question) => void {
  let said = false;
  const complain = (how: string) => {
    if (!said) o.say(`The notify command ${how}: ${command}`);
    said = true;
  };
  return (question) => {
    const child = spawn("sh", ["-c", command], {
      cwd: o.cwd,
      env: {
        ...o.secrets.environment(),
        FRACTAL_QUESTION: question.id,
        FRACTAL_TASK: question.about ?? "",
        FRACTAL_TITLE: harmless(o.secrets.scrub(question.title)),
        FRACTAL_WHY: harmless(o.secrets.scrub(question.why)),
      },
      stdio: "ignore",
      detached: true,
    });
    child.on("error", (error) => complain(`cannot run (${error.message})`));
    child.on("exit", (code, signal) => {
      if (code !== 0) complain(`failed (${signal ?? `exit ${code}`})`);
    });
    child.unref();
  };
}
