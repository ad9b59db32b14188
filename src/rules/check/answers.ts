/** Compares what the work answered with what the examples expect; in the words of a rendered test. */
import { z } from "zod";
import type { Runnable } from "../../domain/example.ts";
import { describeExample } from "../plan/example.ts";
import { canonicalText } from "../text/canonical.ts";
import { crashIn, onlyFails } from "./crash.ts";

/** One example, and how it came out. */
export interface Judged {
  /** The example in words. */
  title: string;
  /** What came instead of what was expected; empty where it is as it should be. */
  said: string[];
  /** It only had to fail, and this is the error that nobody caught. */
  crash?: string;
}

/** What one line may hold. The work has a say in it: what is anything else is no answer. */
const answer = z.object({
  // Of a call
  ended: z.union([z.string(), z.number()]).optional(),
  threw: z.string().optional(),
  shown: z.string().optional(),
  json: z.string().optional(),
  found: z.boolean().optional(),
  // Of a command or a request
  trouble: z.string().optional(),
  status: z.number().nullable().optional(),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  text: z.string().optional(),
  heard: z.string().optional(),
});
type Answer = z.infer<typeof answer>;

const TEXT_SHOWN_MAX = 500;

/** A value as rendered tests show it: as `util.inspect` does, which needs Node. */
export type Show = (value: unknown) => string;

/** In the order of the examples; `output` has a line for each that was answered. */
export function judgeAnswers(examples: readonly Runnable[], output: string, show: Show): Judged[] {
  const lines = output.split("\n");
  return examples.map((example, at) => {
    const title = describeExample(example);
    const told = answerIn(lines[at] ?? "");
    const said =
      told === undefined ? "no answer came: what asks was ended" : troubleOf(example, told, show);
    if (said !== undefined) return { title, said: said.split("\n").filter((line) => line !== "") };
    const crash = example.kind === "command" && onlyFails(example) && crashIn(told?.stderr ?? "");
    return { title, said: [], ...(crash ? { crash } : {}) };
  });
}

function answerIn(line: string): Answer | undefined {
  try {
    return answer.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Why an answer is not what is expected; undefined where it is. */
function troubleOf(example: Runnable, told: Answer, show: Show): string | undefined {
  switch (example.kind) {
    case "call":
      return troubleOfCall(example, told, show);
    case "command":
      return troubleOfCommand(example, told, show);
    case "http":
      return troubleOfRequest(example, told, show);
  }
}

type Kind<K extends Runnable["kind"]> = Extract<Runnable, { kind: K }>;

function troubleOfCall(example: Kind<"call">, told: Answer, show: Show): string | undefined {
  const { ended, threw, shown = "nothing" } = told;
  if (ended !== undefined) return `its process ended with ${ended} instead of answering`;
  const { value, error } = example;
  if (error === undefined) {
    if (threw !== undefined) return `threw ${shown}, expected ${show(value)}`;
    return isValue(told, value) ? undefined : `returned ${shown}, expected ${show(value)}`;
  }
  const wanted = `expected an error with ${show(error)}`;
  if (threw === undefined) return `returned ${shown}, ${wanted}`;
  // What is missing or still a stub fails too, and means nothing.
  const isMeant = told.found === true && !threw.startsWith("not implemented: ");
  return isMeant && threw.includes(error) ? undefined : `threw ${shown}, ${wanted}`;
}

/** Equal as JSON is; nothing at all where nothing is expected. */
function isValue({ json, shown }: Answer, expected: unknown): boolean {
  if (json === undefined) return expected === undefined && shown === "undefined";
  try {
    return canonicalText(JSON.parse(json)) === canonicalText(expected);
  } catch {
    return false;
  }
}

function troubleOfCommand(example: Kind<"command">, told: Answer, show: Show): string | undefined {
  const { trouble, status = null, stdout = "", stderr = "" } = told;
  if (trouble !== undefined) return `could not run: ${trouble}`;
  if (status !== example.exit) {
    const heard = (stderr.trim() || stdout.trim()).split("\n").slice(-5).join("\n");
    return `exited with ${status}, expected ${example.exit}${heard === "" ? "" : `: ${heard}`}`;
  }
  const expected = example.stdout?.trimEnd();
  if (expected === undefined || stdout.trimEnd() === expected) return undefined;
  return `printed ${show(stdout.trimEnd())}, expected ${show(expected)}`;
}

function troubleOfRequest(example: Kind<"http">, told: Answer, show: Show): string | undefined {
  const { trouble, status, text = "", heard = "" } = told;
  if (trouble !== undefined) return `no answer: ${trouble}\n${heard}`;
  if (status !== example.status) {
    return `answered ${status}, expected ${example.status}: ${text.slice(0, TEXT_SHOWN_MAX)}`;
  }
  const { contains } = example;
  if (contains === undefined || text.includes(contains)) return undefined;
  return `answered ${show(text.slice(0, 2 * TEXT_SHOWN_MAX))}, expected it to contain ${show(contains)}`;
}
