/** A run kept up with --keep, and held back and explained from a second terminal. */
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import type { ResultPromise } from "execa";
import { expect, it } from "vitest";
import type { RunEvent } from "../../src/domain/event.ts";
import { BD } from "../support/bd.ts";
import { aMailbox, type Letter } from "./mailbox.ts";
import { ACCEPTED, ASKS, aTree, code, isEnd, leafPlan } from "./people.ts";
import { TINY_MATH, TINY_MATH_ANSWERS, TINY_MATH_PLAN } from "./plans.ts";
import { aRig, PROGRAM, type Rig, until } from "./rig.ts";

/** A machine with other work may be slow: what never comes is still found out. */
const PATIENCE_MS = 300_000;

/** Waits for what a run does, as long as it is at work. */
function watch(rig: Rig, run: ResultPromise) {
  const over = run.then(({ exitCode, all }): never => {
    throw new Error(`it ended with ${exitCode}\n${all}`);
  });
  over.catch(() => undefined);
  const eventually = <T>(what: string, look: () => T | undefined | false): Promise<T> =>
    Promise.race([until(what, look, PATIENCE_MS), over]);
  const happened = (what: string, test: (event: RunEvent) => boolean) =>
    eventually(what, () => {
      try {
        return rig.events().find(test);
      } catch {
        // The last line may be half written.
        return undefined;
      }
    });
  return { eventually, happened };
}

const isEndOf = (type: RunEvent["event_type"], id: string) => (event: RunEvent) =>
  isEnd(event, type, id);
const isRest = (event: RunEvent) =>
  event.event_type === "pass.decided" && event.reason.includes("paused or taken; stays up");
const why = async (rig: Rig, id: string) => (await rig.fractal(["why", id])).stdout;

it("is explained, held back and let go from a second terminal while it goes on", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const names = ["first", "second", "third", "asks", "mine"];
  const { spec, plan } = aTree(names, { second: ["first"] });
  const free = new Set<string>();
  const answer = ({ role, task, attempt }: Letter) => {
    if (role === "reviewer") return ACCEPTED;
    if (!free.has(task)) return undefined;
    return task === "asks" && attempt === 1 ? ASKS : code(task, "1");
  };
  const file = rig.plan(spec, { root: plan });
  const run = rig.start(["run", file, "-j", "1", "--keep", "--model", mail.model]);
  mail.serve(answer, run);
  const { eventually, happened } = watch(rig, run);
  await mail.letter("worker", "first", 1);

  // The longest path has the one slot; the rest waits for it, or for its turn.
  expect(await why(rig, "a1")).toMatch(/\(The first\) is under way: the worker is at attempt 1/);
  expect(await why(rig, "a2")).toMatch(/waits for fr-\w+\.a1; fr-\w+\.a1 is under way/);
  expect(await why(rig, "a4")).toMatch(
    /may start now: .* when the one slot is free, and 1 task goes before it, fr-\w+\.a3 first/,
  );
  const root = `fr-${rig.runs()[0]}`;
  expect(await why(rig, root)).toContain("is split, and 5 of its 5 parts are still to be settled");
  const unknown = await rig.fractal(["why", "a7"]);
  expect([unknown.exitCode, unknown.stderr.includes("did you mean")]).toEqual([2, true]);

  // Taken with bd, and paused although it is under way: its attempt is let go.
  rig.bd("update", `${root}.a5`, "--assignee", "bob");
  await happened("that it is taken", isEndOf("task.taken", `${root}.a5`));
  expect(await why(rig, "a5")).toContain("is taken by bob");
  const paused = await rig.fractal(["pause", "a1"], { env: { USER: "erin" } });
  expect(paused.stdout, paused.all).toContain("Asked the run that is going on to pause");
  await happened("the pause", isEndOf("task.paused", `${root}.a1`));
  await happened("its end", isEndOf("lease.released", `${root}.a1`));
  expect(await why(rig, "a2")).toContain(`waits for ${root}.a1; ${root}.a1 is paused by erin`);
  expect((await rig.fractal(["tree"])).stdout).toMatch(/paused .*The first/);
  await mail.letter("worker", "third", 1);

  // The whole run is held, and let go: all by way of Beads, for the lock is not free.
  expect((await rig.fractal(["pause", root])).exitCode).toBe(0);
  await happened("the pause of all", isEndOf("task.paused", root));
  await happened("the end of third", isEndOf("lease.released", `${root}.a3`));
  await happened("that it stays up", isRest);
  expect((await rig.fractal(["unpause", root])).stdout).toContain("Asked the run");
  await happened("that it goes on", isEndOf("task.unpaused", root));
  await mail.letter("worker", "third", 2);
  await eventually("the root in Beads", () => status(rig, root) === "in_progress");
  expect((await rig.fractal(["pause", root])).exitCode).toBe(0);
  await eventually("the second pause", () => status(rig, root) === "deferred");
  run.kill("SIGINT");
  const stopped = await run;
  expect(stopped.exitCode, String(stopped.all)).toBe(130);
  const held = await rig.fractal(["resume", "--model", mail.model]);
  expect(held.exitCode, held.all).toBe(3);
  expect(await why(rig, "a4")).toContain(`is held, for ${root} above it is paused`);

  // Nobody at work: the journal is written at once.
  const freed = await rig.fractal(["unpause", root]);
  expect(freed.stdout, freed.all).toContain(`Let go on: ${root}`);
  expect((await rig.fractal(["unpause", "a1"])).exitCode).toBe(0);
  const twice = await rig.fractal(["unpause", "a1"]);
  expect(twice.exitCode, twice.all).toBe(2);
  expect(await why(rig, "a1")).toContain("no run is at work");
  expect(JSON.parse(rig.bd("show", `${root}.a1`, "--json"))[0].status).toBe("open");
  rig.bd("update", `${root}.a5`, "--assignee", "");
  for (const name of names) free.add(name);
  const again = rig.start(["resume", "--model", mail.model]);
  mail.serve(answer, again);
  const asking = await again;
  expect(asking.exitCode, String(asking.all)).toBe(3);
  expect(await why(rig, "a4")).toContain(`waits for a person: ${root}.a4.q1 asks "Which way?"`);
  expect(await why(rig, root)).toContain(`${root}.a4 waits for a person`);
  expect((await rig.fractal(["answer", "a4", "left"])).exitCode).toBe(0);
  const last = rig.start(["resume", "--model", mail.model]);
  mail.serve(answer, last);
  expect((await last).exitCode).toBe(0);
  expect(await why(rig, "a2")).toContain("is done, merged as");
}, 900_000);

