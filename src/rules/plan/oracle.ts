/** Renders a task's examples to checks: one test file for Node, or one check a command elsewhere. */
import type { Check } from "../../domain/check.ts";
import type { Example, Runnable } from "../../domain/example.ts";
import type { Acceptance } from "../../domain/plan.ts";
import type { FileWrite } from "../../domain/ports.ts";
import type { Spec } from "../../domain/spec.ts";
import { isQuoted } from "../spec/quoted.ts";
import { describeExample } from "./example.ts";
import { runsWork } from "./judge.ts";
import { renderHelperImports, renderHelpers } from "./oracle-helpers.ts";
import { isNodeWork } from "./source-file.ts";

export interface OracleParts {
  /** The task that the examples are about. */
  key: string;
  acceptance: readonly Acceptance[];
  when: "own" | "rollup";
  spec: Spec;
  /** Declared files, which tell the language where the spec names none. */
  files: readonly string[];
  /** Whether an example that the specification does not give may gate nevertheless. */
  accepted: (acceptance: Acceptance) => boolean;
  /** Checks the task has already; their files and names are taken. */
  present: readonly Check[];
}

/** How rendered tests are run: no signal of the work's makes the process that judges it listen. */
const RUN = "node --disable-sigusr1 --test";

/** Whether a check is one of ours, whose tests and the work they judge are processes of their own. */
export function judgesFromOutside(check: Check): boolean {
  return check.oracle.length > 0 && check.run.startsWith(`${RUN} `);
}

/**
 * Whether work that does nothing but end well would satisfy a command: it runs the work, and only
 * looks at how it ended.
 */
export function endsWithWork(asked: Pick<Check, "run" | "exit" | "stdout">): boolean {
  return (asked.exit ?? 0) === 0 && asked.stdout === undefined && runsWork(asked.run);
}

/** How each rendered file begins. */
const RENDERED = "// What must be true of ";

/** Whether a file may be one of ours by its path, and is by its text: of this run or an earlier one. */
export function mayBeRendered(path: string): boolean {
  return /^test\/[^/]+\.test\.mjs$/.test(path);
}

export function isRenderedText(text: string): boolean {
  return text.startsWith(RENDERED);
}

/** Where the tests of a task stand, relative to the spec's root. */
export function oraclePath(key: string, suffix = ""): string {
  return `test/${key}${suffix}.test.mjs`;
}

/** Whether a machine can try it out; people's and models' opinions never gate. */
export function isRunnable(example: Example): example is Runnable {
  return example.kind === "call" || example.kind === "command" || example.kind === "http";
}

/**
 * The checks and the files they are made of. What may gate and what only advises stand in separate
 * files, so that advice cannot turn a gate red.
 */
export function renderOracle(o: OracleParts): { checks: Check[]; files: FileWrite[] } {
  const checks: Check[] = [];
  const files: FileWrite[] = [];
  const runnable = o.acceptance.filter(({ example }) => isRunnable(example));
  const gating = runnable.filter((one) => isQuoted(one, o.spec.text) || o.accepted(one));
  const groups = [
    { name: "examples", suffix: "", gates: true, members: gating },
    {
      name: "advice",
      suffix: ".advice",
      gates: false,
      members: runnable.filter((one) => !gating.includes(one)),
    },
  ];
  for (const { name, suffix, gates, members } of groups) {
    const rest = members.filter(({ example }) => isRendered(o, example));
    if (rest.length > 0) {
      const { nth, path } = freePath(o, suffix);
      checks.push({
        ...common(o, rest, gates),
        name: nth === 1 ? name : `${name} ${nth}`,
        run: `${RUN} ${path}`,
        oracle: [path],
        examples: rest.flatMap(({ example }) => (isRunnable(example) ? [example] : [])),
      });
      files.push({
        path,
        text: renderTests(
          o.key,
          rest.map(({ example }) => example),
        ),
      });
    }
    for (const one of members.filter((member) => !rest.includes(member))) {
      const check = commandCheck(o, one, gates, [...o.present, ...checks]);
      if (check) checks.push(check);
    }
  }
  return { checks, files };
}

/**
 * Whether an example becomes a test in the rendered file. A command that is green as soon as the
 * work ends well stands alone: it must not pass for one that proves more (rules/check/doubts.ts).
 */
function isRendered({ spec, files }: OracleParts, example: Example): boolean {
  if (example.kind === "http") return true;
  if (!isNodeWork(spec.language, files)) return false;
  return example.kind !== "command" || !endsWithWork(example);
}

/** The first name for the test file that the task does not use yet. */
function freePath({ key, present }: OracleParts, suffix: string): { nth: number; path: string } {
  const taken = new Set(present.flatMap(({ oracle }) => oracle));
  for (let nth = 1; ; nth += 1) {
    const path = oraclePath(key, nth === 1 ? suffix : `${suffix}.${nth}`);
    if (!taken.has(path)) return { nth, path };
  }
}

function common(o: OracleParts, members: readonly Acceptance[], gates: boolean) {
  const isAllQuoted = members.every((one) => isQuoted(one, o.spec.text));
  return {
    when: o.when,
    source: isAllQuoted ? ("quoted" as const) : ("planner" as const),
    requirements: [...new Set(members.map(({ requirement }) => requirement))],
    gates,
  };
}

function commandCheck(
  o: OracleParts,
  acceptance: Acceptance,
  gates: boolean,
  taken: readonly Check[],
): Check | undefined {
  const { example } = acceptance;
  if (example.kind !== "command") return undefined;
  const { run, stdin, exit, stdout } = example;
  const names = new Set(taken.map(({ name }) => name));
  const base = run.split("\n")[0]?.slice(0, 100) || "command";
  let name = base;
  for (let nth = 2; names.has(name); nth += 1) name = `${base} (${nth})`;
  return {
    ...common(o, [acceptance], gates),
    name,
    run,
    exit,
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    oracle: [],
  };
}

/** The text of a test file for plain `node --test`; each test is called like its example. */
export function renderTests(key: string, examples: readonly Example[]): string {
  const runnable = examples.filter(isRunnable);
  const helpers = new Set(runnable.map(({ kind }) => kind));
  return [
    `${RENDERED}${key}: rendered from its plan, read-only for whoever does the work.`,
    renderHelperImports(helpers),
    "",
    renderHelpers(helpers),
    "",
    ...runnable.map((example) => `${renderTest(example)}\n`),
  ].join("\n");
}

function renderTest(example: Runnable): string {
  const title = literal(describeExample(example));
  switch (example.kind) {
    case "call": {
      const { file, name, args, value, error } = example;
      const call = [file, name, args].map(literal).join(", ");
      if (error !== undefined) return `test(${title}, () => fails(${call}, ${literal(error)}));`;
      return `test(${title}, () => returns(${call}, ${literal(value)}));`;
    }
    case "command": {
      const { kind: _, run, ...rest } = example;
      return `test(${title}, () => runs(${literal(run)}, ${literal(rest)}));`;
    }
    case "http": {
      const { kind: _, start, ...rest } = example;
      return `test(${title}, () => answers(${literal(start)}, ${literal(rest)}));`;
    }
  }
}

/** A JSON value as source text that means the same. */
function literal(value: unknown): string {
  const json = JSON.stringify(value) ?? "undefined";
  // As a literal, this key would set the prototype instead of a property.
  return json.includes('"__proto__"') ? `JSON.parse(${JSON.stringify(json)})` : json;
}
