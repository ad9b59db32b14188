/** The facts the planner's prompt is filled with, cut to what the model can take in. */
import type { Limits } from "../../domain/limits.ts";
import type { ModelProfile } from "../../domain/profile.ts";
import type { Guidance, TaskState } from "../../domain/run-state.ts";
import type { Spec } from "../../domain/spec.ts";
import type { Signature, TaskId } from "../../domain/task.ts";
import { contextOf, cutToTokens, renderSlice, type Unit } from "../spec/spec-slice.ts";
import { oneLine } from "../text/quote.ts";

export interface PlannerView {
  task: TaskState;
  /** From the parent up to the root. */
  ancestors: readonly TaskState[];
  spec: Spec;
  guidance: readonly Guidance[];
  existingFiles: readonly string[];
  interfaces: readonly Signature[];
  limits: Limits;
  profile: Pick<ModelProfile, "contextTokens" | "outputTokensMax">;
  units: readonly Unit[];
}

/** How the prompt's room is shared out; the rest is for the questions and the system text. */
const SHARE = { spec: 0.5, context: 0.08, interfaces: 0.12, files: 0.05 };

/** Facts by name for the section `Task`. Nothing in them depends on time, ids of a run, or disk order. */
export function plannerFacts(view: PlannerView): Record<string, string> {
  const { task, spec, limits, profile } = view;
  const room = Math.min(limits.packTokensMax, profile.contextTokens - profile.outputTokensMax);
  const tokens = (share: number) => Math.max(200, Math.floor(room * share));
  const { requirements } = task.contract;
  const slice = renderSlice(spec, requirements, view.units, tokens(SHARE.spec));
  return {
    title: task.contract.title,
    purpose: task.contract.purpose,
    place: placeOf(view),
    given: renderGiven(task),
    spec: slice === "" ? "(It owns no requirement of its own.)" : slice,
    context: section(
      "From the rest of the specification",
      contextOf(spec, requirements, tokens(SHARE.context)),
    ),
    interfaces: section(
      "Interfaces that exist or are fixed elsewhere",
      cutToTokens(renderInterfaces(view), tokens(SHARE.interfaces)),
    ),
    files: section(
      "Files that are there already",
      cutToTokens([...view.existingFiles].sort().map(oneLine).join("\n"), tokens(SHARE.files)),
    ),
    guidance: section(
      "Answers and advice, the newest last",
      view.guidance.map(({ from, text }) => `${from}: ${text}`).join("\n\n"),
    ),
    limits: renderLimits(view),
  };
}

/**
 * The signatures that a task's plan may build on: those of its siblings and of its ancestors'
 * siblings, as their plans fixed them. What other branches plan meanwhile is left out, so that the
 * same task is asked the same question whatever runs beside it.
 */
export function signaturesAround(
  tasks: ReadonlyMap<TaskId, TaskState>,
  task: TaskState,
): Signature[] {
  const found: Signature[] = [];
  let at = task;
  for (;;) {
    const parent = at.parent === null ? undefined : tasks.get(at.parent);
    if (parent === undefined) return found;
    for (const id of parent.children) {
      const sibling = tasks.get(id);
      if (sibling === undefined || id === at.id || sibling.origin !== "plan") continue;
      found.push(...sibling.contract.interfaces);
    }
    at = parent;
  }
}

function placeOf({ ancestors, spec }: PlannerView): string {
  const titles = [...ancestors].reverse().map(({ contract }) => contract.title);
  const language = spec.language === undefined ? "" : ` The language is ${spec.language}.`;
  if (titles.length === 0)
    return `It is the root of the tree: all of the specification.${language}`;
  return `It is a part of: ${titles.join(" › ")}.${language}`;
}

/** What the plan above it fixed already. */
function renderGiven({ contract }: TaskState): string {
  const lines = [
    ...(contract.files.length > 0 ? [`Files: ${contract.files.join(", ")}`] : []),
    ...contract.interfaces.map(
      ({ file, declaration, doc }) => `Must export, in ${file}: ${declaration}${said(doc)}`,
    ),
    ...contract.examples.map((example) => `Must be true: ${example}`),
  ];
  return section("Fixed by the plan above it", lines.map((line) => `- ${line}`).join("\n"));
}

function renderInterfaces({ interfaces, task }: PlannerView): string {
  const own = new Set(task.contract.interfaces.map(({ file, name }) => `${file} ${name}`));
  const lines = interfaces
    .filter(({ file, name }) => !own.has(`${file} ${name}`))
    .map(({ file, declaration, doc }) => `- ${file}: ${declaration}${said(doc)}`);
  return [...new Set(lines)].sort().join("\n");
}

const said = (doc: string) => (doc === "" ? "" : ` (${doc})`);

function renderLimits({ limits, ancestors, task }: PlannerView): string {
  const deeper = limits.depthMax - ancestors.length;
  return [
    `- A leaf is at most of size ${limits.leafSizeMax}.`,
    `- At most ${limits.childrenMax} parts.`,
    deeper > 0
      ? `- The tree may go ${deeper} level${deeper === 1 ? "" : "s"} deeper.`
      : "- The tree is as deep as it may be: this task must be a leaf.",
    ...(task.origin === "plan" ? [`- Its parts are smaller than ${task.contract.size}.`] : []),
  ].join("\n");
}

function section(heading: string, text: string): string {
  return text.trim() === "" ? "" : `## ${heading}\n\n${text}\n\n`;
}
