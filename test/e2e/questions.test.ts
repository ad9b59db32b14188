/** Stuck work becomes a question; every way to answer it does the same thing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { spawn as spawnPty } from "@lydell/node-pty";
import { describe, expect, it } from "vitest";
import { BD } from "../support/bd.ts";
import { ADD_RIGHT, aPart, TINY_MATH, TINY_MATH_PLAN, TWICE_RIGHT } from "./plans.ts";
import { aRig, PROGRAM, type Rig, until } from "./rig.ts";

const ASKS = "```question\nWhich sign, plus or minus?\n```\n";

/** The worker of `add` asks first and knows at its second attempt; everything else is right. */
function asking(rig: Rig): string[] {
  const model = rig.script([
    { role: "worker", task: "add", attempt: 1, text: ASKS },
    { role: "worker", task: "add", attempt: 2, text: ADD_RIGHT },
    { role: "worker", task: "twice", text: TWICE_RIGHT },
  ]);
  return [rig.plan(TINY_MATH, { root: TINY_MATH_PLAN }), "--model", model];
}

/** What the second attempt at `add` was asked, as the journal keeps it. */
async function secondPrompt(rig: Rig): Promise<string> {
  const shown = await rig.fractal(["show", `fr-${rig.runs()[0]}.a1`, "--full"]);
  return shown.stdout.slice(shown.stdout.indexOf("Attempt 2"));
}

describe("a worker's question", () => {
  it("ends a run without a terminal with exit 3, and `fractal answer` lets resume finish it", async () => {
    using rig = aRig();
    const [plan = "", ...flags] = asking(rig);

    const first = await rig.fractal(["run", plan, ...flags]);

    expect(first.exitCode, first.all).toBe(3);
    const id = `fr-${rig.runs()[0]}.a1.q1`;
    expect(first.stdout).toContain("fractal answer");
    const issues = JSON.parse(rig.bd("human", "list", "--json")) as { id: string }[];
    expect(issues.map((issue) => issue.id)).toEqual([id]);
    const listed = await rig.fractal(["answer"]);
    expect(listed.stdout).toContain("Which sign, plus or minus?");

    const answered = await rig.fractal(["answer", id, "plus,", "like", "a", "daisy"]);
    expect(answered.exitCode, answered.all).toBe(0);
    // As the summary said it: the model is the one the run was started with.
    const second = await rig.fractal(["resume"]);

    expect(second.exitCode, second.all).toBe(0);
    expect(second.stderr).toContain(`with ${flags.join(" ")}`);
    expect(await secondPrompt(rig)).toContain("plus, like a daisy");
  });

  it("is answered by `bd human respond`", async () => {
    using rig = aRig();
    const [plan = "", ...flags] = asking(rig);
    await rig.fractal(["run", plan, ...flags]);

    rig.bd(
      "human",
      "respond",
      `fr-${rig.runs()[0]}.a1.q1`,
      "--response",
      "plus, says the buttercup",
    );
    const second = await rig.fractal(["resume", ...flags]);

    expect(second.exitCode, second.all).toBe(0);
    expect(await secondPrompt(rig)).toContain("plus, says the buttercup");
  });

  it("is failed for good when the person dismisses it", async () => {
    using rig = aRig();
    const [plan = "", ...flags] = asking(rig);
    const env = { FRACTAL_NOTIFY: 'echo "$FRACTAL_QUESTION" >> told' };
    await rig.fractal(["run", plan, ...flags], { env });
    const id = `fr-${rig.runs()[0]}.a1`;

    rig.bd("human", "dismiss", `${id}.q1`);
    const second = await rig.fractal(["resume", ...flags], { env });
    const third = await rig.fractal(["resume", ...flags], { env });

    expect(second.exitCode, second.all).toBe(1);
    expect(third.exitCode, third.all).toBe(1);
    // Why, on its issue, and the person's own command: each once, however often it is gone on with.
    const comments = JSON.parse(rig.bd("comments", id, "--json")) as { text: string }[];
    expect(comments.map((comment) => comment.text)).toEqual([
      expect.stringContaining(`Failed: its question ${id}.q1 was dismissed by`),
    ]);
    expect(readFileSync(join(rig.dir, "told"), "utf8")).toBe(`${id}.q1\n`);
    const tree = await rig.fractal(["tree"]);
    expect(tree.stdout).toMatch(/failed fr-\w+\.a1 The add/);
  });

  it("is asked at once in a terminal, and the run goes on with the answer", async () => {
    using rig = aRig();
    const [plan = "", ...flags] = asking(rig);
    const pty = spawnPty(process.execPath, [PROGRAM, "run", plan, ...flags], {
      cwd: rig.dir,
      cols: 100,
      rows: 40,
      env: { PATH: process.env["PATH"] ?? "", HOME: rig.dir, FRACTAL_BD: BD, TERM: "xterm" },
    });
    let screen = "";
    pty.onData((data) => {
      screen += data;
    });
    const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));

    await until("the question in the terminal", () =>
      /Which sign, plus or minus\?[\s\S]*Your answer/.test(screen),
    );
    pty.write("plus, says the lilac");
    await until("what was typed", () => screen.includes("lilac"));
    pty.write("\r");

    expect(await ended, screen).toBe(0);
    expect(await secondPrompt(rig)).toContain("plus, says the lilac");
  });

  it("holds up its own task alone", async () => {
    using rig = aRig();
    const model = rig.script([
      { role: "worker", task: "other", text: "```js other.mjs\nexport const other = 1;\n```" },
      { role: "worker", task: "add", text: ASKS },
      { role: "reviewer", task: "other", text: '{"reason": "fine", "accept": true}' },
    ]);
    const plan = rig.plan("# Two\n\n- R1: `add(2, 3)` returns `5`.\n- R2: an other.\n", {
      root: {
        ...TINY_MATH_PLAN,
        parts: [aPart("add"), aPart("other", { unchecked: "nothing to check" })],
        ownership: { R1: "add", R2: "other" },
        interfaces: TINY_MATH_PLAN.interfaces.slice(0, 1),
        dependencies: [],
        acceptance: TINY_MATH_PLAN.acceptance.slice(0, 1),
      },
    });

    const ran = await rig.fractal(["run", plan, "--model", model]);

    expect(ran.exitCode, ran.all).toBe(3);
    expect(rig.onBranch("other.mjs")).toContain("other = 1");
  });
});
