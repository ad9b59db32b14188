/** A part of which nothing comes: the real program asks about it once, and goes on with the answer. */
import { expect, it } from "vitest";
import { ADD_RIGHT, ADD_WRONG, TINY_MATH, TINY_MATH_PLAN, TWICE_RIGHT } from "./plans.ts";
import { aRig } from "./rig.ts";

it("much fails below the root, a person is asked about all of it once, and is heard there", async () => {
  using rig = aRig();
  rig.settings({ limits: { attempts_max: 20, review_failures_max: 3, review_quiet_ms: 1 } });
  const model = rig.script([
    ...[1, 2, 3, 4].map((attempt) => ({ role: "worker", task: "add", attempt, text: ADD_WRONG })),
    { role: "worker", task: "add", text: ADD_RIGHT },
    { role: "worker", task: "twice", text: TWICE_RIGHT },
  ]);
  const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });

  const first = await rig.fractal(["run", plan, "--model", model]);
  const again = await rig.fractal(["resume"]);

  expect(first.exitCode, first.all).toBe(3);
  expect(again.exitCode, again.all).toBe(3);
  const root = `fr-${rig.runs()[0]}`;
  const asked = JSON.parse(rig.bd("human", "list", "--json")) as {
    id: string;
    metadata: { fractal: { about: string } };
    description: string;
  }[];
  expect(asked.map((one) => [one.id, one.metadata.fractal.about])).toEqual([[`${root}.q1`, root]]);
  expect(asked[0]?.description).toContain("4 of 4 attempts failed: 4 task (4 check-failed).");
  const [shown] = JSON.parse(rig.bd("show", root, "--json")) as {
    status: string;
    dependencies?: unknown[];
  }[];
  expect(shown?.status).toBe("in_progress");
  expect(shown?.dependencies ?? []).toEqual([]);
  const tree = await rig.fractal(["tree"]);
  expect(tree.stdout).toMatch(new RegExp(`needs_human ${root} `));
  expect(tree.stdout).toMatch(new RegExp(`queued ${root}\\.a1 `));

  await rig.fractal(["answer", `${root}.q1`, "add", "means", "plus"]);
  const last = await rig.fractal(["resume"]);

  expect(last.exitCode, last.all).toBe(0);
  const prompt = await rig.fractal(["show", `${root}.a1`, "--full"]);
  expect(prompt.stdout.slice(prompt.stdout.indexOf("Attempt 5"))).toContain("add means plus");
});
