/** What happens to `.beads` itself: gone, another one, written over again and again, away for a while. */
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BD } from "../support/bd.ts";
import { aMailbox, type Letter } from "./mailbox.ts";
import { ACCEPTED, ASKS, aTree, code, happened, idsOf, isEnd } from "./people.ts";
import { aRig, type Rig, until } from "./rig.ts";

const answersAll = ({ role, task }: Letter) => (role === "reviewer" ? ACCEPTED : code(task, "1"));
const inProgress = (rig: Rig, id: string | undefined) =>
  rig.bd("list", "--status", "in_progress", "--limit", "0").includes(`${id}`);

it("that is taken away, or replaced, ends the run with exit 6 and loses nothing", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const names = ["a", "b"];
  const { spec, plan } = aTree(names, { b: ["a"] });
  const beads = join(rig.dir, ".beads");
  const away = join(rig.dir, "..", "away");
  const run = rig.start(["run", rig.plan(spec, { root: plan }), "--model", mail.model]);
  const letter = await mail.letter("worker", "a", 1);
  const id = idsOf(rig, names);
  await until("it in Beads", () => inProgress(rig, id["a"]));

  renameSync(beads, away);
  mail.reply(letter, code("a", "1"));
  const { exitCode, all } = await run;
  expect(exitCode, String(all)).toBe(6);
  expect(all).toContain(".beads is gone");
  expect(existsSync(beads)).toBe(false);

  // Nor at the start of the next process, or by a person's command.
  const refused = await rig.fractal(["resume", "--model", mail.model]);
  expect(refused.exitCode, refused.all).toBe(6);
  expect(refused.all).toContain("fractal run SPEC --new");
  expect((await rig.fractal(["cancel", id["b"] ?? "", "-y"])).exitCode).toBe(6);
  expect(existsSync(beads)).toBe(false);

  // Another database in its place is not this run's.
  rig.bd(
    "init",
    "--non-interactive",
    "-q",
    "-p",
    "fr",
    "--skip-agents",
    "--skip-hooks",
    "--stealth",
  );
  const other = await rig.fractal(["resume", "--model", mail.model]);
  expect(other.exitCode, other.all).toBe(6);
  expect(other.all).toContain("none of the tasks of run");
  expect(JSON.parse(rig.bd("list", "--all", "--limit", "0", "--json"))).toEqual([]);
  expect(rig.events().some((e) => e.event_type === "task.cancelled")).toBe(false);

  rmSync(beads, { recursive: true });
  renameSync(away, beads);
  const again = rig.start(["resume", "--model", mail.model]);
  mail.serve(answersAll, again);
  const ended = await again;
  expect(ended.exitCode, String(ended.all)).toBe(0);
  // What was merged while .beads was away was not done twice.
  expect(mail.letters().filter(({ task }) => task === "a")).toHaveLength(1);
  expect(rig.events().filter((e) => isEnd(e, "task.done", id["a"]))).toHaveLength(1);
});

it("that something keeps writing over is not fought for: a question, once", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const { spec, plan } = aTree(["a", "b"], { b: ["a"] });
  const run = rig.start(["run", rig.plan(spec, { root: plan }), "--model", mail.model]);
  const letter = await mail.letter("worker", "a", 1);
  const id = idsOf(rig, ["a", "b"])["a"] ?? "";
  const drifts = () =>
    rig.events().filter((e) => e.event_type === "drift.seen" && e.kind === "overwritten");
  // Whoever does it does it at once, whenever fractal has written.
  while (drifts().length < 3) {
    await until("what fractal writes", () => drifts().length >= 3 || inProgress(rig, id));
    rig.bd("update", id, "--status", "open", "--assignee", "", "--force");
  }
  mail.reply(letter, code("a", "2"));
  const isAsked = (e: { event_type: string }) => e.event_type === "question.opened";
  const asked = await happened(rig, "the question", isAsked);
  expect(asked).toMatchObject({ kind: "drift", task_id: id });
  const question = `${id}.q1`;
  await until("it in Beads", () => rig.bd("list", "--limit", "0").includes(question));
  const { exitCode } = await run;
  expect(exitCode).toBe(3);
  expect(inProgress(rig, id)).toBe(false);

  rig.bd("human", "respond", question, "--response", "write it again");
  const second = rig.start(["resume", "--model", mail.model]);
  mail.serve(answersAll, second);
  const ended = await second;
  expect(ended.exitCode, String(ended.all)).toBe(0);
  expect(rig.events().filter(isAsked)).toHaveLength(1);
  expect(JSON.parse(rig.bd("list", "--limit", "0", "--json"))).toEqual([]);
});

it("that takes no comment while a person answers gets it later, once", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const { spec, plan } = aTree(["a", "b"], { b: ["a"] });
  // A bd that cannot comment while the file is there.
  const broken = join(rig.dir, "..", "broken");
  const bd = join(rig.dir, "..", "bd");
  writeFileSync(
    bd,
    `#!/bin/sh\nif [ "$1" = comments ] && [ -e '${broken}' ]; then echo "Error: busy" >&2; exit 1; fi\nexec '${BD}' "$@"\n`,
  );
  chmodSync(bd, 0o755);
  const env = { FRACTAL_BD: bd };
  const answer = (letter: Letter) =>
    letter.task === "a" && letter.attempt === 1 && letter.role === "worker"
      ? ASKS
      : answersAll(letter);
  const run = rig.start(["run", rig.plan(spec, { root: plan }), "--model", mail.model], { env });
  mail.serve(answer, run);
  expect((await run).exitCode).toBe(3);
  const question = `${idsOf(rig, ["a", "b"])["a"]}.q1`;

  writeFileSync(broken, "");
  const answered = await rig.fractal(["answer", question, "left,", "by", "the", "fern"], { env });
  expect(answered.exitCode, answered.all).toBe(0);
  expect(rig.bd("comments", question)).not.toContain("fern");
  rmSync(broken);
  const second = rig.start(["resume", "--model", mail.model], { env });
  mail.serve(answer, second);
  const ended = await second;

  expect(ended.exitCode, String(ended.all)).toBe(0);
  expect(rig.bd("comments", question).match(/Response: left, by the fern/g)).toHaveLength(1);
  expect((await mail.letter("worker", "a", 2)).text).toContain("left, by the fern");
});
