/** One event as one line; money, time and text as people read them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { harmless } from "../../src/domain/harmless.ts";
import { costText, durationText, usageText } from "../../src/view/money.ts";
import { renderProgress } from "../../src/view/progress.ts";
import { renderTable } from "../../src/view/table.ts";
import { block, cut, headOf } from "../../src/view/text.ts";
import { anEvent, aState, aTask } from "../support/builders.ts";

const state = aState({
  tasks: [aTask("fr-k", { title: "A tool" }), aTask("fr-k.a1", { parent: "fr-k", title: "Parse" })],
});
const USAGE = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };

const aMerge = (result: "fast-forward" | "found" | "conflicts") =>
  ({
    event_type: "run.merged",
    ...{ into: "main", tip: "a".repeat(40), before: "b".repeat(40), after: "a".repeat(40) },
    ...{ result, at: "2026-01-05T12:00:00.000Z" },
  }) as const;

const line = (fact: Parameters<typeof anEvent>[0], taskId: string | null = "fr-k.a1") =>
  renderProgress(anEvent(fact, { taskId, seconds: 7 }), state);

describe("an event as a line", () => {
  it.each([
    [
      {
        event_type: "lease.taken",
        attempt: 2,
        role: "worker",
        fence: 2,
        holder: "h",
        deadline: "",
        base: "",
      },
      "worker starts attempt 2",
    ],
    [{ event_type: "task.done", attempt: 1, unchecked: false }, "done, merged"],
    [{ event_type: "task.done", attempt: 1, unchecked: true }, "done, merged, unchecked"],
    [{ event_type: "task.done", unchecked: false }, "done"],
    [aMerge("fast-forward"), "merged into main by fractal (aaaaaaaaaaaa)"],
    [aMerge("found"), "found to be merged into main (aaaaaaaaaaaa)"],
    [aMerge("conflicts"), "not merged into main for fractal: conflicts"],
    [
      { event_type: "task.split", children: ["a", "b"], checks: [], assumptions: [] },
      "split into 2 tasks",
    ],
    [
      {
        event_type: "attempt.ended",
        attempt: 1,
        role: "worker",
        fence: 1,
        outcome: "rejected",
        failure: { failure: "check-failed", detail: "expected 1\ngot 2", checks: [] },
        summary: "",
        model: "m",
        provider: "p",
        usage: USAGE,
        cost_usd: null,
        calls: 1,
        duration_ms: 1500,
        files: [],
      },
      "worker attempt 1 rejected (2 s, cost unknown), check-failed: expected 1 got 2",
    ],
    [
      {
        event_type: "question.opened",
        question: "fr-k.a1.q1",
        kind: "asks",
        title: "Which?",
        why: "",
        options: [],
        tried: "",
        blocks: [],
      },
      "asks fr-k.a1.q1: Which? (fractal answer fr-k.a1.q1)",
    ],
  ] as const)("%j says: %s", (fact, said) => {
    expect(line(fact as never)).toBe(`12:00:07 fr-k.a1 ${said} · Parse`);
  });

  it("about the run names no task, and shouts when there is no sandbox", () => {
    const fact = { event_type: "run.resumed", pid: 1, models: {}, contained: false } as const;
    expect(line(fact, null)).toBe("12:00:07 run goes on where it stopped, WITHOUT A SANDBOX");
  });

  it.each([
    { event_type: "lease.renewed", attempt: 1, fence: 1, deadline: "" },
    { event_type: "mirror.done", lines: [] },
    { event_type: "pass.decided", decision: "continue", reason: "" },
    {
      event_type: "call.started",
      attempt: 1,
      turn: "1",
      role: "worker",
      model: "",
      provider: "",
      request: "",
      prompt: "",
    },
  ] as const)("is none for housekeeping: %j", (fact) => {
    expect(line(fact as never)).toBeUndefined();
  });

  it("is one harmless line of bounded length, whatever somebody wrote", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 500 }), (reason) => {
        const text = line({ event_type: "task.failed", reason });
        expect(text).not.toMatch(/\n/);
        expect(text?.length).toBeLessThanOrEqual(400);
        expect(harmless(text ?? "")).toBe(text);
      }),
    );
  });
});

describe("money and time", () => {
  it("calls what is unknown unknown, and never rounds something to nothing", () => {
    expect([undefined, 0, 0.00001, 0.0042, 0.5, 12.345].map(costText)).toEqual([
      "cost unknown",
      "$0",
      "<$0.0001",
      "$0.0042",
      "$0.5000",
      "$12.35",
    ]);
  });

  it("reads durations and tokens as people do", () => {
    expect([0, 999, 1000, 59_400, 60_000, 200_000, 7_500_000].map(durationText)).toEqual([
      "0 ms",
      "999 ms",
      "1 s",
      "59 s",
      "1 m 0 s",
      "3 m 20 s",
      "2 h 5 m",
    ]);
    expect(
      usageText({ inputTokens: 12_345, outputTokens: 6, cacheReadTokens: 7, cacheWriteTokens: 0 }),
    ).toBe("12,345 tokens in, 6 out, 7 from cache");
  });
});

describe("text", () => {
  it("is cut by columns, not characters, and says that it is cut", () => {
    expect([cut("abcdef", 4), cut("abcd", 4), cut("宽宽宽", 4), cut("ab", 0)]).toEqual([
      "abc…",
      "abcd",
      "宽…",
      "",
    ]);
  });

  it("is wrapped with its indent, hard where a word is too long", () => {
    expect(block("one two three four five six", 22, "  ")).toEqual([
      "  one two three four",
      "  five six",
    ]);
    expect(block("x".repeat(30), 22, "  ")).toEqual([`  ${"x".repeat(20)}`, `  ${"x".repeat(10)}`]);
  });

  it("tells how many lines were left out", () => {
    expect(headOf(["a", "b", "c"], 2, "… ", "see x")).toEqual(["a", "b", "… 1 more line (see x)"]);
    expect(headOf(["a", "b"], 2, "… ", "see x")).toEqual(["a", "b"]);
  });

  it("loses escape sequences whole, and keeps everything that is harmless", () => {
    expect(harmless("\u001b[31mred\u001b[0m \u001b]0;title\u0007 ok\r\n\tü 宽")).toBe(
      "red ]0;title ok\n\tü 宽",
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const safe = harmless(text);
        expect(harmless(safe)).toBe(safe);
        for (const char of safe) {
          const code = char.codePointAt(0) ?? 0;
          expect(code >= 0x20 || char === "\n" || char === "\t").toBe(true);
        }
      }),
    );
  });
});

describe("a table", () => {
  it("is aligned at a terminal and tab-separated without headings when piped", () => {
    const rows = [
      ["1", "worker\tx"],
      ["22", "fixer"],
    ];
    expect(renderTable(["#", "role"], rows, { aligned: true, colour: false })).toEqual([
      "#   role",
      "1   worker x",
      "22  fixer",
    ]);
    expect(renderTable(["#", "role"], rows, { aligned: false, colour: false })).toEqual([
      "1\tworker x",
      "22\tfixer",
    ]);
  });
});
