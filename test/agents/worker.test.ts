/** One attempt of a worker, in both protocols: what changes in the workspace, what is reported, how it ends. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ScriptedAnswer, scriptedModel } from "../../src/adapters/models/scripted.ts";
import { type Toolbox, toolOffers } from "../../src/agents/tools.ts";
import { workTask } from "../../src/agents/worker.ts";
import type { ToolResult } from "../../src/domain/contained.ts";
import type { Message } from "../../src/domain/conversation.ts";
import type { Failure } from "../../src/domain/failure.ts";
import { type AttemptStyle, DEFAULT_LIMITS, type Limits } from "../../src/domain/limits.ts";
import type { Pack } from "../../src/domain/pack.ts";
import type { ModelProfile } from "../../src/domain/profile.ts";
import { aPack, aProfile, listening, NEVER } from "../support/scripted.ts";

const prompt = readFileSync(join(import.meta.dirname, "../../prompts/worker.md"), "utf8");
const F = "```";

/** A workspace in memory that answers the file tools. */
function aToolbox(
  answer?: (name: string) => ToolResult | Failure | undefined,
  offers = ["read_file", "write_file", "run_tests", "ask_human"],
) {
  const files = new Map<string, string>();
  const called: string[] = [];
  const toolbox: Toolbox = {
    offers: toolOffers(offers),
    async call(call) {
      called.push(call.name);
      const args = call.args as { path: string; text: string };
      const given = answer?.(call.name);
      if (given) return given;
      if (call.name === "write_file") files.set(args.path, args.text);
      return { text: files.get(args.path) ?? "", isError: false };
    },
  };
  return { files, called, toolbox };
}

interface Given {
  answers: ScriptedAnswer[];
  pack?: Pack;
  profile?: Partial<ModelProfile>;
  style?: AttemptStyle;
  limits?: Partial<Limits>;
  signal?: AbortSignal;
  answer?: (name: string) => ToolResult | Failure | undefined;
  offers?: string[];
}

async function work(given: Given) {
  const model = listening(scriptedModel(given.answers));
  const box = aToolbox(given.answer, given.offers);
  const outcome = await workTask(
    {
      pack: given.pack ?? aPack(),
      profile: aProfile(model, given.profile),
      prompt,
      identity: { taskId: "fr-1.a1", attempt: 2 },
      style: given.style ?? "repair",
      toolbox: box.toolbox,
      limits: { ...DEFAULT_LIMITS, ...given.limits },
    },
    given.signal ?? NEVER,
  );
  return { outcome, model, ...box };
}

const code = `${F}ts src/double.ts\nexport const double = 2;\n${F}\nDoubles.`;
const last = {
  number: 1,
  style: "repair" as const,
  reason: "double(3) returned 5 but must return 6",
  files: [{ path: "src/double.ts", text: "export const double = wrong;\n" }],
};

