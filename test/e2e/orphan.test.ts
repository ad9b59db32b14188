/** A write to Beads that outlives the fractal that began it is not taken for a person's edit. */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BD } from "../support/bd.ts";
import { TINY_MATH, TINY_MATH_ANSWERS, TINY_MATH_PLAN } from "./plans.ts";
import { aRig, until } from "./rig.ts";

/** How long the bd of the killed fractal takes for a batch: longer than the rest of the run. */
const SLOW_SECONDS = 20;

it("what a killed fractal's bd writes late is waited for, and no question comes of it", async () => {
  using rig = aRig();
  const place = join(rig.dir, "..");
  const [slow, begun, over] = ["slow-bd", "begun", "over"].map((name) => join(place, name));
  if (slow === undefined || begun === undefined || over === undefined) throw new Error();
  writeFileSync(
    slow,
    `#!/bin/sh
[ "$1" = batch ] || exec ${BD} "$@"
touch ${begun}
sleep ${SLOW_SECONDS}
${BD} "$@"
touch ${over}
`,
  );
  chmodSync(slow, 0o755);
  const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
  const args = ["run", plan, "--model", rig.script(TINY_MATH_ANSWERS)];

  const killed = rig.start(args, { env: { FRACTAL_BD: slow } });
  await until("a write to Beads", () => existsSync(begun));
  killed.kill("SIGKILL");
  await killed;
  const second = await rig.fractal(args);
  await until("the late write", () => existsSync(over));
  const third = await rig.fractal(["fsck", "--json"]);

  expect(second.exitCode, second.all).toBe(0);
  expect(JSON.parse(third.stdout).data.findings).toEqual([]);
  const told = rig.events().map(({ event_type }) => event_type);
  expect(told).not.toContain("drift.seen");
  expect(told).not.toContain("question.opened");
});
