/** What a person may call a task by: its id, the end of it, or its key. */
import { expect, it } from "vitest";
import { isRefusal } from "../../src/cli/exit.ts";
import { resolveId } from "../../src/cli/resolve-id.ts";
import { aState, aTask } from "../support/builders.ts";

const state = aState({
  runId: "k3",
  rootId: "fr-k3",
  tasks: [
    aTask("fr-k3", { key: "tool" }),
    aTask("fr-k3.a1", { key: "reader" }),
    aTask("fr-k3.a2", { key: "same" }),
    aTask("fr-k3.a3", { key: "same" }),
  ],
});

it.each([
  ["fr-k3.a1", "fr-k3.a1"],
  ["a1", "fr-k3.a1"],
  ["k3", "fr-k3"],
  ["reader", "fr-k3.a1"],
])("%s is the task %s", (typed, id) => {
  expect(resolveId(state, typed)).toBe(id);
});

it("a key that two tasks have means neither, and the words say where all ids are", () => {
  const found = resolveId(state, "same");
  expect(isRefusal(found)).toBe(true);
  expect(JSON.stringify(found)).toContain("run k3 has no task or question same");
  expect(JSON.stringify(found)).toContain("fractal tree");
});