it("stays up with --keep, picks up what a person adds, and ends in order with Ctrl-C", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const names = ["one", "two"];
  const { spec, plan } = aTree(names, {});
  const answer = ({ role, task, text }: Letter) => {
    if (role === "reviewer") return ACCEPTED;
    if (names.includes(task)) return code(task, "1");
    // The newest first: its letter may speak of those before it.
    const name = ["late", "orphan", "child"].find((one) => text.includes(`${one}.mjs`)) ?? "";
    return role === "planner" ? leafPlan(`${name}.mjs`) : code(name, "1");
  };
  const file = rig.plan(spec, { root: plan });
  const run = rig.start(["run", file, "--keep", "--model", mail.model]);
  mail.serve(answer, run);
  const { eventually, happened } = watch(rig, run);
  const isDone = (event: RunEvent) =>
    event.event_type === "pass.decided" && event.reason.startsWith("all done; stays up");
  await happened("that all is done", isDone);
  const root = `fr-${rig.runs()[0]}`;
  await eventually("that Beads shows it", () => status(rig, root) === "closed");

  rig.bd("create", "A child", "--description", "Write child.mjs.", "--parent", root);
  await happened("the child's end", isEndOf("task.done", `${root}.1`));
  await eventually("that the root is done again", () => status(rig, root) === "closed");
  rig.bd("create", "An orphan", "--description", "Write orphan.mjs.", "--labels", "fractal");
  await eventually("its file", () => onBranch(rig, "orphan.mjs"));
  expect(onBranch(rig, "child.mjs")).toBe(true);
  await eventually("that the root is done once more", () => status(rig, root) === "closed");

  run.kill("SIGINT");
  const { exitCode, all } = await run;
  expect(exitCode, String(all)).toBe(130);
  expect(rig.events().at(-1)).toMatchObject({ event_type: "run.stopped", exit_code: 130 });

  // Without --keep a later resume follows what was added meanwhile, and ends.
  rig.bd("create", "A late one", "--description", "Write late.mjs.", "--parent", root);
  const later = rig.start(["resume", "--model", mail.model]);
  mail.serve(answer, later);
  const end = await later;
  expect(end.exitCode, String(end.all)).toBe(0);
  expect(onBranch(rig, "late.mjs")).toBe(true);
}, 900_000);

it("says on a terminal that it stays up, and ends with the key that it names", async () => {
  using rig = aRig();
  const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
  const line = [PROGRAM, "run", plan, "--keep", "--model", rig.script(TINY_MATH_ANSWERS)];
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(rig.dir, "..", "home"),
    FRACTAL_BD: BD,
    TERM: "xterm-256color",
  };
  const pty = spawn(process.execPath, line, { cols: 120, rows: 40, cwd: rig.dir, env });
  let raw = "";
  pty.onData((data) => {
    raw += data;
  });
  const ended = new Promise<{ exitCode: number }>((resolve) => pty.onExit(resolve));
  const said = "all done; stays up for new work (Ctrl-C ends it)";
  await until("what it waits for", () => raw.includes(said), PATIENCE_MS);
  pty.write("\u0003");
  expect((await ended).exitCode, raw).toBe(130);
  expect(raw.lastIndexOf(said)).toBeLessThan(raw.lastIndexOf("branch"));
}, 900_000);

const status = (rig: Rig, id: string) =>
  JSON.parse(rig.bd("show", id, "--json"))[0].status as string;

function onBranch(rig: Rig, path: string): boolean {
  try {
    return rig.onBranch(path) !== "";
  } catch {
    return false;
  }
}
