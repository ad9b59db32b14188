/** What a person does with `bd`, while a run goes on and between its processes, is followed. */
import { expect, it } from "vitest";
import { aMailbox, type Letter } from "./mailbox.ts";
import {
  ACCEPTED,
  ASKS,
  aTree,
  code,
  happened,
  idsOf,
  isDrift,
  isEnd,
  isQuestion,
  leafPlan,
  questionsAbout,
} from "./people.ts";
import { aRig, until } from "./rig.ts";

it("is followed while the run goes on", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const names = ["closed", "talked", "edited", "asks", "dropped", "waits"];
  const { spec, plan } = aTree(names, { waits: ["dropped"] });
  const held = new Set(["closed", "talked", "edited", "dropped"]);
  const answer = ({ role, task, attempt, text }: Letter) => {
    if (role === "reviewer") return ACCEPTED;
    if (role === "planner") return leafPlan(text.includes("extra") ? "extra.mjs" : "label.mjs");
    if (held.has(task) && attempt === 1) return undefined;
    if (task === "asks" && attempt === 1) return ASKS;
    if (names.includes(task)) return code(task, "1");
    return code(text.includes("extra.mjs") ? "extra" : "label", "1");
  };
  const file = rig.plan(spec, { root: plan });
  const run = rig.start(["run", file, "-j", "8", "--model", mail.model]);
  mail.serve(answer, run);
  const first = Object.fromEntries(
    await Promise.all(
      [...held].map(async (task) => [task, await mail.letter("worker", task, 1)] as const),
    ),
  ) as Record<string, Letter>;
  const id = idsOf(rig, names);

  // A command that finds the lock taken leaves it to the controller.
  const cancelled = await rig.fractal(["cancel", id["dropped"] ?? "", "-y", "not", "wanted"], {
    env: { USER: "erin" },
  });
  expect(cancelled.exitCode, cancelled.all).toBe(0);
  await happened(rig, "the question about it", (event) => isQuestion(event, id["asks"]));
  const asked = `${id["asks"]}.q1`;
  await until("the question in Beads", () => rig.bd("list", "--limit", "0").includes(asked));
  const answered = await rig.fractal(["answer", asked, "left,", "says", "the", "tulip"]);
  expect(answered.exitCode, answered.all).toBe(0);

  rig.bd("--actor", "carol", "comments", "add", id["closed"] ?? "", "fine as it is");
  rig.bd("--actor", "carol", "close", id["closed"] ?? "", "--force");
  rig.bd("--actor", "dan", "comments", "add", id["talked"] ?? "", "mind the daffodil");
  rig.bd(
    "update",
    id["edited"] ?? "",
    "--title",
    "The renamed",
    "--description",
    "Think of a rose.",
  );
  rig.bd(
    "create",
    "An extra",
    "--description",
    "Write extra.mjs.",
    "--parent",
    `fr-${rig.runs()[0]}`,
  );
  rig.bd("create", "A labelled one", "--description", "Write label.mjs.", "--labels", "fractal");

  await happened(rig, "the closing", (event) => isEnd(event, "task.accepted", id["closed"]));
  await happened(rig, "the comment", (event) => isDrift(event, "commented", id["talked"]));
  await happened(rig, "the edit", (event) => isDrift(event, "edited", id["edited"]));
  await happened(rig, "the cancelling", (event) => isEnd(event, "task.cancelled", id["dropped"]));
  const moot = await happened(rig, "its question", (event) => isQuestion(event, id["waits"]));
  const about = `${id["waits"]}.q1`;
  expect(moot).toMatchObject({ question: about });
  await until("that question in Beads", () => rig.bd("list", "--limit", "0").includes(about));
  rig.bd("human", "respond", about, "--response", "go on without it");

  // What a fenced worker hands in after all changes nothing; the others fail once.
  mail.reply(first["closed"] as Letter, code("closed", "1"));
  mail.reply(first["dropped"] as Letter, code("dropped", "1"));
  mail.reply(first["talked"] as Letter, code("talked", "2"));
  mail.reply(first["edited"] as Letter, code("edited", "2"));
  const { exitCode, all } = await run;

  expect(exitCode, String(all)).toBe(0);
  const head = rig.git("ls-tree", "-r", "--name-only", `fractal/${rig.runs()[0]}/main`);
  expect(head).toContain("extra.mjs");
  expect(head).toContain("label.mjs");
  const merged = rig.git(
    "log",
    "--format=%(trailers:key=Fractal-Task,valueonly)",
    `fractal/${rig.runs()[0]}/main`,
  );
  expect(merged).not.toContain(`${id["closed"]} `);
  expect(merged).not.toContain(`${id["dropped"]} `);
  expect((await mail.letter("worker", "talked", 2)).text).toContain("mind the daffodil");
  const renamed = (await mail.letter("worker", "edited", 2)).text;
  expect(renamed).toContain("The renamed");
  expect(renamed).toContain("Think of a rose.");
  expect((await mail.letter("worker", "asks", 2)).text).toContain("left, says the tulip");
  const tree = (await rig.fractal(["tree"])).stdout;
  // Beads does not say who closed it: only a comment of hers that is seen in the same look does.
  expect(tree).toMatch(/accepted .*closed.*by (?:carol|a person)/);
  expect(tree).toMatch(/cancelled .*dropped/);
  expect(questionsAbout(rig, id["waits"])).toHaveLength(1);
  const issues = JSON.parse(rig.bd("list", "--all", "--limit", "0", "--json")) as {
    id: string;
    status: string;
  }[];
  const open = issues.filter(({ status }) => status !== "closed").map((one) => one.id);
  expect(open).toEqual([id["dropped"]]);
});

