/** One task on one page: everything the journal knows of it. */
import { describe, expect, it } from "vitest";
import { renderShow } from "../../src/view/show.ts";
import { showJson } from "../../src/view/show-json.ts";
import {
  aCheck,
  anAttempt,
  anEvent,
  aQuestion,
  aState,
  aTask,
  aVerdict,
  STARTED_AT,
} from "../support/builders.ts";

const SPEC = "# A duration tool\n\n- R1: `parse` reads `1h` as 3600.\n- R2: it prints.\n";
const USAGE = { inputTokens: 4000, outputTokens: 500, cacheReadTokens: 0, cacheWriteTokens: 0 };

const BLOBS: Record<string, string> = {
  spec: SPEC,
  request: JSON.stringify({
    system: "You write code.",
    messages: [{ from: "user", text: `Do it.\n${"a line\n".repeat(30)}` }],
  }),
  reply: JSON.stringify({
    text: "Here it is.",
    toolCalls: [{ id: "1", name: "run_tests", args: {} }],
  }),
  args: JSON.stringify({ path: "a.mjs", lines: 3, text: "one\ntwo" }),
  output: "1 test, 1 failed",
  log: "the whole log\nin two lines",
};

function source() {
  const call = { attempt: 1, turn: "1", role: "worker", model: "m:x", provider: "m" };
  const events = [
    anEvent(
      { event_type: "call.started", ...call, request: "request", prompt: "worker 3" },
      { taskId: "fr-k.a1", seq: 1 },
    ),
    anEvent(
      {
        event_type: "call.answered",
        ...call,
        reply: "reply",
        usage: USAGE,
        cost_usd: 0.001,
        duration_ms: 2000,
        answered_by: "written by hand",
        stop_reason: "tool-calls",
      },
      { taskId: "fr-k.a1", seq: 2 },
    ),
    anEvent(
      {
        event_type: "tool.called",
        attempt: 1,
        turn: "1",
        role: "worker",
        tool: "run_tests",
        args: "args",
      },
      { taskId: "fr-k.a1", seq: 3 },
    ),
    anEvent(
      {
        event_type: "tool.returned",
        attempt: 1,
        turn: "1",
        role: "worker",
        tool: "run_tests",
        is_error: false,
        output: "output",
        duration_ms: 80,
      },
      { taskId: "fr-k.a1", seq: 4 },
    ),
    anEvent(
      { event_type: "call.started", ...call, request: "gone", prompt: "worker 3" },
      { taskId: "fr-k.a2", seq: 5 },
    ),
  ];
  const state = aState({
    spec: { path: "spec.md", hash: "h", blob: "spec", title: "A duration tool" },
    tasks: [
      aTask("fr-k", { title: "A duration tool" }),
      aTask("fr-k.a1", {
        title: "Parse durations",
        parent: "fr-k",
        end: "done",
        commit: "c".repeat(40),
        contract: {
          requirements: ["R1", "R9"],
          files: ["src/parse.mjs"],
          checks: [aCheck("parse", { requirements: ["R1"] })],
          examples: ['parse("1h") returns 3600'],
          interfaces: [
            {
              file: "src/parse.mjs",
              name: "parse",
              declaration: "export function parse(text)",
              doc: "",
            },
          ],
        },
        assumptions: ["Seconds are whole."],
        guidance: [{ from: "Ada", text: "Use a table." }],
        attempts: [
          anAttempt(1, {
            outcome: "rejected",
            summary: "Wrote parse.",
            failure: { failure: "check-failed", detail: "got 60", checks: ["parse"] },
            files: ["src/parse.mjs"],
            vacuous: ["old"],
            verdict: aVerdict({
              passed: false,
              gatesGreen: 0,
              reason: "got 60",
              results: [
                {
                  name: "parse",
                  passed: false,
                  gates: true,
                  exitCode: 1,
                  durationMs: 90,
                  detail: "got 60",
                  output: "log",
                },
                { name: "old", passed: true, gates: true, exitCode: 0, durationMs: 40, detail: "" },
              ],
            }),
          }),
          anAttempt(2, { kept: "refs/fractal/k3f9x2/fr-k.a1.2" }),
        ],
      }),
      aTask("fr-k.a2", { parent: "fr-k" }),
    ],
    questions: [
      aQuestion("fr-k.a1.q1", "fr-k.a1", {
        state: "answered",
        by: "Ada",
        answer: "Use a table.",
        tried: "Two attempts.",
        options: ["a table", "a parser"],
      }),
    ],
  });
  return { state, events, blob: (hash: string) => BLOBS[hash] };
}

const LOOK = { width: 100, colour: false, now: STARTED_AT, full: false, tables: true };

describe("showing a task", () => {
  it("tells contract, requirements, talk, attempts, verdicts, prompt, reply and tool calls", async () => {
    const text = renderShow(source(), "fr-k.a1", LOOK);
    await expect(`${text}\n`).toMatchFileSnapshot("golden/show.txt");
  });

  it("shows whole texts and outputs with --full, and no table when piped", async () => {
    const text = renderShow(source(), "fr-k.a1", {
      ...LOOK,
      full: true,
      tables: false,
      width: Number.POSITIVE_INFINITY,
    });
    await expect(`${text}\n`).toMatchFileSnapshot("golden/show-full.txt");
    expect(text).toContain("the whole log");
    expect(text).not.toContain("more lines");
  });

  it("shows a question by its own id, with the command that answers it while it is open", () => {
    const { state, ...rest } = source();
    const open = {
      ...rest,
      state: aState({ tasks: [aTask("t")], questions: [aQuestion("t.q1", "t")] }),
    };
    expect(renderShow(open, "t.q1", LOOK)).toContain("fractal answer t.q1");
    expect(renderShow({ ...rest, state }, "fr-k.a1.q1", LOOK)).not.toContain("fractal answer");
  });

  it("says so when an answer never came, and knows no unknown id", () => {
    const calls = showJson(source(), "fr-k.a2")?.["calls"];
    expect(calls).toMatchObject([{ kind: "model", prompt: undefined, reply: undefined }]);
    expect(renderShow(source(), "nope", LOOK)).toBeUndefined();
    expect(showJson(source(), "nope")).toBeUndefined();
  });

  it("tells a call that is under way from one that was cut off", () => {
    const { state, events, blob } = source();
    const lease = { attempt: 1, role: "worker", fence: 1, holder: "h", deadlineMs: 0 } as const;
    const { endedAt: _end, outcome: _outcome, ...attempt } = anAttempt(1);
    const task = aTask("fr-k.a2", { attempts: [attempt] });
    const shown = (one: typeof task) =>
      renderShow(
        { events, blob, state: { ...state, tasks: new Map([[one.id, one]]) } },
        one.id,
        LOOK,
      );
    expect(shown({ ...task, lease })).toContain("m:x · not answered yet");
    expect(shown(task)).toContain("m:x · no answer");
    expect(shown(task)).not.toContain("reply");
  });

  it("gives a program the requirement's words and every call whole", () => {
    const data = showJson(source(), "fr-k.a1");
    expect(data?.["requirements"]).toMatchObject([
      { id: "R1", line: 3 },
      { id: "R9", text: undefined },
    ]);
    expect(data?.["calls"]).toHaveLength(2);
  });
});
