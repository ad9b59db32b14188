/** A person edits the text of a task with `bd`: what follows depends on where the task stands. */
import { expect, it } from "vitest";
import { aMailbox, type Letter } from "./mailbox.ts";
import { ACCEPTED, ASKS, aTree, code, happened, idsOf, isDrift, isQuestion } from "./people.ts";
import { aRig, until } from "./rig.ts";

it("restarts what runs, answers what waits, and of what is done asks once", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const names = ["runs", "asks", "ready"];
  const { spec, plan } = aTree(names, {});
  let mayEnd = false;
  const answer = ({ role, task, attempt }: Letter) => {
    if (role === "reviewer") return ACCEPTED;
    if (task === "runs" && !mayEnd) return undefined;
    if (task === "asks" && attempt === 1) return ASKS;
    return code(task, attempt === 1 ? "1" : `1 /* attempt ${attempt} */`);
  };
  const run = rig.start(["run", rig.plan(spec, { root: plan }), "-j", "4", "--model", mail.model]);
  mail.serve(answer, run);
  const stale = await mail.letter("worker", "runs", 1);
  const id = idsOf(rig, names);
  await happened(
    rig,
    "a done task",
    (e) => e.event_type === "task.done" && e.task_id === id["ready"],
  );
  const isShown = (status: string, issue: string | undefined) =>
    rig.bd("list", "--all", "--status", status, "--limit", "0").includes(`${issue}`);
  await until("it closed in Beads", () => isShown("closed", id["ready"]));
  await until("the question in Beads", () => isShown("open", `${id["asks"]}.q1`));
  await until("the running one in Beads", () => isShown("in_progress", id["runs"]));

  rig.bd("update", id["runs"] ?? "", "--description", "Write runs.mjs with an iris.");
  rig.bd("update", id["asks"] ?? "", "--acceptance", "- it returns 1, the left way, by the lily");
  rig.bd("update", id["ready"] ?? "", "--title", "The ready one, with a peony");

  const again = await mail.letter("worker", "runs", 2);
  expect(again.text).toContain("with an iris");
  expect((await mail.letter("worker", "asks", 2)).text).toContain("by the lily");
  await happened(rig, "the question", (event) => isQuestion(event, id["ready"]));
  const doubt = `${id["ready"]}.q1`;
  await until("that question in Beads", () => isShown("open", doubt));
  // Once more: it is the same question.
  rig.bd("update", id["ready"] ?? "", "--title", "The ready one, with a rose");
  await happened(
    rig,
    "the second edit",
    (e) => e.event_type === "task.edited" && e.title?.includes("rose") === true,
  );
  rig.bd("human", "respond", doubt, "--response", "do it again with the new text");
  expect((await mail.letter("worker", "ready", 2)).text).toContain("with a rose");
  // What the fenced attempt hands in after all changes nothing.
  mail.reply(stale, code("runs", "1 /* stale */"));
  mayEnd = true;
  const { exitCode, all } = await run;

  expect(exitCode, String(all)).toBe(0);
  expect(rig.onBranch("runs.mjs")).toContain("attempt 2");
  expect(rig.onBranch("ready.mjs")).toContain("attempt 2");
  const events = rig.events();
  const edits = (task: string) => events.filter((event) => isDrift(event, "edited", id[task]));
  expect(["runs", "asks", "ready"].map((task) => edits(task).length)).toEqual([1, 1, 2]);
  const fenced = events.find(
    (event) => event.event_type === "attempt.ended" && event.task_id === id["runs"],
  );
  expect(fenced).toMatchObject({ attempt: 1, outcome: "cancelled" });
  const questions = events.flatMap((e) => (e.event_type === "question.opened" ? [e.question] : []));
  expect(questions.sort()).toEqual([`${id["asks"]}.q1`, doubt].sort());
  const said = rig.bd("comments", `${id["asks"]}.q1`);
  expect(said).toContain("Response: the task itself says it now: its acceptance was edited");
  const open = rig.bd("list", "--limit", "0", "--json");
  expect(JSON.parse(open)).toEqual([]);
});
