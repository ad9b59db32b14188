/** The index of a real run: asked while it goes on, deleted again and again, and right at the end. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { aRig, until } from "./rig.ts";

const SPEC = readFileSync(join(import.meta.dirname, "..", "..", "spec.md"), "utf8");
const EVERYTHING = ["events", "model_calls", "attempts", "checks", "desired_state", "actual_state"];

it("is right for whoever asks while the run goes on and somebody deletes it, and alike afterwards", async () => {
  using rig = aRig({ "README.md": "# Mine\n" });
  rig.write({ "spec.md": SPEC });
  const file = join(rig.dir, ".fractal", "index.db");
  const run = rig.start(["run", "spec.md", "-j", "2"]);
  let isOver = false;
  const ended = run.finally(() => {
    isOver = true;
  });
  await until("the run's first lines", async () => {
    const { stdout } = await rig.fractal(["query", "SELECT seq FROM events WHERE seq = 3"]);
    return stdout.trim() === "3";
  });
  let asked = 0;
  let most = 0;
  while (!isOver) {
    const [query, status] = await Promise.all([
      rig.fractal(["query", "SELECT count(*), max(seq) FROM events", "--json"]),
      rig.fractal(["status", "--json"]),
    ]);
    expect([query.exitCode, status.exitCode], query.all + status.all).toEqual([0, 0]);
    const [row] = JSON.parse(query.stdout).data.rows as Record<string, number>[];
    const [count = 0, last = 0] = Object.values(row ?? {});
    // Whole: every line up to the last, and never fewer than were there before.
    expect(count).toBe(last + 1);
    expect(count).toBeGreaterThanOrEqual(most);
    most = count;
    expect(JSON.parse(status.stdout).data.tasks).toBeGreaterThan(0);
    if (asked % 2 === 0) rmSync(file, { force: true });
    asked += 1;
  }
  expect((await ended).exitCode, String((await ended).all)).toBe(0);
  expect(asked).toBeGreaterThan(2);

  const all = async () => {
    const answers = await Promise.all(
      EVERYTHING.map((table) => rig.fractal(["query", `SELECT * FROM ${table}`, "--json"])),
    );
    return answers.map((answer) => answer.stdout);
  };
  const caughtUp = await all();
  rmSync(join(rig.dir, ".fractal"), { recursive: true });
  expect(await all()).toEqual(caughtUp);
  const sum = JSON.parse((await rig.fractal(["status", "--json"])).stdout).data;
  expect(sum).toMatchObject({ live: false, as_wanted: sum.tasks, by_status: { done: sum.tasks } });
  const calls = rig.events().filter((event) => event.event_type === "call.started").length;
  const { stdout } = await rig.fractal(["query", "SELECT count(*) FROM model_calls WHERE ended"]);
  expect(stdout.trim()).toBe(String(calls));
  expect(rig.git("status", "--porcelain").split("\n")).toEqual(["?? spec.md"]);
}, 300_000);
