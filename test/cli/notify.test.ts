/** The person's own command on a new question. */
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { notifier } from "../../src/cli/notify.ts";
import { anEvent } from "../support/builders.ts";

const opened = anEvent(
  {
    event_type: "question.opened",
    question: "fr-k.a1.q1",
    kind: "asks",
    title: "Which $(touch hacked)\u0000 one?",
    why: "",
    options: [],
    tried: "",
    blocks: [],
  },
  { taskId: "fr-k.a1" },
);

it("runs on a question and on nothing else, and takes no word of it for a command", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "fractal-notify-"));
  const command = 'echo "$FRACTAL_QUESTION $FRACTAL_TASK $FRACTAL_TITLE" >> part && mv part told';
  const notify = notifier(command, { cwd, env: process.env });
  notify(anEvent({ event_type: "task.failed", reason: "x" }, { taskId: "fr-k.a1" }));
  notify(opened);
  await vi.waitUntil(() => existsSync(join(cwd, "told")), { timeout: 10_000 });
  expect(readFileSync(join(cwd, "told"), "utf8")).toBe(
    "fr-k.a1.q1 fr-k.a1 Which $(touch hacked) one?\n",
  );
  expect(existsSync(join(cwd, "hacked"))).toBe(false);
});

it("minds no command that cannot run", () => {
  const notify = notifier("exit 1", { cwd: "/nonexistent", env: {} });
  expect(() => notify(opened)).not.toThrow();
});
