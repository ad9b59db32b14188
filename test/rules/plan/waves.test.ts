/** Waves: nothing stands before what it waits for, and circles do no harm. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TaskState } from "../../../src/domain/run-state.ts";
import { wavesOf } from "../../../src/rules/plan/waves.ts";
import { blockersOf } from "../../../src/rules/status.ts";
import { aState, aTask } from "../../support/builders.ts";
import { runsOf } from "../../support/runs.ts";

const waves = (...tasks: TaskState[]) => Object.fromEntries(wavesOf(aState({ tasks })));

describe("waves", () => {
  it("begin at one and go up along what waits for what, also through a parent", () => {
    expect(
      waves(
        aTask("r"),
        aTask("a", { parent: "r" }),
        aTask("a1", { parent: "a" }),
        aTask("a2", { parent: "a", dependsOn: ["a1"] }),
        aTask("b", { parent: "r", dependsOn: ["a"] }),
        aTask("b1", { parent: "b" }),
        aTask("c", { parent: "r" }),
      ),
    ).toEqual({ r: 3, a: 2, a1: 1, a2: 2, b: 3, b1: 3, c: 1 });
  });

  it("cut a circle, whoever is in it", () => {
    const found = waves(
      aTask("r"),
      aTask("a", { parent: "r", dependsOn: ["b"] }),
      aTask("b", { parent: "r", dependsOn: ["a"] }),
      aTask("c", { parent: "r", dependsOn: ["b", "nowhere"] }),
    );
    expect(Object.values(found).every((wave) => wave >= 1 && wave <= 4)).toBe(true);
  });

  it("put every leaf exactly one above the highest that it waits for", () => {
    const tree = fc.array(fc.tuple(fc.nat(9), fc.array(fc.nat(9), { maxLength: 3 })), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(tree, (shape) => {
        const tasks = [aTask("t0")];
        for (const [at, [parent, needs]] of shape.entries()) {
          // On elder siblings alone: no circle.
          const under = `t${parent % (at + 1)}`;
          const elders = tasks.filter((task) => task.parent === under).map((task) => task.id);
          const dependsOn = needs.flatMap((need) => elders[need % (elders.length + 1)] ?? []);
          tasks.push(aTask(`t${at + 1}`, { parent: under, dependsOn }));
        }
        const state = aState({ tasks });
        const found = wavesOf(state);
        for (const task of state.tasks.values()) {
          const wave = found.get(task.id) ?? 0;
          const before = Math.max(0, ...blockersOf(state, task.id).map((id) => found.get(id) ?? 0));
          const below = Math.max(0, ...task.children.map((id) => found.get(id) ?? 0));
          if (task.children.length === 0) expect(wave).toBe(before + 1);
          else expect(wave).toBe(Math.max(below, before));
        }
      }),
      runsOf(200),
    );
  });
});
