/** What a run made, with the real program: seen with diff, taken with merge, cleared away with gc. */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { takeLock } from "../../src/adapters/lock.ts";
import {
  ADD_RIGHT,
  ADD_WRONG,
  TINY_MATH,
  TINY_MATH_ANSWERS,
  TINY_MATH_PLAN,
  TWICE_RIGHT,
} from "./plans.ts";
import { aRig, type Rig } from "./rig.ts";

/** A run whose `add` is wrong once, then right; done. */
async function ran(rig: Rig): Promise<string> {
  const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
  const model = rig.script([
    { role: "worker", task: "add", attempt: 1, text: ADD_WRONG },
    { role: "worker", task: "add", attempt: 2, text: ADD_RIGHT },
    { role: "worker", task: "twice", text: TWICE_RIGHT },
  ]);
  const end = await rig.fractal(["run", plan, "--model", model]);
  expect(end.exitCode, end.all).toBe(0);
  const run = rig.runs()[0] ?? "";
  expect(end.all).toContain(`fractal diff ${run}`);
  expect(end.all).toContain(`fractal merge ${run}`);
  return run;
}

const refs = (rig: Rig) =>
  rig
    .git("for-each-ref", "--format=%(refname)", "refs/fractal", "refs/heads/fractal")
    .split("\n")
    .filter(Boolean);

const mergesIn = (rig: Rig) => rig.events().filter((event) => event.event_type === "run.merged");

