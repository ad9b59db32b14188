/** What a specification's front matter says, or every problem with it by line and column. */
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { writtenBudgets } from "../../domain/amounts.ts";
import { type Budgets, SCOPE_NAMES } from "../../domain/budget.ts";
import type { Check } from "../../domain/check.ts";
import { need } from "../../domain/needs.ts";
import { pathProblem } from "../../domain/path.ts";
import type { InputProblem } from "../../domain/spec.ts";
import { plainIssue } from "../text/plain-issue.ts";
import { closestName } from "../text/suggest.ts";

export interface FrontMatter {
  root: string;
  language: string | undefined;
  checks: Check[];
  protectedPaths: string[];
  mounts: string[];
  needs: string[];
  budget: Budgets;
}

/** Checks of these names run after every leaf; a spec's other checks run at the end. */
const LEAF_CHECKS = new Set(["compile", "lint"]);

const folder = z.string().transform((text, context) => {
  const path = text.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
  if (path === "" || path === ".") return ".";
  const problem = pathProblem(path);
  if (problem !== undefined) context.addIssue(`\`${text}\` ${problem}`);
  return path;
});

const command = z
  .string({ error: ({ input }) => (input === undefined ? "is missing" : undefined) })
  .trim()
  .min(1, "must name a command")
  .max(4000);

/** `name: command`, or `name: {run, when, timeout}` with the time limit in seconds. */
const ownCheck = z.preprocess(
  (value) => (typeof value === "string" ? { run: value } : value),
  z.strictObject(
    {
      run: command,
      when: z.enum(["leaf", "final"]).optional(),
      timeout: z
        .number({ error: "must be a number of seconds, such as 300" })
        .positive()
        .max(86_400)
        .optional(),
    },
    { error: ({ code }) => (code === "invalid_type" ? "must be a command" : undefined) },
  ),
);

const frontMatter = z.strictObject({
  root: folder.optional(),
  language: z.string().trim().min(1).max(40).optional(),
  checks: z
    .record(z.string().min(1).max(120), ownCheck, {
      error: "must be commands by name, such as { all: npm test }",
    })
    .optional(),
  protected: z.array(z.string().min(1).max(400)).max(200).optional(),
  mounts: z.array(folder).max(50).optional(),
  needs: z.array(need).max(20).optional(),
  budget: writtenBudgets.optional(),
});

const KNOWN: Record<string, readonly string[]> = {
  "": Object.keys(frontMatter.shape),
  checks: ["run", "when", "timeout"],
  budget: SCOPE_NAMES,
};

/** Whether front matter that we know stands behind blank lines or spaces, where it is none. */
export function isShifted(text: string): boolean {
  const [, key = ""] = /^\s+---[ \t]*\r?\n[ \t]*([\w-]+):/.exec(text) ?? [];
  return key in frontMatter.shape;
}

/** What holds where a specification has no front matter. */
export const NO_FRONT_MATTER: FrontMatter = {
  root: ".",
  language: undefined,
  checks: [],
  protectedPaths: [],
  mounts: [],
  needs: [],
  budget: {},
};

/**
 * Reads the YAML between the `---` lines. `firstLine` is the line in the file (from 1) on which
 * the YAML starts, so that problems point into the file itself.
 */
export function parseFrontMatter(
  file: string,
  yaml: string,
  firstLine: number,
): FrontMatter | { problems: InputProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => {
    if (offset === undefined) return {};
    const { line, col } = lines.linePos(offset);
    return { line: line + firstLine - 1, column: col };
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file,
      ...at(error.pos[0]),
      message: `the front matter is not valid YAML: ${error.message}`,
    }));
    return { problems };
  }
  const value = plainValue(document);
  if (value instanceof Error) {
    return { problems: [{ file, line: firstLine, message: `the front matter: ${value.message}` }] };
  }
  const parsed = frontMatter.safeParse(value ?? {}, { error: plainIssue });
  if (parsed.success) return frontMatterOf(parsed.data);
  /** Where a value stands, or, for the last step, its key. */
  const offsetOf = (path: PropertyKey[], key?: string): number | undefined => {
    const node = document.getIn(path, true);
    if (key !== undefined && isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair && isScalar(pair.key)) return pair.key.range?.[0];
    }
    if (isNode(node)) return node.range?.[0];
    // What is missing is shown where it would have to stand.
    return path.length > 0 ? offsetOf(path.slice(0, -1)) : undefined;
  };
  const problems = parsed.error.issues.flatMap((issue): InputProblem[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        file,
        ...at(offsetOf(issue.path, key)),
        message: unknownKey(issue.path, key),
      }));
    }
    const name = issue.path.length > 0 ? `\`${issue.path.map(String).join(".")}\`` : "front matter";
    return [{ file, ...at(offsetOf(issue.path)), message: `${name}: ${issue.message}` }];
  });
  return { problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
}

/** The YAML as plain values; an error where aliases multiply without end. */
function plainValue(document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function unknownKey(path: PropertyKey[], key: string): string {
  const known = KNOWN[String(path[0] ?? "")] ?? [];
  const meant = closestName(key, known);
  const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean \`${meant}\`?`;
  return `unknown key \`${[...path.map(String), key].join(".")}\`: ${hint}`;
}

/** Without the scopes that are not named. */
function budgetsOf(given: z.infer<typeof writtenBudgets>): Budgets {
  return Object.fromEntries(Object.entries(given).filter(([, limit]) => limit !== undefined));
}

function frontMatterOf(data: z.infer<typeof frontMatter>): FrontMatter {
  const checks = Object.entries(data.checks ?? {}).map(([name, own]): Check => {
    const when = own.when ?? (LEAF_CHECKS.has(name) ? "leaf" : "final");
    return {
      name,
      run: own.run,
      when,
      source: "spec",
      requirements: [],
      gates: true,
      oracle: [],
      ...(own.timeout === undefined ? {} : { timeoutMs: Math.ceil(own.timeout * 1000) }),
    };
  });
  return {
    root: data.root ?? ".",
    language: data.language?.toLowerCase(),
    checks,
    protectedPaths: data.protected ?? [],
    mounts: data.mounts ?? [],
    needs: data.needs ?? [],
    budget: budgetsOf(data.budget ?? {}),
  };
}
