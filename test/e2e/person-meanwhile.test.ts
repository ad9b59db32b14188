/** A person's `bd close` that comes between fractal's last look at Beads and its own write. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { BD } from "../support/bd.ts";
import { meanwhileBd } from "../support/meanwhile-bd.ts";
import { aMailbox, type Letter } from "./mailbox.ts";
import { ACCEPTED, aTree, code, idsOf, isDrift, isEnd } from "./people.ts";
import { aRig } from "./rig.ts";

it("stands: the task is accepted, in one drift, and closed again over what was written", async () => {
  using rig = aRig();
  const mail = aMailbox(rig);
  const names = ["early", "late"];
  const { spec, plan } = aTree(names, { late: ["early"] });
  const bd = meanwhileBd(BD, join(rig.dir, ".."));
  const args = ["run", rig.plan(spec, { root: plan }), "--model", mail.model];
  const run = rig.start(args, { env: { FRACTAL_BD: bd.path } });
  const letter = await mail.letter("worker", "early", 1);
  const id = idsOf(rig, names);

  bd.close(id["late"] ?? "");
  mail.reply(letter, code("early", "1"));
  // Nobody ever works on the late one: without the person's word the run would not end.
  mail.serve(({ role, task }: Letter) => {
    if (role === "reviewer") return ACCEPTED;
    return task === "late" ? undefined : code(task, "1");
  }, run);

  const { exitCode, all } = await run;
  expect(exitCode, String(all)).toBe(0);
  expect(bd.isDue()).toBe(false);
  const events = rig.events();
  expect(events.filter((e) => isEnd(e, "task.accepted", id["late"]))).toHaveLength(1);
  const drifts = events.filter((e) => e.event_type === "drift.seen" && e.task_id === id["late"]);
  expect(drifts).toHaveLength(1);
  // It had been written over: Beads showed a lease that a person had closed.
  expect(isDrift(drifts[0] as (typeof events)[number], "closed", id["late"])).toBe(true);
  expect(drifts[0]).toMatchObject({ seen: { status: "closed" }, now: { status: "in_progress" } });
  expect(rig.bd("list", "--limit", "0")).not.toContain(id["late"]);
});
