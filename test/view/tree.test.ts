/** The tree people see, against golden files, and what must hold for every tree. */
import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import type { RunState, TaskState } from "../../src/domain/run-state.ts";
import { renderTree } from "../../src/view/tree.ts";
import { treeJson } from "../../src/view/tree-json.ts";
import { anAttempt, aQuestion, aState, aTask, STARTED_AT } from "../support/builders.ts";

const NOW = STARTED_AT + 75_000;

/** One task in every status, two levels deep. */
function everyStatus(): RunState {
  const root = "fr-k";
  return aState({
    tasks: [
      aTask(root, { title: "A duration tool" }),
      aTask("fr-k.a1", {
        title: "Parse durations",
        parent: root,
        end: "done",
        attempts: [
          anAttempt(1, { outcome: "rejected" }),
          anAttempt(2),
          anAttempt(3, { role: "fixer" }),
        ],
      }),
      aTask("fr-k.a2", {
        title: "Format durations",
        parent: root,
        dependsOn: ["fr-k.a1"],
        lease: {
          attempt: 1,
          role: "worker",
          fence: 1,
          holder: "h",
          deadlineMs: NOW,
          sinceMs: NOW - 15_000,
        },
        attempts: [openAttempt()],
      }),
      aTask("fr-k.a3", { title: "Command line", parent: root }),
      aTask("fr-k.a3.a1", { title: "Flags", parent: "fr-k.a3", dependsOn: ["fr-k.a2"] }),
      aTask("fr-k.a3.a2", {
        title: "Help",
        parent: "fr-k.a3",
        end: "done",
        unchecked: true,
        attempts: [anAttempt(1, { costUsd: undefined })],
      }),
      aTask("fr-k.a4", { title: "Locale", parent: root }),
      aTask("fr-k.a5", { title: "Rounding", parent: root, end: "failed", endReason: "gave up" }),
      aTask("fr-k.a6", { title: "Plurals", parent: root, attemptsLeft: 0, route: "fixer" }),
      aTask("fr-k.a7", {
        title: "Weeks",
        parent: root,
        end: "accepted",
        endReason: "accepted by Ada",
      }),
      aTask("fr-k.a8", { title: "Months", parent: root, end: "cancelled", endReason: "no (Ada)" }),
      aTask("fr-k.a9", { title: "Years", parent: root, paused: true }),
      aTask("fr-k.a10", { title: "Docs", parent: root, shape: "unplanned" }),
      aTask("fr-k.a11", { title: "Site", parent: root, takenBy: "Bob" }),
    ],
    questions: [aQuestion("fr-k.a4.q1", "fr-k.a4", { title: "Which languages?" })],
  });
}

function openAttempt() {
  const { endedAt: _ended, outcome: _outcome, ...open } = anAttempt(1, { workedMs: 0 });
  return open;
}

describe("the tree", () => {
  it("shows every status by glyph and word, what waits for what, and what it cost", async () => {
    const text = renderTree(everyStatus(), {
      width: Number.POSITIVE_INFINITY,
      colour: false,
      now: NOW,
    });
    await expect(`${text}\n`).toMatchFileSnapshot("golden/tree-piped.txt");
  });

  it("is cut to a terminal", async () => {
    const text = renderTree(everyStatus(), { width: 80, colour: false, now: NOW });
    await expect(`${text}\n`).toMatchFileSnapshot("golden/tree-80.txt");
  });

  it("carries the same words in colour", () => {
    const plain = renderTree(everyStatus(), { width: 120, colour: false, now: NOW });
    const coloured = renderTree(everyStatus(), { width: 120, colour: true, now: NOW });
    const esc = String.fromCharCode(27);
    expect(coloured).toContain(`${esc}[31m? needs_human`);
    expect(coloured).toContain(`${esc}[33m● running`);
    expect(coloured).toContain(`${esc}[32m✓ done`);
    expect(coloured.replace(new RegExp(`${esc}\\[\\d+m`, "g"), "")).toBe(plain);
  });

  it("folds finished parts first and never hides what is red when rows are few", () => {
    const state = everyStatus();
    const lines = renderTree(state, { width: 80, colour: false, now: NOW, rows: 6 }).split("\n");
    expect(lines).toHaveLength(6);
    expect(lines.join("\n")).toContain("? needs_human fr-k.a4");
    expect(lines.join("\n")).toContain("✗ failed fr-k.a5");
    expect(lines.at(-2)).toMatch(/^… \d+ more tasks$/);
  });

  it("lets no title speak to the terminal", () => {
    const state = aState({ tasks: [aTask("fr-k", { title: "\u001b[2Jgone\u0007\nnext\u202e" })] });
    const text = renderTree(state, { width: 80, colour: false, now: NOW });
    expect(text.split("\n")[0]).toBe("○ queued fr-k gone next");
  });

  it("shows every task once, in order, on lines no wider than the terminal", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.integer({ min: 40, max: 200 }),
        (parents, width) => {
          const tasks: TaskState[] = [aTask("t0", { title: "宽 title ".repeat(20) })];
          for (const [index, parent] of parents.entries()) {
            const above = `t${parent % (index + 1)}`;
            tasks.push(aTask(`t${index + 1}`, { parent: above, title: "x".repeat(index * 7) }));
          }
          const depthMax = 8;
          const state = aState({ tasks });
          const lines = renderTree(state, { width, colour: false, now: NOW }).split("\n");
          expect(lines).toHaveLength(tasks.length + 1);
          for (const line of lines) {
            const lead = line.match(/^[│├└─ ]*/)?.[0].length ?? 0;
            if (lead <= 3 * depthMax && width >= 80)
              expect(stringWidth(line)).toBeLessThanOrEqual(width);
          }
        },
      ),
    );
  });
});

describe("the tree as data", () => {
  it("nests tasks and tells unknown money as null", () => {
    const data = JSON.parse(JSON.stringify(treeJson(everyStatus())));
    expect(data.leaves).toBe(12);
    expect(data.cost_usd).toBeNull();
    expect(data.root.children[2].children[1]).toMatchObject({
      id: "fr-k.a3.a2",
      status: "done",
      unchecked: true,
      cost_usd: null,
    });
    expect(data.questions).toMatchObject([{ id: "fr-k.a4.q1", about: "fr-k.a4" }]);
  });
});
