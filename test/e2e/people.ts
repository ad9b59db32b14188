/** What the tests of a person with `bd` share: a tree of one-line functions, and what happened to it. */
import type { RunEvent } from "../../src/domain/event.ts";
import type { Part } from "../../src/domain/plan.ts";
import { aPart, aPlan, called, files } from "./plans.ts";
import { type Rig, until } from "./rig.ts";

export const ASKS = "```question\nWhich way?\n- left\n- right\n```\n";
export const ACCEPTED = '{"reason": "fine", "accept": true}';

export const code = (name: string, value: string) =>
  files({ [`${name}.mjs`]: `export function ${name}() { return ${value}; }` });

/** A function a part, each must return 1; `needs` are the edges. */
export function aTree(names: string[], needs: Record<string, string[]>) {
  const requirements = names.map((name, index) => `- R${index + 1}: \`${name}()\` returns \`1\`.`);
  const parts: Part[] = names.map((name) => aPart(name));
  return {
    spec: `# People\n\n${requirements.join("\n")}\n`,
    plan: aPlan(parts, {
      interfaces: names.map((name) => ({
        part: name,
        file: `${name}.mjs`,
        name,
        declaration: `export function ${name}(): number`,
        doc: "",
      })),
      dependencies: Object.entries(needs).map(([part, others]) => ({ part, needs: others })),
      acceptance: names.map((name, index) => called(name, `R${index + 1}`, name, [], 1)),
    }),
  };
}

/** How a planner says that a person's task is a leaf of one file. */
export function leafPlan(file: string): string {
  const self = {
    ...{ key: "self", title: "One file", purpose: "Write it.", kind: "code", size: "S" },
    ...{ files: [file], command: null, unchecked: "a person looks at it" },
  };
  const lists = ["interfaces", "dependencies", "calls", "commands", "requests"];
  return JSON.stringify({
    ...{ size: "S", decision: "leaf", reason: "one file", parts: [self], owners: {} },
    ...Object.fromEntries(lists.map((name) => [name, []])),
    ...{ acknowledgements: [], questions: [], risks: [] },
  });
}

/** Waits until the journal has such an event. */
export function happened(
  rig: Rig,
  what: string,
  test: (event: RunEvent) => boolean,
): Promise<RunEvent> {
  return until(what, () => eventsSoFar(rig).find(test));
}

function eventsSoFar(rig: Rig): RunEvent[] {
  try {
    return rig.events();
  } catch {
    // The last line may be half written.
    return [];
  }
}

/** The id of a part's task: they are numbered in part order. */
export const idsOf = (rig: Rig, names: string[]) =>
  Object.fromEntries(names.map((name, index) => [name, `fr-${rig.runs()[0]}.a${index + 1}`]));

export const questionsAbout = (rig: Rig, id: string | undefined) =>
  rig.events().filter((event) => event.event_type === "question.opened" && event.task_id === id);

export const isQuestion = (event: RunEvent, id: string | undefined) =>
  event.event_type === "question.opened" && event.task_id === id;

export const isEnd = (event: RunEvent, type: RunEvent["event_type"], id: string | undefined) =>
  event.event_type === type && event.task_id === id;

export const isDrift = (event: RunEvent, kind: string, id: string | undefined) =>
  event.event_type === "drift.seen" && event.kind === kind && event.task_id === id;

/** Waits until `bd` shows these issues: nobody edits what is not there yet. */
export const inBeads = (rig: Rig, ids: (string | undefined)[]) =>
  until(`${ids.join(", ")} in Beads`, () => {
    const shown = rig.bd("list", "--all", "--limit", "0");
    return ids.every((id) => shown.includes(`${id}`));
  });
