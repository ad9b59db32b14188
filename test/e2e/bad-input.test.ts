/** What cannot be run is refused: a clear message, the documented exit code, nothing written or lost. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { execaSync } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { startModelServer } from "../support/model-server.ts";
import { aPart, TINY_MATH, TINY_MATH_ANSWERS, TINY_MATH_PLAN } from "./plans.ts";
import { aRig, type Ran, type Rig, until } from "./rig.ts";

const SPEC = "# T\n\n- R1: `a()` returns `1`.\n";

/** Everything a run would leave: files of the folder, refs, and what git ignores there. */
function traces(rig: Rig): unknown {
  const exclude = join(rig.dir, ".git", "info", "exclude");
  return {
    files: readdirSync(rig.dir).sort(),
    refs: rig.git("for-each-ref"),
    status: rig.git("status", "--porcelain"),
    exclude: existsSync(exclude) ? readFileSync(exclude, "utf8") : "",
  };
}

/** Runs a command that must be refused, and shows that it left nothing. */
async function refused(rig: Rig, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const before = traces(rig);
  const ran = await rig.fractal(args, { env });
  expect(traces(rig), ran.all).toEqual(before);
  expect(ran.stdout).toBe("");
  return ran;
}

/** A folder with links to every program on PATH but one. */
function pathWithout(rig: Rig, missing: string): string {
  const folder = join(rig.dir, "..", `no-${missing}`);
  mkdirSync(folder);
  for (const place of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of existsSync(place) ? readdirSync(place) : []) {
      const link = join(folder, name);
      if (name !== missing && !existsSync(link)) symlinkSync(join(place, name), link);
    }
  }
  return folder;
}

/** Every byte below a folder, but for lock files, which are always empty. */
function hashOf(folder: string): string {
  const hash = createHash("sha256");
  const files = globSync("**/{*,.*}", { cwd: folder }).filter((file) => !file.endsWith("lock"));
  for (const file of files.sort()) {
    const path = join(folder, file);
    if (statSync(path).isFile()) hash.update(file).update(readFileSync(path));
  }
  return hash.digest("hex");
}

/** Mounts, where this user may; says whether it could. */
function mount(...args: string[]): boolean {
  return execaSync("mount", args, { reject: false }).exitCode === 0;
}

describe("a specification that is none", () => {
  const rig = aRig();
  afterAll(() => rig[Symbol.dispose]());
  const model = rig.script([]);
  it.each([
    ["a missing file", "missing.md", undefined, "missing.md does not exist"],
    ["an empty file", "empty.md", "", "empty.md is empty"],
    ["a file of white space", "white.md", " \n\n", "white.md is empty"],
    ["a binary file", "binary.md", Buffer.from([0x89, 0x50, 0xff, 0xfe, 0, 1]), "not UTF-8 text"],
    ["text with a NUL in it", "nul.md", "# T\0\n\n- R1: x\n", "nul.md is not a text file"],
    ["a file of 5 MB", "large.md", "x".repeat(5_000_000), "large.md is larger than 1 MB"],
    [
      "a document that asks for nothing",
      "vain.md",
      "---\nroot: lib\n---\n",
      "no requirement found",
    ],
    [
      "front matter that is no YAML",
      "yaml.md",
      "---\nroot: lib\nchecks: [a, {b\n---\n# T\n\n- R1: x\n",
      "yaml.md:3:15",
    ],
    [
      "front matter with an unknown key",
      "key.md",
      "---\nrot: lib\n---\n# T\n\n- R1: x\n",
      "key.md:2:1 unknown key `rot`: did you mean `root`?",
    ],
    ["a plan that is no JSON", "broken.json", "{\n  oops", "broken.json:2:3 is not JSON"],
    [
      "a plan that lacks what a plan has",
      "lacking.json",
      JSON.stringify({ schema_version: 1, spec: SPEC, splits: { root: { decision: "split" } } }),
      "lacking.json `splits.root.parts`",
    ],
  ])("refuses %s with exit 2", async (_, name, content, message) => {
    if (content !== undefined) writeFileSync(join(rig.dir, name), content);
    const ran = await refused(rig, ["run", name, "--model", model]);
    expect(ran.exitCode, ran.all).toBe(2);
    expect(ran.stderr).toContain(message);
    expect(ran.stderr).toContain("→");
  });

  it("refuses a plan that does not pass review, with all that is wrong, before a run begins", async () => {
    const plan = rig.plan(SPEC, {
      root: {
        ...TINY_MATH_PLAN,
        parts: [aPart("a"), aPart("b")],
        ownership: {},
        interfaces: [],
        dependencies: [
          { part: "a", needs: ["b"] },
          { part: "b", needs: ["a", "c"] },
        ],
        acceptance: [],
      },
    });
    const ran = await refused(rig, ["run", plan, "--model", model]);
    expect(ran.exitCode, ran.all).toBe(2);
    expect(ran.stderr).toContain("requirement R1 is owned by no part");
    expect(ran.stderr).toContain("`c`, which is no part");
    expect(ran.stderr).toContain("wait for each other in a circle: a, b");
    expect(ran.stderr).toMatch(/plan\.json root: /);
  });
});