describe("what a run made", () => {
  it("is seen, taken once, and cleared away when it is asked for, and nothing else is", async () => {
    using rig = aRig({ "README.md": "# Here\n", "lib/README.md": "old\n" });
    const before = rig.git("rev-parse", "HEAD");
    const run = await ran(rig);

    // diff
    const all = await rig.fractal(["diff"]);
    expect(all.exitCode, all.all).toBe(0);
    expect(all.stdout).toContain("+++ b/lib/add.mjs");
    execaSync("git", ["apply", "--check"], { cwd: rig.dir, input: `${all.stdout}\n` });
    const stat = await rig.fractal(["diff", run, "--stat"]);
    expect(stat.stdout).toMatch(/lib\/add\.mjs +\+1 -0 added/);
    const one = await rig.fractal(["diff", "a1"]);
    expect(one.stdout, one.all).toContain("return a + b");
    expect(one.stdout).not.toContain("twice");
    const lost = await rig.fractal(["diff", "a1", "--attempt", "1", "--json"]);
    const [piece] = JSON.parse(lost.stdout).data.pieces;
    expect(piece).toMatchObject({ task: `fr-${run}.a1`, attempt: 1, merged: false });
    expect(piece.patch).toContain("return a - b");
    const shown = await rig.fractal(["show", "a1"]);
    expect(shown.stdout).toContain(`fractal diff fr-${run}.a1 --attempt 1`);
    expect((await rig.fractal(["diff", "a1", "--attempt", "9"])).exitCode).toBe(2);

    // merge
    rig.write({ "README.md": "# Changed\n" });
    const dirty = await rig.fractal(["merge"]);
    expect([dirty.exitCode, dirty.stderr.includes("README.md")]).toEqual([2, true]);
    rig.git("checkout", "--quiet", "README.md");
    rig.git("switch", "--quiet", "--detach");
    expect((await rig.fractal(["merge"])).stderr).toContain("detached");
    rig.git("switch", "--quiet", "main");
    expect(rig.git("rev-parse", "HEAD")).toBe(before);
    const merged = await rig.fractal(["merge"], { env: { USER: "una" } });
    expect(merged.exitCode, merged.all).toBe(0);
    expect(merged.stdout).toContain(`Merged fractal/${run}/main into main`);
    expect(merged.stdout).toContain(`git reset --keep ${before.slice(0, 12)}`);
    expect(rig.git("show", "HEAD:lib/add.mjs")).toContain("a + b");
    const again = await rig.fractal(["merge", "--json"]);
    expect(JSON.parse(again.stdout).data).toMatchObject({ how: "already", undo: null });
    const told = { into: "main", result: "fast-forward", before, actor: "una", task_id: null };
    expect(mergesIn(rig)).toEqual([expect.objectContaining(told)]);
    const tree = JSON.parse((await rig.fractal(["tree", "--json"])).stdout).data;
    expect(tree.merged).toEqual([expect.objectContaining({ into: "main", by: "una" })]);
    expect((await rig.fractal(["fsck", run])).exitCode).toBe(0);
    expect((await rig.fractal(["replay", run])).exitCode).toBe(0);
    expect(rig.git("status", "--porcelain")).toBe("");

    // gc
    const lists = await rig.fractal(["gc", "--dry-run"]);
    expect(lists.exitCode, lists.all).toBe(0);
    expect(lists.stdout).toContain("attempt that was not merged");
    expect(refs(rig)).toContain(`refs/fractal/${run}/fr-${run}.a1.1`);
    const nobody = await rig.fractal(["gc"]);
    expect(nobody.exitCode).toBe(2);
    expect(refs(rig)).toContain(`refs/fractal/${run}/fr-${run}.a1.2`);
    const some = await rig.fractal(["gc", "--yes"]);
    expect(some.exitCode, some.all).toBe(0);
    expect(refs(rig)).toContain(`refs/fractal/${run}/fr-${run}.a1.1`);
    expect(refs(rig)).not.toContain(`refs/fractal/${run}/fr-${run}.a1.2`);
    expect(refs(rig)).toContain(`refs/heads/fractal/${run}/main`);
    const kept = await rig.fractal(["gc", "--yes", "--branches", "--telemetry", "--unmerged"]);
    expect(kept.exitCode, kept.all).toBe(0);
    expect(kept.stdout).toContain("work of attempts that was not merged");
    expect(refs(rig)).toEqual([]);
    expect(existsSync(join(rig.dir, "telemetry", run))).toBe(false);
    expect(readdirSync(join(rig.dir, "telemetry"))).toEqual([]);
    expect(rig.git("show", "HEAD:lib/add.mjs")).toContain("a + b");
    expect((await rig.fractal(["gc", "--yes"])).stderr).toContain("Nothing to remove.");
  });

  it("of a run that is not done is merged only when that is asked for, and not cleared away", async () => {
    using rig = aRig();
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const model = rig.script([
      ...TINY_MATH_ANSWERS.slice(0, 1),
      { role: "worker", task: "twice", text: "```question\nWhich twice?\n- this\n- that\n```" },
    ]);
    const end = await rig.fractal(["run", plan, "--model", model]);
    expect(end.exitCode, end.all).toBe(3);
    const run = rig.runs()[0] ?? "";
    const refused = await rig.fractal(["merge"]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("is not done");
    expect(refused.stderr).toContain(`fractal merge ${run} --anyway`);
    const gc = await rig.fractal(["gc", "--yes", "--branches", "--telemetry", "--unmerged"]);
    expect(gc.stdout).toContain("keeps all it has: it is open");
    expect(refs(rig)).toContain(`refs/heads/fractal/${run}/main`);
    const merged = await rig.fractal(["merge", "--anyway", "--no-ff"]);
    expect(merged.exitCode, merged.all).toBe(0);
    expect(rig.git("log", "-1", "--format=%an %s")).toBe(
      `A Person Merge fractal run ${run}: Tiny math`,
    );
    expect(rig.git("show", "HEAD:lib/add.mjs")).toContain("a + b");
  });

  it("is merged beside a controller at work too, which journals it; and by the user's own git", async () => {
    using rig = aRig();
    const run = await ran(rig);
    // As a controller holds it.
    const lock = takeLock(join(rig.dir, ".git"));
    if (lock === undefined || "failure" in lock) throw new Error("the lock is held");
    const lines = rig.events().length;
    const merged = await rig.fractal(["merge", "--no-ff"], { env: { USER: "una" } });
    expect(merged.exitCode, merged.all).toBe(0);
    expect((await rig.fractal(["merge"])).stdout).toContain("already");
    expect(rig.events()).toHaveLength(lines);
    lock.release();
    const resumed = await rig.fractal(["resume", run]);
    expect(resumed.exitCode, resumed.all).toBe(0);
    expect(resumed.all).toContain("merged into main by una");
    const first = expect.objectContaining({ result: "merge", actor: "una" });
    expect(mergesIn(rig)).toEqual([first]);

    rig.git("switch", "--quiet", "-c", "other", "HEAD~1");
    rig.git("merge", "--quiet", `fractal/${run}/main`);
    expect((await rig.fractal(["merge"])).stdout).toContain("already");
    expect((await rig.fractal(["merge"])).stdout).toContain("already");
    const found = expect.objectContaining({ into: "other", result: "found" });
    expect(mergesIn(rig)).toEqual([first, found]);
    expect((await rig.fractal(["fsck", run])).exitCode).toBe(0);
  });

  it("waits for a person whose git is in the way: named, exit 6, and nothing is lost", async () => {
    using rig = aRig();
    const run = await ran(rig);
    const before = refs(rig);
    const index = join(rig.dir, ".git", "index.lock");
    const packed = join(rig.dir, ".git", "packed-refs.lock");
    writeFileSync(index, "");
    const merged = await rig.fractal(["merge"]);
    expect(merged.exitCode, merged.all).toBe(6);
    expect(merged.stderr).toContain(`rm '${index}'`);
    rmSync(index);
    writeFileSync(packed, "");
    const gc = await rig.fractal(["gc", "--yes", "--branches", "--unmerged"]);
    expect(gc.exitCode, gc.all).toBe(6);
    expect(gc.stderr).toContain(`rm '${packed}'`);
    expect(existsSync(packed)).toBe(true);
    expect(refs(rig)).toEqual(before);
    rmSync(packed);
    expect((await rig.fractal(["merge"])).exitCode).toBe(0);
    expect(mergesIn(rig).map((event) => "result" in event && event.result)).toEqual([
      "locked",
      "fast-forward",
    ]);
    expect((await rig.fractal(["fsck", run])).exitCode).toBe(0);
  });

  it("is not merged where both changed the same lines: nothing is left half done", async () => {
    using rig = aRig({ "README.md": "# Here\n", "lib/README.md": "old\n" });
    const run = await ran(rig);
    rig.write({ "lib/add.mjs": "export const add = () => 0;\n" });
    const mine = rig.commit("mine");
    const merged = await rig.fractal(["merge", run]);
    expect(merged.exitCode).toBe(1);
    expect(merged.stderr).toContain("lib/add.mjs");
    expect(rig.git("rev-parse", "HEAD")).toBe(mine);
    expect(rig.git("status", "--porcelain")).toBe("");
    expect(existsSync(join(rig.dir, ".git/MERGE_HEAD"))).toBe(false);
    const refused = { into: "main", result: "conflicts", before: mine, after: mine };
    expect(mergesIn(rig)).toEqual([expect.objectContaining(refused)]);
  });
});
