/** What people see of a real run: the plan before it, the live tree during it, tree and show after it. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";
import { describe, expect, it } from "vitest";
import { BD } from "../support/bd.ts";
import { TINY_MATH, TINY_MATH_ANSWERS, TINY_MATH_PLAN } from "./plans.ts";
import { aRig, PROGRAM } from "./rig.ts";

const BUNDLED = join(import.meta.dirname, "..", "..", "spec.md");

describe("before a run", () => {
  it("fractal plan shows tree, coverage and forecast, and writes nothing but the plan it is told to", async () => {
    using rig = aRig();
    copyFileSync(BUNDLED, join(rig.dir, "spec.md"));
    rig.commit("spec");
    const before = rig.git("for-each-ref");

    const ran = await rig.fractal(["plan", "spec.md", "--out", "plan.json"]);

    expect(ran.exitCode, ran.all).toBe(0);
    expect(ran.stdout).toMatch(/^▾ split root cronwhen/);
    expect(ran.stdout).toMatch(/^Coverage \d+ requirements: /m);
    expect(ran.stdout).toMatch(/^Forecast$/m);
    expect(rig.git("status", "--porcelain")).toBe("?? plan.json");
    expect(rig.git("for-each-ref")).toBe(before);

    const again = await rig.fractal(["plan", "spec.md", "--json"]);
    const { tasks, coverage } = JSON.parse(again.stdout).data;
    expect(tasks.length).toBeGreaterThanOrEqual(7);
    expect(coverage.counts.uncovered).toBe(0);
  });
});

describe("during a run", () => {
  it("a live tree is drawn in place at a terminal, and stands once when the run is over", async () => {
    using rig = aRig();
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const model = rig.script(TINY_MATH_ANSWERS);
    const size = { cols: 120, rows: 40 };
    const screen = new xterm.Terminal({ ...size, scrollback: 1000, allowProposedApi: true });
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: join(rig.dir, "..", "home"),
      FRACTAL_BD: BD,
      TERM: "xterm-256color",
    };

    const pty = spawn(process.execPath, [PROGRAM, "run", plan, "--model", model], {
      ...size,
      cwd: rig.dir,
      env,
    });
    let raw = "";
    pty.onData((data) => {
      raw += data;
    });
    const { exitCode } = await new Promise<{ exitCode: number }>((resolve) => pty.onExit(resolve));
    await new Promise<void>((resolve) => screen.write(raw, resolve));

    const buffer = screen.buffer.active;
    const lines = Array.from({ length: buffer.length }, (_, at) =>
      buffer.getLine(at)?.translateToString(true),
    );
    const text = lines.join("\n").trimEnd();
    expect(exitCode, text).toBe(0);
    // Every state it went through was drawn over: the tree stands there once, then the summary.
    expect(
      lines.filter((line) => line?.includes(`fr-${rig.runs()[0]}.a1 `)),
      text,
    ).toHaveLength(1);
    expect(text).toMatch(/├─ ✓ done .*\n└─ ✓ done /);
    expect(text).not.toContain("● running");
    expect(raw).toContain("● running");
    expect(text).toMatch(/^ {2}branch +fractal\//m);
  });
});

describe("after a run", () => {
  it("tree and show tell it again from the journal alone", async () => {
    using rig = aRig();
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const ran = await rig.fractal(["run", plan, "--model", rig.script(TINY_MATH_ANSWERS)]);
    expect(ran.exitCode, ran.all).toBe(0);
    const id = `fr-${rig.runs()[0]}.a1`;

    const [tree, data, show] = await Promise.all([
      rig.fractal(["tree"]),
      rig.fractal(["tree", "--json"]),
      rig.fractal(["show", id, "--full"]),
    ]);

    expect(tree.stdout).toContain(`✓ done ${id}`);
    expect(JSON.parse(data.stdout)).toMatchObject({
      schema_version: 1,
      data: { root: { status: "done", children: [{ status: "done" }, { status: "done" }] } },
    });
    for (const part of [
      "Purpose",
      "Files",
      "Checks",
      "Attempt 1",
      "✓ passed",
      "prompt (",
      "reply",
    ]) {
      expect(show.stdout).toContain(part);
    }
    expect(show.stdout).toContain("return a + b");
  });
});