describe("settings and words that cannot be meant", () => {
  const rig = aRig({ "spec.md": SPEC });
  afterAll(() => rig[Symbol.dispose]());
  const model = ["--model", rig.script([])];

  it.each<[string, string[], number, string]>([
    [
      "a model without its key",
      ["run", "spec.md", "--model", "anthropic:claude-haiku-5-5"],
      4,
      "ANTHROPIC_API_KEY",
    ],
    [
      "another model without its key",
      ["run", "spec.md", "--model", "openai:gpt-5"],
      4,
      "export OPENAI_API_KEY=",
    ],
    ["no model at all", ["run", "spec.md"], 4, "neither ANTHROPIC_API_KEY nor OPENAI_API_KEY"],
    [
      "recordings that are not there",
      ["run", "spec.md", "--model", "recorded:nope"],
      2,
      "there is no folder nope",
    ],
    [
      "a plan that could not be kept, before it is paid for",
      [
        "plan",
        "spec.md",
        "--model",
        "openai:x",
        "--base-url",
        "http://127.0.0.1:9/v1",
        "--out",
        "nope/plan.json",
      ],
      6,
      "nope/plan.json cannot be written",
    ],
    ["a model of no provider", ["run", "spec.md", "--model", "foo:x"], 2, "--model"],
    ["an unknown command", ["runn", "spec.md"], 2, "did you mean run?"],
    ["an unknown flag", ["run", "spec.md", "--modle", "x"], 2, "did you mean --model?"],
    ["an unknown run", ["tree", "nope"], 2, "there is no run nope here"],
    ["resuming where there is no run", ["resume"], 2, "there is no run here yet"],
    ["a run inside .git", ["run", "../spec.md", "-C", ".git", ...model], 2, "inside .git"],
    ["a plan inside .git", ["plan", "../spec.md", "-C", ".git", ...model], 2, "inside .git"],
  ])("refuses %s", async (_, args, exitCode, message) => {
    const ran = await refused(rig, args);
    expect(ran.exitCode, ran.all).toBe(exitCode);
    expect(ran.stderr).toContain(message);
  });

  it("refuses an unknown key of fractal.yaml with its place and the key that was meant", async () => {
    rig.write({ "fractal.yaml": "jobs: 2\nlimits:\n  check_timeout: 1\n" });
    const ran = await refused(rig, ["run", "spec.md", ...model]);
    expect(ran.exitCode, ran.all).toBe(2);
    expect(ran.stderr).toContain(
      "fractal.yaml:3:3 unknown key `limits.check_timeout`: did you mean `check_timeout_ms`?",
    );
    rig.write({ "fractal.yaml": "" });
  });

  it("refuses a repository with a branch named fractal, and names the command that renames it", async () => {
    rig.git("branch", "fractal");
    const ran = await refused(rig, ["run", "spec.md", ...model]);
    expect(ran.exitCode, ran.all).toBe(2);
    expect(ran.stderr).toContain("git branch -m fractal");
    rig.git("branch", "--delete", "fractal");
  });

  it("asks before it makes a repository, and makes none for what cannot be run", async () => {
    const dir = join(rig.dir, "..", "bare");
    mkdirSync(dir);
    writeFileSync(join(dir, "spec.md"), TINY_MATH);
    const script = rig.script([{ role: "planner", text: "{}" }]);
    const run = (spec: string, ...more: string[]) =>
      rig.fractal(["run", spec, "-C", dir, "--model", script, ...more]);

    const without = await run("spec.md");
    expect(without.exitCode, without.all).toBe(2);
    expect(without.stderr).toContain("git init");
    const missing = await run("missing.md", "-y");
    expect(missing.exitCode, missing.all).toBe(2);
    expect(readdirSync(dir)).toEqual(["spec.md"]);

    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const answers = rig.script(TINY_MATH_ANSWERS);
    const made = await rig.fractal(["run", plan, "-C", dir, "-y", "--model", answers]);
    expect(made.exitCode, made.all).toBe(0);
    expect(made.stderr).toContain("Based on the empty tree");
    const log = execaSync("git", ["log", "--all", "--format=%s"], { cwd: dir }).stdout;
    expect(log).toContain("The twice");
    expect(readdirSync(dir)).toContain("spec.md");
  });
});

