/** The questions a planner answers, as data: prompt section, bounded schema, pure fold into the plan. */
import { z } from "zod";
import type { Plan } from "../../domain/plan.ts";
import {
  acceptanceOf,
  acceptanceShape,
  dependenciesShape,
  interfacesShape,
  type Known,
  ownershipShape,
  partsShape,
  questionsShape,
  SELF,
  sizeShape,
  withoutNulls,
} from "./planning-schema.ts";

export type QuestionId =
  | "size"
  | "parts"
  | "ownership"
  | "interfaces"
  | "dependencies"
  | "acceptance"
  | "questions";

export interface PlanningQuestion {
  /** Also the name of the turn when it is asked alone. */
  id: QuestionId;
  /** The section of prompts/planner.md that asks it. */
  section: string;
  /** Codes of plan problems that a new answer to this question can mend. */
  mends: readonly string[];
  /** Whether it still has to be asked, given what is planned so far. */
  isAsked(plan: Plan): boolean;
  /** The properties of its answer. */
  shape(known: Known): z.ZodRawShape;
  /** The plan with the answer in it. Takes only its own properties of a larger answer. */
  fold(plan: Plan, answer: unknown, known: Known): Plan;
}

/** Before the first answer. */
export const EMPTY_PLAN: Plan = {
  decision: "leaf",
  size: "S",
  reason: "",
  parts: [],
  ownership: {},
  interfaces: [],
  dependencies: [],
  acceptance: [],
  questions: [],
};

/** Keeps the types of shape and fold together, then forgets them: the table is a plain list. */
function question<S extends z.ZodRawShape>(
  o: Omit<PlanningQuestion, "shape" | "fold"> & {
    shape(known: Known): S;
    fold(plan: Plan, answer: z.output<z.ZodObject<S>>, known: Known): Plan;
  },
): PlanningQuestion {
  // Making a schema costs more than using it, and the same facts are folded again and again.
  const schemas = new WeakMap<Known, z.ZodObject<S>>();
  return {
    ...o,
    fold: (plan, answer, known) => {
      const schema = schemas.get(known) ?? z.object(o.shape(known));
      schemas.set(known, schema);
      return o.fold(plan, schema.parse(answer), known);
    },
  };
}

const always = () => true;
const isSplit = (plan: Plan) => plan.decision === "split";

/** In the order they are asked: each may use what the ones before it settled. */
export const QUESTIONS: readonly PlanningQuestion[] = [
  question({
    id: "size",
    section: "Size",
    mends: ["leaf-too-large", "too-deep", "too-many-tasks"],
    isAsked: always,
    shape: sizeShape,
    fold: (plan, { size, decision, reason }) => ({ ...plan, size, decision, reason }),
  }),
  question({
    id: "parts",
    section: "Parts",
    mends: [
      "no-parts",
      "one-part",
      "too-many-parts",
      "leaf-parts",
      "key-twice",
      "key-reserved",
      "part-too-large",
      "text-repeats",
      "bad-path",
      "protected-file",
      "oracle-file",
      "no-files",
      "folder-leaf",
      "text-with-files",
      "text-with-command",
      "command-missing",
      "no-check",
    ],
    isAsked: always,
    shape: partsShape,
    fold: (plan, { parts }, known) => ({
      ...plan,
      parts: parts.map((part) => ({ ...withoutNulls(part), risks: [] })),
      // A leaf owns what the task owns: nothing is left to be asked.
      ownership: isSplit(plan) ? {} : ownAll(known),
    }),
  }),
  question({
    id: "ownership",
    section: "Ownership",
    mends: ["uncovered", "unknown-owner", "unknown-requirement", "owned-twice", "idle-part"],
    isAsked: isSplit,
    shape: ownershipShape,
    fold: (plan, { owners }, known) => {
      if (!isSplit(plan)) return plan;
      const owned = known.units.flatMap(({ id, requirements }) => {
        const owner: unknown = Object.hasOwn(owners, id) ? owners[id] : undefined;
        return typeof owner === "string" ? requirements.map((r) => [r, owner] as const) : [];
      });
      return { ...plan, ownership: Object.fromEntries(owned) };
    },
  }),
  question({
    id: "interfaces",
    section: "Interfaces",
    mends: ["interface-unknown-part", "interface-file", "interface-twice", "interface-export"],
    isAsked: always,
    shape: interfacesShape,
    fold: (plan, { interfaces }) => ({ ...plan, interfaces }),
  }),
  question({
    id: "dependencies",
    section: "Dependencies",
    mends: ["unknown-dependency", "self-dependency", "cycle"],
    isAsked: isSplit,
    shape: dependenciesShape,
    fold: (plan, { dependencies }) => (isSplit(plan) ? { ...plan, dependencies } : plan),
  }),
  question({
    id: "acceptance",
    section: "Acceptance",
    mends: [
      "acceptance-unknown-part",
      "acceptance-no-requirement",
      "call-undeclared",
      "call-not-runnable",
      "call-too-early",
      "call-no-result",
    ],
    isAsked: always,
    shape: acceptanceShape,
    fold: (plan, answer) => ({ ...plan, acceptance: acceptanceOf(answer) }),
  }),
  question({
    id: "questions",
    section: "Questions",
    mends: ["question-unknown-part"],
    isAsked: always,
    shape: questionsShape,
    fold: (plan, { questions, risks }) => ({
      ...plan,
      questions: questions.map((one) => withoutNulls(one)),
      parts: plan.parts.map((part) => ({
        ...part,
        risks: risks
          .filter((one) => one.part === part.key)
          .map(({ risk }) => risk)
          .slice(0, 5),
      })),
    }),
  }),
];

function ownAll({ units }: Known): Record<string, string> {
  return Object.fromEntries(units.flatMap((unit) => unit.requirements.map((id) => [id, SELF])));
}

/** The schema of one question's answer. */
export function schemaOf(asked: PlanningQuestion, known: Known): z.ZodType {
  return z.object(asked.shape(known));
}

/** The schema of the answer to all questions at once, for a model that can. */
export function schemaOfAll(known: Known): z.ZodType {
  return z.object(Object.assign({}, ...QUESTIONS.map((asked) => asked.shape(known))));
}

/** The plan that an answer to all questions amounts to. */
export function foldAll(answer: unknown, known: Known): Plan {
  return QUESTIONS.reduce((plan, asked) => asked.fold(plan, answer, known), EMPTY_PLAN);
}

/** The question to begin again with, so that these problems can be mended. */
export function firstToMend(codes: readonly string[]): QuestionId {
  const found = QUESTIONS.find(({ mends }) => codes.some((code) => mends.includes(code)));
  const isKnown = codes.every((code) => QUESTIONS.some(({ mends }) => mends.includes(code)));
  return isKnown && found ? found.id : "size";
}