describe("a worker that answers with files", () => {
  it("writes them through the toolbox and reports what it said", async () => {
    const { outcome, files, model } = await work({ answers: [code] });
    expect(Object.fromEntries(files)).toEqual({ "src/double.ts": "export const double = 2;\n" });
    expect(outcome).toMatchObject({
      report: { summary: "Doubles.", files_changed: ["src/double.ts"] },
    });
    expect(model.asked).toHaveLength(1);
    expect(model.asked[0]).toMatchObject({
      role: "worker",
      taskKey: "core",
      attempt: 2,
      turn: "1",
      tools: [],
    });
  });

  it("is shown its contract, and nothing that changes from run to run", async () => {
    const { model } = await work({ answers: [code] });
    const text = model.asked[0]?.messages[0]?.text ?? "";
    for (const part of [
      "Doubles a number.",
      "src/double.ts",
      "export function double(value: number): number",
      "double(2) returns 4",
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain("fr-1");
    expect(model.asked[0]?.system).not.toContain("{{");
    expect(text).not.toContain("{{");
  });

  it.each<[AttemptStyle, boolean, boolean]>([
    ["repair", true, true],
    ["cases", false, true],
    ["fresh", false, false],
  ])(
    "in the style %s sees its last code: %s, and the verdict: %s",
    async (style, seesCode, seesReason) => {
      const { model } = await work({ answers: [code], pack: aPack({ last }), style });
      const text = model.asked[0]?.messages[0]?.text ?? "";
      expect(text.includes("double = wrong")).toBe(seesCode);
      expect(text.includes("must return 6")).toBe(seesReason);
    },
  );

  it("takes a new sample a little warmer, where warmth is set at all", async () => {
    const warmth = async (style: AttemptStyle, pack: Pack, temperature?: number) => {
      const profile = temperature === undefined ? {} : { temperature };
      const { model } = await work({ answers: [code], pack, style, profile });
      return model.asked[0]?.temperature;
    };
    expect(await warmth("fresh", aPack(), 0)).toBe(0);
    expect(await warmth("fresh", aPack({ last }), 0)).toBe(0.7);
    expect(await warmth("repair", aPack({ last }), 0)).toBe(0);
    expect(await warmth("fresh", aPack({ last }))).toBeUndefined();
  });

  it.each<[string, ScriptedAnswer, object]>([
    [
      "asks",
      `${F}question\nWhich rounding?\n- up\n- even\n${F}`,
      { failure: "worker-asks", detail: "Which rounding?", options: ["up", "even"] },
    ],
    [
      "asks and writes all the same",
      `${code}\n${F}question\nWhich?\n${F}`,
      { failure: "worker-asks" },
    ],
    [
      "lacks something",
      `${F}capability\nNetwork access.\n${F}`,
      { failure: "capability-missing", detail: "Network access." },
    ],
    ["says nothing", "", { failure: "answer-unusable" }],
    ["only talks", "I would double it.", { failure: "answer-unusable" }],
    [
      "is cut off by the limit",
      { text: code, stopReason: "length" },
      { failure: "answer-unusable" },
    ],
    ["is cut off by itself", `${F}ts src/double.ts\nexport`, { failure: "answer-unusable" }],
    ["refuses", { text: "No.", stopReason: "refusal" }, { failure: "refused" }],
    [
      "leaves the workspace",
      `${F}ts path=../x.ts\nx\n${F}`,
      { failure: "out-of-scope", paths: ["../x.ts"] },
    ],
    ["is down", { failure: "model-unavailable", detail: "down" }, { failure: "model-unavailable" }],
  ])("that %s ends with a failure and an untouched workspace", async (_what, answer, failure) => {
    const { outcome, files } = await work({ answers: [answer] });
    expect(outcome).toMatchObject(failure);
    expect(files.size).toBe(0);
  });

  it("hands on what the toolbox says", async () => {
    const down: Failure = { failure: "sandbox-unavailable", detail: "no" };
    expect((await work({ answers: [code], answer: () => down })).outcome).toEqual(down);
    const refusal = { text: "src/other.ts is not yours", isError: true };
    const { outcome } = await work({
      answers: [`${F}ts src/other.ts\nx\n${F}`],
      answer: () => refusal,
    });
    expect(outcome).toMatchObject({ failure: "out-of-scope", paths: ["src/other.ts"] });
  });

  const text = { kind: "text" as const, files: [], interfaces: [] };
  it.each([
    [
      "a fenced file",
      `${F}\`md .results/core.md\n## R1\n\n${F}\nx\n${F}\n${F}\``,
      `## R1\n\n${F}\nx\n${F}\n`,
    ],
    ["bare Markdown", `## R1\n\nYes.\n\n${F}ts\nx\n${F}`, `## R1\n\nYes.\n\n${F}ts\nx\n${F}\n`],
    ["Markdown in one fence", `Here:\n${F}markdown\n## R1\nYes.\n${F}`, "## R1\nYes.\n"],
  ])("puts the result of a text task into its one file, from %s", async (_what, answer, wanted) => {
    const { files, model } = await work({ answers: [answer], pack: aPack({ contract: text }) });
    expect(Object.fromEntries(files)).toEqual({ ".results/core.md": wanted });
    expect(model.asked[0]?.messages[0]?.text).toContain("`## R1`");
  });
});

const call = (name: string, args: unknown = {}, id = "c1") => ({ toolCalls: [{ id, name, args }] });
const done =
  '{"summary":"Did it.","files_changed":["src/double.ts"],"tests_run":["all"],"confidence":1,"open_questions":[]}';
const tools = { protocol: "tools" as const };
const results = (messages: Message[]) =>
  messages.flatMap((one) => (one.from === "tool" ? [one] : []));

describe("a worker with tools", () => {
  it("works turn by turn until it reports", async () => {
    const write = call("write_file", { path: "src/double.ts", text: "x" });
    const { outcome, files, model } = await work({
      answers: [write, call("run_tests"), done],
      profile: tools,
    });
    expect(outcome).toMatchObject({
      report: { summary: "Did it.", tests_run: ["all"], confidence: 1 },
    });
    expect(files.get("src/double.ts")).toBe("x");
    expect(model.asked.map(({ turn }) => turn)).toEqual(["1", "2", "3"]);
    expect(model.asked[0]?.tools.map(({ name }) => name)).toContain("write_file");
    expect(results(model.asked[2]?.messages ?? [])).toHaveLength(2);
  });

  it.each<[string, ScriptedAnswer]>([
    ["an unknown tool", call("fly")],
    ["wrong arguments", call("read_file", { file: "a" })],
    ["a tool that is not allowed here", call("run_command", { command: "ls" })],
    ["a question where none may be asked", call("report_missing", { what: "a compiler" })],
  ])("hands %s on to be refused and journaled, and goes on", async (_what, first) => {
    const refusal = { text: "not for you", isError: true };
    const { outcome, model, called } = await work({
      answers: [first, done],
      profile: tools,
      answer: () => refusal,
    });
    expect(outcome).toHaveProperty("report");
    expect(results(model.asked[1]?.messages ?? [])).toMatchObject([refusal]);
    expect(called).toHaveLength(1);
  });

  it("ends when it says what is missing", async () => {
    const missing = call("report_missing", { what: "a compiler", why: "to compile" });
    const { outcome } = await work({
      answers: [missing, done],
      profile: tools,
      offers: ["report_missing"],
    });
    expect(outcome).toEqual({
      failure: "capability-missing",
      detail: "a compiler\nNeeded for: to compile",
    });
  });

  it("ends when it asks a person", async () => {
    const asks = call("ask_human", { question: "Which?", options: ["a", "b"] });
    const { outcome, called } = await work({ answers: [asks, done], profile: tools });
    expect(outcome).toEqual({ failure: "worker-asks", detail: "Which?", options: ["a", "b"] });
    expect(called).toEqual([]);
  });

  it("ends at the turn limit", async () => {
    const answers = Array.from({ length: 9 }, (_, n) => call("read_file", { path: `f${n}` }));
    const { outcome, model } = await work({ answers, profile: tools, limits: { turnsMax: 5 } });
    expect(outcome).toMatchObject({ failure: "turn-limit" });
    expect(model.asked).toHaveLength(5);
  });

  it("ends when it makes the same call for ever", async () => {
    const answers = Array.from({ length: 30 }, (_, n) => call("run_tests", {}, `c${n}`));
    const { outcome, model } = await work({ answers, profile: tools });
    expect(outcome).toMatchObject({
      failure: "turn-limit",
      detail: expect.stringContaining("run_tests"),
    });
    expect(model.asked).toHaveLength(4);
  });

  it("carries out no call of a cut-off reply", async () => {
    const cut = {
      ...call("write_file", { path: "src/double.ts", text: "half" }),
      stopReason: "length" as const,
    };
    const { outcome, files } = await work({ answers: [cut, done], profile: tools });
    expect(outcome).toHaveProperty("report");
    expect(files.size).toBe(0);
  });

  it("carries out a bounded number of calls in one reply, and answers each", async () => {
    const toolCalls = Array.from({ length: 100 }, (_, n) => ({
      id: `c${n}`,
      name: "run_tests",
      args: {},
    }));
    const { model, called } = await work({ answers: [{ toolCalls }, done], profile: tools });
    expect(called).toHaveLength(16);
    expect(results(model.asked[1]?.messages ?? [])).toHaveLength(100);
  });

  it("is shown a report that does not fit, and gives up after three", async () => {
    const bad = '{"summary": 3}';
    const mended = await work({ answers: [bad, done], profile: tools });
    expect(mended.outcome).toMatchObject({ report: { summary: "Did it." } });
    expect(mended.model.asked[1]?.messages.at(-1)?.text).toContain("summary");
    const never = await work({ answers: [bad, bad, bad, done], profile: tools });
    expect(never.outcome).toMatchObject({ failure: "answer-unusable" });
    expect((await work({ answers: ["", "", ""], profile: tools })).outcome).toMatchObject({
      failure: "answer-unusable",
    });
  });

  it("may report in plain words", async () => {
    const { outcome } = await work({ answers: ["All done, {nearly}."], profile: tools });
    expect(outcome).toMatchObject({ report: { summary: "All done, {nearly}." } });
  });

  it("hands a failing toolbox on and stops when told", async () => {
    const down: Failure = { failure: "sandbox-unavailable", detail: "no" };
    const failed = await work({
      answers: [call("run_tests"), done],
      profile: tools,
      answer: () => down,
    });
    expect(failed.outcome).toEqual(down);
    const stopped = await work({ answers: [done], profile: tools, signal: AbortSignal.abort() });
    expect(stopped.outcome).toMatchObject({ failure: "cancelled" });
  });

  it("keeps both ends of a flood of output", async () => {
    const flood = { text: `begin${"x".repeat(1_000_000)}end`, isError: false };
    const { model } = await work({
      answers: [call("run_tests"), done],
      profile: tools,
      answer: () => flood,
    });
    const [shown] = results(model.asked[1]?.messages ?? []);
    expect(shown?.text.length).toBeLessThan(25_000);
    expect(shown?.text).toMatch(/^begin[\s\S]*left out[\s\S]*end$/);
  });

  it("drops old output rather than outgrow the model's context", async () => {
    const answers = Array.from({ length: 20 }, (_, n) =>
      call("read_file", { path: `f${n}` }, `c${n}`),
    );
    const page = { text: "line\n".repeat(3000), isError: false };
    const { outcome, model } = await work({
      answers: [...answers, done],
      profile: { ...tools, contextTokens: 60_000 },
      answer: () => page,
    });
    expect(outcome).toHaveProperty("report");
    const shown = results(model.asked.at(-1)?.messages ?? []);
    expect(shown[0]?.text).toContain("dropped");
    expect(shown.at(-1)?.text).toBe(page.text);
  });
});