describe("a machine that lacks something", () => {
  const rig = aRig({ "spec.md": SPEC });
  afterAll(() => rig[Symbol.dispose]());
  const args = ["run", "spec.md", "--model", rig.script([])];
  const program = (name: string, script: string) => {
    const folder = join(rig.dir, "..", name);
    mkdirSync(folder);
    writeFileSync(join(folder, "bd"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "bd"), 0o755);
    return folder;
  };

  it("ends with exit 6 when bd is missing, too old, or another program, and says which it needs", async () => {
    const old = join(program("old", `echo '{"version":"1.1.9"}'`), "bd");
    const wrong = program("wrong", "echo 'bd: a bead dispenser'");
    const cases: [Record<string, string>, RegExp][] = [
      [{ FRACTAL_BD: "/nowhere/bd" }, /\/nowhere\/bd, and there is no such file/],
      [{ FRACTAL_BD: old }, /1\.1\.9.*needs 1\.3\.0/],
      [{ FRACTAL_BD: join(wrong, "bd") }, /not Beads/],
    ];
    for (const [env, message] of cases) {
      const ran = await refused(rig, args, env);
      expect(ran.exitCode, ran.all).toBe(6);
      expect(ran.stderr).toMatch(message);
      expect(ran.stderr).toContain("FRACTAL_BD");
    }
  });

  it("ends with exit 6 without bubblewrap, with the one command that installs it", async () => {
    const ran = await refused(rig, args, { PATH: pathWithout(rig, "bwrap") });
    expect(ran.exitCode, ran.all).toBe(6);
    expect(ran.stderr).toMatch(/bubblewrap is not installed.*install/i);
  });

  it("ends with exit 6 without git, and does not send anybody to git init", async () => {
    const env = { PATH: pathWithout(rig, "git") };
    for (const command of [args, ["plan", ...args.slice(1)]]) {
      const ran = await refused(rig, command, env);
      expect(ran.exitCode, ran.all).toBe(6);
      expect(ran.stderr).toContain("git is not installed\n  → install git 2.38");
    }
  });

  it("ends with exit 6 in a read-only folder", async ({ skip }) => {
    const canMount = mount("--bind", rig.dir, rig.dir);
    if (!canMount) return skip("this user may not mount");
    try {
      mount("-o", "remount,ro,bind", rig.dir);
      for (const command of [args, ["plan", ...args.slice(1)]]) {
        const ran = await refused(rig, command);
        expect(ran.exitCode, ran.all).toBe(6);
        expect(ran.stderr).toContain(`${rig.dir} cannot be written to`);
      }
    } finally {
      execaSync("umount", [rig.dir]);
    }
  });

  it("leaves a .beads of an older schema byte for byte when nobody can consent", async () => {
    const fixture = join(import.meta.dirname, "../adapters/beads/fixtures/schema-53.tgz");
    execaSync("tar", ["xzf", fixture], { cwd: rig.dir });
    const beads = join(rig.dir, ".beads");
    const before = hashOf(beads);

    const ran = await rig.fractal(args);

    expect(ran.exitCode, ran.all).toBe(2);
    expect(ran.stderr).toMatch(/schema 53.*upgraded/);
    expect(hashOf(beads)).toBe(before);
    expect(existsSync(join(rig.dir, "telemetry"))).toBe(false);
  });
});

describe("a long document", () => {
  it("is planned along its outline, however much longer than a prompt it is", async () => {
    const text = readFileSync(join(import.meta.dirname, "../fixtures/specs/standard.md"), "utf8");
    expect(text.length).toBeGreaterThan(80_000);
    using rig = aRig({ "standard.md": text });
    await using server = await startModelServer(({ body, role }) => {
      if (role !== "planner") return { fault: "status", status: 500 };
      return JSON.stringify(oneLevelOf(unitsIn(body)));
    });
    const model = { model: "openai:test", base_url: server.openaiUrl, planning: "one" };
    rig.settings({ model: { ...model, context_tokens: 32_000 } });

    const ran = await rig.fractal(["plan", "standard.md", "--json"]);

    expect(ran.exitCode, ran.all).toBe(0);
    expect(server.calls).toHaveLength(1);
    const asked = server.calls[0]?.last ?? "";
    expect(asked.length).toBeLessThan(text.length);
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, title = ""]) => title);
    expect(headings.filter((title) => !asked.includes(title))).toEqual([]);
    expect(rig.git("status", "--porcelain")).toBe("");
  });
});

/** The ids a planner may give away, as the schema of its answer names them. */
function unitsIn(body: Record<string, unknown>): string[] {
  const format = body["response_format"] as {
    json_schema: { schema: { properties: { owners: { properties: object } } } };
  };
  return Object.keys(format.json_schema.schema.properties.owners.properties);
}

