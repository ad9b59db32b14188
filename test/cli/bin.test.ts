/** The program as it is started: a real process, its exit code and its streams. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const BIN = fileURLToPath(new URL("../../bin/fractal.mjs", import.meta.url));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs it in an empty folder without keys; `leave` closes stdout before anything is read. */
function fractal(
  args: string[],
  o: { cwd?: string; leave?: boolean; cache?: string } = {},
): Promise<Ended> {
  const { ANTHROPIC_API_KEY: _a, OPENAI_API_KEY: _o, ...env } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: o.cwd ?? mkdtempSync(join(tmpdir(), "fractal-bin-")),
    env: {
      ...env,
      XDG_CONFIG_HOME: "/nonexistent",
      ...(o.cache === undefined ? {} : { XDG_CACHE_HOME: o.cache }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended: Ended = { code: null, stdout: "", stderr: "" };
  if (o.leave === true) child.stdout.destroy();
  child.stdout.on("data", (data) => {
    ended.stdout += data;
  });
  child.stderr.on("data", (data) => {
    ended.stderr += data;
  });
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ ...ended, code }));
  });
}

describe("the program", () => {
  it("helps, and says what was typed wrongly", async () => {
    const [help, wrong] = await Promise.all([fractal(["--help"]), fractal(["tre"])]);
    expect([help.code, help.stderr]).toEqual([0, ""]);
    expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toContain("did you mean tree?");
  });

  it("keeps what was compiled in the user's cache, and starts as well where it cannot", async () => {
    const cache = mkdtempSync(join(tmpdir(), "fractal-bin-"));
    const kept = await fractal(["--help"], { cache });
    const without = await fractal(["--help"], { cache: "/dev/null" });
    expect([kept.code, kept.stderr]).toEqual([0, ""]);
    expect(without).toEqual(kept);
    const files = readdirSync(join(cache, "fractal", "compiled"), { recursive: true });
    expect(files.length).toBeGreaterThan(1);
  });

  it("ends with 2 where there is no run, no specification, or a configuration with a slip", async () => {
    const slip = mkdtempSync(join(tmpdir(), "fractal-bin-"));
    writeFileSync(join(slip, "fractal.yaml"), "jbos: 2\n");
    const [tree, plan, config] = await Promise.all([
      fractal(["tree"]),
      fractal(["plan", "nope.md"]),
      fractal(["config", "show"], { cwd: slip }),
    ]);
    expect([tree.code, plan.code, config.code]).toEqual([2, 2, 2]);
    expect(tree.stderr).toContain("there is no run here yet");
    expect(plan.stderr).toContain("nope.md does not exist");
    expect(config.stderr).toContain("fractal.yaml:1:1 unknown key `jbos`: did you mean `jobs`?");
    for (const { stderr } of [tree, plan, config]) expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("names the missing variables and exits 4 when a model has no key", async () => {
    const dir = mkdtempSync(join(tmpdir(), "fractal-bin-"));
    writeFileSync(join(dir, "spec.md"), "# A tool\n\n- R1: it works.\n");
    const { code, stderr } = await fractal(["plan", "spec.md"], { cwd: dir });
    expect(code).toBe(4);
    expect(stderr).toMatch(/ANTHROPIC_API_KEY.*OPENAI_API_KEY/);
  });

  it("does not mind a reader that leaves", async () => {
    const { code, stderr } = await fractal(["config", "show", "--json", "--model", "openai:x"], {
      leave: true,
    });
    expect([code, stderr]).toEqual([0, ""]);
  });
});
