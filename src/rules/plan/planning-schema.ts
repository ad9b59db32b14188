/** What a planner may answer, as bounded, closed schemas: every array and text has an end. */
import { z } from "zod";
import type { Limits } from "../../domain/limits.ts";
import { need } from "../../domain/needs.ts";
import { type Acceptance, part, planQuestion } from "../../domain/plan.ts";
import { signature, size, taskKind } from "../../domain/task.ts";
import { hostProblem } from "../../domain/web.ts";
import type { Unit } from "../spec/spec-slice.ts";

/** What is known when a question is asked; it becomes the enums of the answer. */
export interface Known {
  /** What may be owned: requirements, or headings of a long document. */
  units: readonly Unit[];
  /** Requirement ids that acceptance may name. */
  requirements: readonly string[];
  /** Keys of the parts; undefined while they are asked for in the same call. */
  parts: readonly string[] | undefined;
  /** What a part may be said to need from outside the sandbox; empty: that is not asked. */
  offered: readonly string[];
  limits: Limits;
}

/** In an answer, "the parent itself, once all parts are done". */
export const ALL = "all";
/** The key of a leaf's one part. */
export const SELF = "self";

/** Above this many, an enum is longer than the prompt it stands in. */
const ENUM_MAX = 200;

/**
 * Left out or null. Providers are told that it must be there (strict modes demand it), but an answer
 * without it is understood.
 */
const orNull = <T extends z.ZodType>(schema: T) => schema.nullable().prefault(null);
const listOf = <T extends z.ZodType>(schema: T, itemsMax: number) =>
  schema.array().max(itemsMax).prefault([]);

/** One of the known names, or a short text where they are not known yet. */
function oneOf(names: readonly string[] | undefined, charsMax: number) {
  if (names === undefined || names.length === 0 || names.length > ENUM_MAX) {
    return z.string().min(1).max(charsMax);
  }
  return z.enum([...names]);
}

/** JSON as text, since strict modes cannot say "any value"; a bare array or object is taken as it is. */
const jsonText = (isRight: (value: unknown) => boolean, message: string) =>
  z.preprocess(
    (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : value),
    z
      .string()
      .min(1)
      .max(4000)
      .refine((text) => {
        const parsed = parsedJson(text);
        return parsed !== undefined && isRight(parsed.value);
      }, message),
  );

function parsedJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

export const sizeShape = () => ({
  size,
  decision: z.enum(["leaf", "split"]),
  reason: z.string().max(1000).prefault(""),
});

const askedPart = z.object({
  key: part.shape.key,
  title: part.shape.title,
  purpose: part.shape.purpose,
  kind: taskKind.prefault("code"),
  size,
  files: part.shape.files.prefault([]),
  command: orNull(z.string().max(4000)),
  unchecked: orNull(z.string().max(1000)),
});
/** A model's need names a whole host as settings do: a person may be shown it as a line to write. */
const plannedNeed = need.refine(
  (one) => !one.startsWith("web:") || hostProblem(one.slice("web:".length)) === undefined,
  "after `web:` there must be a host: web:docs.python.org",
);
const NEEDS_A_PART_MAX = 5;
const needyPart = askedPart.extend({ needs: listOf(plannedNeed, NEEDS_A_PART_MAX) });

/** Twice the limit is let through, so that the review can say it beside all other problems. */
export const partsShape = ({ limits, offered }: Known) => ({
  parts: listOf(offered.length > 0 ? needyPart : askedPart, Math.min(100, 2 * limits.childrenMax)),
});

export const ownershipShape = ({ units, parts }: Known) => {
  const owner = parts ? oneOf([...parts, ALL], 40) : orNull(z.string().max(40));
  return { owners: z.object(Object.fromEntries(units.map(({ id }) => [id, owner]))).prefault({}) };
};

export const interfacesShape = ({ parts }: Known) => ({
  interfaces: listOf(
    z.object({
      part: oneOf(parts, 40),
      file: signature.shape.file,
      name: signature.shape.name,
      declaration: signature.shape.declaration,
      doc: z.string().max(600).prefault(""),
    }),
    60,
  ),
});

