/** A person changes the tree with `bd`: children, deletions, edges, a split task closed or reopened. */
import { expect, it } from "vitest";
import type { RunEvent } from "../../src/domain/event.ts";
import { aMailbox, type Letter } from "./mailbox.ts";
import {
  ACCEPTED,
  aTree,
  code,
  happened,
  idsOf,
  inBeads,
  isDrift,
  isEnd,
  isQuestion,
  leafPlan,
  questionsAbout,
} from "./people.ts";
import { aRig, until } from "./rig.ts";

it("is followed: a child of a leaf, a restored deletion, a circle of edges", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const names = ["first", "leafy", "gone", "needs", "one"];
  const { spec, plan } = aTree(names, {
    gone: ["first"],
    needs: ["gone"],
    one: ["first"],
  });
  let mayGo = false;
  const answer = ({ role, task }: Letter) => {
    if (role === "reviewer") return ACCEPTED;
    if (role === "planner") return mayGo ? leafPlan("leafy.mjs") : undefined;
    if (task === "first" && !mayGo) return undefined;
    if (task === "leafy") return undefined;
    if (task.startsWith("gone")) return code("gone", "1");
    return names.includes(task) ? code(task, "1") : code("leafy", "1");
  };
  const run = rig.start(["run", rig.plan(spec, { root: plan }), "-j", "6", "--model", mail.model]);
  mail.serve(answer, run);
  await mail.letter("worker", "first", 1);
  await mail.letter("worker", "leafy", 1);
  const id = idsOf(rig, names);
  const root = `fr-${rig.runs()[0]}`;
  const isOpenInBeads = (issue: string) => rig.bd("list", "--limit", "0").includes(issue);

  await inBeads(rig, Object.values(id));
  rig.bd(
    "create",
    "A part of it",
    "--description",
    "Write leafy.mjs.",
    "--parent",
    id["leafy"] ?? "",
  );
  rig.bd("delete", id["gone"] ?? "", "--force");
  // `bd` refuses edges straight back; it lets a child wait for what waits for its parent.
  const part = `${id["leafy"]}.1`;
  rig.bd("dep", "add", id["one"] ?? "", id["leafy"] ?? "");
  rig.bd("dep", "add", part, id["one"] ?? "");

  const isCircle = (e: RunEvent) => e.event_type === "question.opened" && e.kind === "cycle";
  const circle = (await happened(rig, "the question about the circle", isCircle)) as RunEvent & {
    question: string;
    title: string;
  };
  expect(circle.title).toContain(id["one"]);
  expect(circle.title).toContain(part);
  await happened(rig, "the question about the loss", (e) => isQuestion(e, id["needs"]));
  const loss = `${id["needs"]}.q1`;
  await until(
    "the questions in Beads",
    () => isOpenInBeads(circle.question) && isOpenInBeads(loss),
  );
  mayGo = true;
  await happened(rig, "the first one done", (e) => isEnd(e, "task.done", id["first"]));
  // A new id: the deleted one is not made again.
  rig.bd("human", "respond", loss, "--response", "restore it");
  const restored = `${root}.s1`;
  await happened(rig, "the restored one done", (e) => isEnd(e, "task.done", restored));
  expect(rig.events().some((e) => isEnd(e, "task.done", id["one"]))).toBe(false);
  rig.bd("dep", "remove", part, id["one"] ?? "");
  await happened(
    rig,
    "the circle open",
    (e) => e.event_type === "question.closed" && e.question === circle.question,
  );
  const { exitCode, all } = await run;

  expect(exitCode, String(all)).toBe(0);
  for (const name of ["gone", "needs", "one", "leafy"]) {
    expect(rig.onBranch(`${name}.mjs`)).toContain("return 1");
  }
  const events = rig.events();
  const drifts = (task: string) =>
    events.flatMap((e) => (e.event_type === "drift.seen" && e.task_id === task ? [e.kind] : []));
  expect(drifts(id["gone"] ?? "")).toEqual(["deleted"]);
  expect(drifts(id["needs"] ?? "")).toEqual([]);
  expect(questionsAbout(rig, id["needs"])).toHaveLength(1);
  expect(events.filter(isCircle)).toHaveLength(1);
  // An edge may be there already when its task is first seen.
  expect(drifts(part).filter((kind) => kind !== "edges")).toEqual(["added"]);
  expect(drifts(id["one"] ?? "")).toEqual(["edges"]);
  expect(all).not.toContain("not possible");
  const shown = JSON.parse(rig.bd("list", "--all", "--limit", "0", "--json")) as {
    id: string;
    status: string;
  }[];
  expect(shown.map((one) => one.id)).not.toContain(id["gone"]);
  expect(shown.filter((one) => one.status !== "closed")).toEqual([]);
  // The leaf that got a child is done with that child, not with its own result.
  const merged = rig.git(
    "log",
    "--format=%(trailers:key=Fractal-Task,valueonly)",
    `fractal/${rig.runs()[0]}/main`,
  );
  expect(merged).not.toContain(`${id["leafy"]} `);
  expect(merged).toContain(`${id["leafy"]}.1 `);
});

it("is followed: a split task closed with work under way below it, and one reopened", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const names = ["closed", "again"];
  const { spec, plan } = aTree(names, {});
  const answer = ({ role, task }: Letter) => {
    if (role === "reviewer") return ACCEPTED;
    if (role === "planner") return leafPlan(task.startsWith("closed") ? "x.mjs" : "again.mjs");
    if (task.startsWith("closed") || task === "again") return undefined;
    return code("again", "1");
  };
  const first = rig.start([
    "run",
    rig.plan(spec, { root: plan }),
    "-j",
    "4",
    "--model",
    mail.model,
  ]);
  mail.serve(answer, first);
  await mail.letter("worker", "closed", 1);
  await mail.letter("worker", "again", 1);
  const id = idsOf(rig, names);
  await inBeads(rig, Object.values(id));
  for (const name of names) {
    rig.bd("create", "A part", "--description", "Write it.", "--parent", id[name] ?? "");
  }
  await happened(
    rig,
    "work below",
    (e) =>
      e.event_type === "lease.taken" && e.role === "worker" && e.task_id === `${id["closed"]}.1`,
  );

  rig.bd("--actor", "carol", "close", id["closed"] ?? "", "--force");

  const { exitCode, all } = await first;
  expect(exitCode, String(all)).toBe(0);
  const events = rig.events();
  expect(events.some((e) => isEnd(e, "task.accepted", id["closed"]))).toBe(true);
  expect(events.some((e) => isEnd(e, "task.cancelled", `${id["closed"]}.1`))).toBe(true);
  expect(events.filter((e) => isDrift(e, "closed", id["closed"]))).toHaveLength(1);
  const cut = events.find(
    (e) =>
      isEnd(e, "attempt.ended", `${id["closed"]}.1`) &&
      e.event_type === "attempt.ended" &&
      e.role === "worker",
  );
  expect(cut).toMatchObject({ outcome: "cancelled" });

  // A split task that is reopened stays split: only its roll-up is done again.
  rig.bd("reopen", id["again"] ?? "");
  const letters = mail.letters().length;
  const second = await rig.fractal(["resume", "--model", mail.model]);
  expect(second.exitCode, second.all).toBe(0);
  expect(mail.letters()).toHaveLength(letters);
  const rollUps = rig.events().filter((e) => isEnd(e, "task.rolled_up", id["again"]));
  expect(rollUps).toHaveLength(2);
  expect(rig.events().filter((e) => isDrift(e, "reopened", id["again"]))).toHaveLength(1);
});