/** A split of everything into at most 20 small parts. */
function oneLevelOf(units: string[]): object {
  const keys = units.slice(0, 20).map((_, index) => `p${index + 1}`);
  const part = (key: string) => ({
    ...{ key, title: `Part ${key}`, purpose: `Write what ${key} is about.`, kind: "code" },
    ...{ size: "S", files: [`${key}.mjs`], command: null, unchecked: "prose" },
  });
  return {
    ...{ size: "XL", decision: "split", reason: "along the outline", parts: keys.map(part) },
    owners: Object.fromEntries(units.map((unit, index) => [unit, keys[index % keys.length]])),
    ...{ interfaces: [], dependencies: [], questions: [], risks: [] },
    ...{ calls: [], commands: [], requests: [], acknowledgements: [] },
  };
}

describe("a planner that never gives a valid plan", () => {
  it("is asked three times, and then a person, with every problem of its last plan", async () => {
    using rig = aRig({ "spec.md": "# T\n\n- R1: one thing.\n- R2: another thing.\n" });
    const wrong = {
      ...oneLevelOf(["R1", "R2"]),
      owners: { R1: "p1", R2: "all" },
      dependencies: [
        { part: "p1", needs: ["p2", "p3"] },
        { part: "p2", needs: ["p1"] },
      ],
    };
    const script = [1, 2, 3, 4].map(() => ({ role: "planner", text: JSON.stringify(wrong) }));

    const ran = await rig.fractal(["run", "spec.md", "--model", rig.script(script)]);

    expect(ran.exitCode, ran.all).toBe(3);
    const calls = rig.events().filter((event) => event.event_type === "call.started");
    expect(calls.length).toBeLessThanOrEqual(3);
    const listed = await rig.fractal(["answer"]);
    expect(listed.stdout).toContain("wait for each other in a circle: p1, p2");
    expect(listed.stdout).toContain("`p3`, which is no part");
    const issues = JSON.parse(rig.bd("list", "--all", "--limit", "0", "--json")) as object[];
    expect(issues).toHaveLength(2);
  });
});

describe("a run that is going on", () => {
  it("keeps a second one out at once; ids it does not have are told with those it has", async () => {
    using rig = aRig();
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const mail = join(rig.dir, "..", "mail");
    const args = ["run", plan, "--model", `mailbox:${mail}`];
    const first = rig.start(args);
    await until("a call", () => existsSync(mail) && readdirSync(mail).length > 0);

    const second = await rig.fractal(args);
    expect(second.exitCode, second.all).toBe(2);
    expect(second.stderr).toContain("another fractal run is at work in this repository");
    expect(rig.runs()).toHaveLength(1);
    for (const command of [["show"], ["answer"], ["cancel"]]) {
      const ran = await rig.fractal([...command, "a11", ...(command[0] === "answer" ? ["x"] : [])]);
      expect(ran.exitCode, ran.all).toBe(2);
      expect(ran.stderr).toMatch(/no task or question a11[\s\S]*did you mean fr-\w+\.a1\?/);
    }
    const tree = await rig.fractal(["tree"]);
    expect(tree.stdout).toContain("running");

    first.kill("SIGINT");
    expect((await first).exitCode).toBe(130);
  });
});

describe("a full disk", () => {
  it("ends the run with exit 6 and loses nothing: with room, resume finishes it", async ({
    skip,
  }) => {
    using rig = aRig();
    const telemetry = join(rig.dir, "telemetry");
    mkdirSync(telemetry);
    const canMount = mount("-t", "tmpfs", "-o", "size=40k", "tmpfs", telemetry);
    if (!canMount) return skip("this user may not mount");
    try {
      const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
      const flags = ["--model", rig.script(TINY_MATH_ANSWERS)];

      const full = await rig.fractal(["run", plan, ...flags]);

      expect(full.exitCode, full.all).toBe(6);
      expect(full.stderr).toMatch(/cannot write .*telemetry.*ENOSPC[\s\S]*fractal resume/);
      const before = rig.events();

      mount("-o", "remount,size=32m", telemetry);
      const resumed = await rig.fractal(["resume", "--model", rig.script(TINY_MATH_ANSWERS)]);

      expect(resumed.exitCode, resumed.all).toBe(0);
      const events = rig.events();
      expect(events.slice(0, before.length)).toEqual(before);
      expect(rig.onBranch("lib/twice.mjs")).toContain("add(n, n)");
      const done = events.filter((event) => event.event_type === "task.done");
      expect(new Set(done.map((event) => event.task_id)).size).toBe(done.length);
    } finally {
      execaSync("umount", [telemetry]);
    }
  });
});