it("is followed between the processes of a run", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const names = ["asks", "again", "silent", "later", "taken", "gone", "orphan"];
  const { spec, plan } = aTree(names, {
    later: ["asks"],
    taken: ["asks"],
    gone: ["asks"],
    orphan: ["gone"],
  });
  const answer = ({ role, task, attempt }: Letter) => {
    if (role === "reviewer") return ACCEPTED;
    if (task === "asks" && attempt === 1) return ASKS;
    // A later attempt at what is done must change something.
    return code(task, attempt === 1 ? "1" : `1 /* at attempt ${attempt} */`);
  };
  const go = async (...args: string[]) => {
    const run = rig.start([...args, "--model", mail.model]);
    mail.serve(answer, run);
    const { exitCode, all } = await run;
    return { exitCode, all: String(all) };
  };

  const first = await go("run", rig.plan(spec, { root: plan }));
  expect(first.exitCode, first.all).toBe(3);
  const id = idsOf(rig, names);
  rig.bd("human", "respond", `${id["asks"]}.q1`, "--response", "right");
  rig.bd("--actor", "dan", "comments", "add", id["again"] ?? "", "with more crocus, please");
  rig.bd("reopen", id["again"] ?? "", id["silent"] ?? "");
  rig.bd("defer", id["later"] ?? "");
  rig.bd("update", id["taken"] ?? "", "--assignee", "alice");
  rig.bd("delete", id["gone"] ?? "", "--force");

  const second = await go("resume");

  expect(second.exitCode, second.all).toBe(3);
  expect((await mail.letter("worker", "again", 2)).text).toContain("with more crocus, please");
  expect(rig.onBranch("again.mjs")).toContain("at attempt 2");
  expect(questionsAbout(rig, id["again"])).toEqual([]);
  expect(questionsAbout(rig, id["silent"])).toHaveLength(1);
  expect(questionsAbout(rig, id["orphan"])).toHaveLength(1);
  const tasks = mail.letters().map((letter) => letter.task);
  for (const task of ["later", "taken", "gone", "orphan"]) expect(tasks).not.toContain(task);
  const tree = (await rig.fractal(["tree"])).stdout;
  expect(tree).toMatch(/paused .*later/);
  expect(tree).toMatch(/taken.*alice/);
  expect(tree).toMatch(/cancelled .*gone/);
  const assignees = rig.bd("show", id["taken"] ?? "", "--json");
  expect(assignees).toContain('"alice"');

  rig.bd("undefer", id["later"] ?? "");
  rig.bd("update", id["taken"] ?? "", "--assignee", "");
  const say = (name: string, words: string) =>
    rig.fractal(["answer", `${id[name]}.q1`, ...words.split(" ")]);
  expect((await say("silent", "it needs a snowdrop")).exitCode).toBe(0);
  expect((await say("orphan", "go on without it")).exitCode).toBe(0);
  const third = await go("resume");

  expect(third.exitCode, third.all).toBe(0);
  expect((await mail.letter("worker", "silent", 2)).text).toContain("it needs a snowdrop");
  for (const name of ["later", "taken", "orphan"]) {
    expect(rig.onBranch(`${name}.mjs`)).toContain("return 1");
  }
  expect(rig.onBranch("gone.mjs")).not.toContain("return 1");
});