export const dependenciesShape = ({ parts, limits }: Known) => ({
  dependencies: listOf(
    z.object({ part: oneOf(parts, 40), needs: listOf(oneOf(parts, 40), limits.childrenMax) }),
    Math.min(100, 2 * limits.childrenMax),
  ),
});

export const acceptanceShape = ({ parts, requirements }: Known) => {
  const common = {
    part: oneOf(parts && [...parts, ALL], 40),
    requirement: oneOf(requirements, 60),
  };
  const quote = orNull(z.string().max(1000));
  const json =
    "must be one JSON value as text: a string needs its quotes, an expression is no value";
  return {
    calls: listOf(
      z.object({
        ...common,
        file: signature.shape.file,
        name: signature.shape.name,
        args_json: jsonText(
          (value) => Array.isArray(value) && value.length <= 10,
          "must be a JSON array of at most 10 arguments, as text",
        ),
        value_json: orNull(jsonText(() => true, json)),
        error: orNull(z.string().max(500)),
        quote,
      }),
      120,
    ),
    commands: listOf(
      z.object({
        ...common,
        run: z.string().min(1).max(2000),
        stdin: orNull(z.string().max(16_000)),
        exit: z.number().int().min(0).max(255).prefault(0),
        stdout: orNull(z.string().max(16_000)),
        quote,
      }),
      40,
    ),
    requests: listOf(
      z.object({
        ...common,
        start: z.string().min(1).max(500),
        method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]),
        path: z.string().min(1).max(500),
        body: orNull(z.string().max(16_000)),
        status: z.number().int().min(100).max(599),
        contains: orNull(z.string().max(4000)),
        quote,
      }),
      20,
    ),
    acknowledgements: listOf(
      z.object({
        ...common,
        by: z.enum(["person", "judgement"]),
        what: z.string().min(1).max(1000),
      }),
      20,
    ),
  };
};

export const questionsShape = ({ parts }: Known) => ({
  questions: listOf(
    z.object({
      question: planQuestion.shape.question,
      why: planQuestion.shape.why.prefault(""),
      options: planQuestion.shape.options.prefault([]),
      blocks: listOf(oneOf(parts, 40), 20),
      default: orNull(z.string().max(500)),
    }),
    5,
  ),
  risks: listOf(z.object({ part: oneOf(parts, 40), risk: z.string().min(1).max(500) }), 10),
});

type Accepted = z.output<z.ZodObject<ReturnType<typeof acceptanceShape>>>;

/** An object without the properties that are null. */
export function withoutNulls<T extends object>(
  value: T,
): { [K in keyof T]?: Exclude<T[K], null> } & { [K in RequiredKeys<T>]: T[K] } {
  return Object.fromEntries(
    Object.entries(value).filter(([, inner]) => inner !== null),
  ) as ReturnType<typeof withoutNulls<T>>;
}
type RequiredKeys<T> = { [K in keyof T]: null extends T[K] ? never : K }[keyof T];

/** The four lists of an answer as one list of acceptance. */
export function acceptanceOf(answer: Accepted): Acceptance[] {
  const quoted = ({ quote }: { quote: string | null }) => (quote === null ? {} : { quote });
  return [
    ...answer.calls.map((call): Acceptance => {
      const { part: owner, requirement, args_json, value_json, quote, ...rest } = call;
      const args: unknown[] = JSON.parse(args_json);
      const value = value_json === null ? {} : { value: JSON.parse(value_json) as unknown };
      const example = { kind: "call" as const, ...withoutNulls(rest), args, ...value };
      return { part: owner, requirement, example, ...quoted({ quote }) };
    }),
    ...answer.commands.map((command): Acceptance => {
      const { part: owner, requirement, quote, ...rest } = command;
      const example = { kind: "command" as const, ...withoutNulls(rest) };
      return { part: owner, requirement, example, ...quoted({ quote }) };
    }),
    ...answer.requests.map((request): Acceptance => {
      const { part: owner, requirement, quote, ...rest } = request;
      const example = { kind: "http" as const, ...withoutNulls(rest) };
      return { part: owner, requirement, example, ...quoted({ quote }) };
    }),
    ...answer.acknowledgements.map(
      ({ part: owner, requirement, by, what }): Acceptance => ({
        part: owner,
        requirement,
        example: { kind: by, what },
      }),
    ),
  ];
}
