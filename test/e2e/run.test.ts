/** `fractal run`: from a plan to merged, checked work, with the real bd, git and sandbox. */
import { describe, expect, it } from "vitest";
import { startModelServer } from "../support/model-server.ts";
import {
  ADD_RIGHT,
  ADD_WRONG,
  aPart,
  aPlan,
  called,
  files,
  TINY_MATH,
  TINY_MATH_ANSWERS,
  TINY_MATH_PLAN,
  TWICE_RIGHT,
} from "./plans.ts";
import { aRig } from "./rig.ts";

describe("a run", () => {
  it("lands every leaf on its own branch and leaves the user's files, index and branch alone", async () => {
    using rig = aRig({ "lib/README.md": "old\n", "other.txt": "mine\n" });
    rig.write({ "other.txt": "changed, not committed\n" });
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const before = [rig.git("rev-parse", "HEAD"), rig.git("status", "--porcelain")];

    const ran = await rig.fractal(["run", plan, "--model", rig.script(TINY_MATH_ANSWERS)]);

    expect(ran.exitCode, ran.all).toBe(0);
    expect(rig.onBranch("lib/add.mjs")).toContain("return a + b");
    expect(rig.onBranch("lib/twice.mjs")).toContain("add(n, n)");
    expect([rig.git("rev-parse", "HEAD"), rig.git("status", "--porcelain")]).toEqual(before);
    expect(ran.stderr).toContain("1 uncommitted path is not part of it: other.txt");
    const run = rig.runs()[0];
    const trailers = rig.git(
      "log",
      "--format=%(trailers:key=Fractal-Task,valueonly)",
      `fractal/${run}/main`,
    );
    expect(trailers.match(/a1 1/g)).toHaveLength(1);
    expect(trailers.match(/a2 1/g)).toHaveLength(1);
    const listed = rig.bd("list", "--all", "--limit", "0", "--json");
    const issues = JSON.parse(listed) as { id: string; status: string }[];
    expect(issues.map((issue) => [issue.id, issue.status]).sort()).toEqual([
      [`fr-${run}`, "closed"],
      [`fr-${run}.a1`, "closed"],
      [`fr-${run}.a2`, "closed"],
    ]);
  });

  it("gives a leaf another attempt with the failing case in its prompt", async () => {
    using rig = aRig();
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const model = rig.script([
      { role: "worker", task: "add", attempt: 1, text: ADD_WRONG },
      { role: "worker", task: "add", attempt: 2, text: ADD_RIGHT },
      { role: "worker", task: "twice", text: TWICE_RIGHT },
    ]);

    const ran = await rig.fractal(["run", plan, "--model", model]);

    expect(ran.exitCode, ran.all).toBe(0);
    const ended = rig.events().filter((event) => event.event_type === "attempt.ended");
    const add = ended.filter((event) => event.task_id?.endsWith(".a1"));
    expect(add.map((event) => event.outcome)).toEqual(["rejected", "succeeded"]);
    const shown = await rig.fractal(["show", `fr-${rig.runs()[0]}.a1`, "--full"]);
    expect(shown.stdout).toContain("returned -1, expected 5");
    const second = shown.stdout.slice(shown.stdout.indexOf("Attempt 2"));
    expect(second).toContain("returned -1, expected 5");
  });

  it("asks the fixer after three failed attempts, and its guidance is in the next prompt", async () => {
    using rig = aRig();
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const decision = {
      cause: "It subtracts.",
      kind: "guidance",
      text: "Use the plus sign, sunshine.",
      question: "",
      options: [],
    };
    const model = rig.script([
      ...[1, 2, 3].map((attempt) => ({ role: "worker", task: "add", attempt, text: ADD_WRONG })),
      { role: "fixer", task: "add", attempt: 4, text: JSON.stringify(decision) },
      { role: "worker", task: "add", attempt: 5, text: ADD_RIGHT },
      { role: "worker", task: "twice", text: TWICE_RIGHT },
    ]);

    const ran = await rig.fractal(["run", plan, "--model", model]);

    expect(ran.exitCode, ran.all).toBe(0);
    const shown = await rig.fractal(["show", `fr-${rig.runs()[0]}.a1`, "--full"]);
    expect(shown.stdout.slice(shown.stdout.indexOf("Attempt 5"))).toContain("sunshine");
  });

  it("merges the fixer's patch once the checks pass on it", async () => {
    using rig = aRig();
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const decision = { cause: "c", kind: "patch", text: "add", question: "", options: [] };
    const model = rig.script([
      ...[1, 2, 3].map((attempt) => ({ role: "worker", task: "add", attempt, text: ADD_WRONG })),
      { role: "fixer", task: "add", turn: "decide", text: JSON.stringify(decision) },
      { role: "fixer", task: "add", turn: "patch", text: ADD_RIGHT },
      { role: "worker", task: "twice", text: TWICE_RIGHT },
    ]);

    const ran = await rig.fractal(["run", plan, "--model", model]);

    expect(ran.exitCode, ran.all).toBe(0);
    expect(rig.onBranch("lib/add.mjs")).toContain("a + b");
    const ended = rig.events().filter((event) => event.event_type === "attempt.ended");
    expect(ended.find((event) => event.role === "fixer")?.outcome).toBe("succeeded");
  });

  it("lands 20 of 20 disjoint leaves worked on in parallel", async () => {
    using rig = aRig();
    const names = Array.from({ length: 20 }, (_, index) => `part${index + 1}`);
    const requirements = names.map((name, i) => `- R${i + 1}: \`${name}()\` returns \`${i}\`.`);
    const spec = `# Many\n\n${requirements.join("\n")}\n`;
    const split = aPlan(
      names.map((name) => aPart(name)),
      {
        interfaces: names.map((name) => ({
          part: name,
          file: `${name}.mjs`,
          name,
          declaration: `export function ${name}()`,
          doc: "",
        })),
        acceptance: names.map((name, index) => called(name, `R${index + 1}`, name, [], index)),
      },
    );
    const answers = names.map((name, index) => ({
      role: "worker",
      task: name,
      text: files({ [`${name}.mjs`]: `export function ${name}() { return ${index}; }` }),
    }));

    const plan = rig.plan(spec, { root: split });
    const ran = await rig.fractal(["run", plan, "-j", "8", "--model", rig.script(answers)]);

    expect(ran.exitCode, ran.all).toBe(0);
    const bodies = names.map((name) => rig.onBranch(`${name}.mjs`));
    expect(bodies.map((body, index) => body.includes(`return ${index};`))).toEqual(
      names.map(() => true),
    );
  });

  it("keeps all of 8 unordered edits of one line, or says what is in the way: never silent", async () => {
    using rig = aRig({ "list.txt": "start\n" });
    const keys = Array.from({ length: 8 }, (_, index) => `edit${index + 1}`);
    const spec = `# One line\n\n${keys.map((key, i) => `- R${i + 1}: the line has ${key}.`).join("\n")}\n`;
    const split = aPlan(
      keys.map((key) => aPart(key, { files: ["list.txt"], unchecked: "only the words matter" })),
    );
    // Every worker adds its word to the line as its prompt shows it, so a merge of two conflicts.
    await using server = await startModelServer(({ role, last }) => {
      if (role === "reviewer") return JSON.stringify({ reason: "fine", accept: true });
      if (role !== "worker") return { fault: "status", status: 500 };
      const word = /the line has (edit\d)/.exec(last)?.[1] ?? "none";
      const line = /^(start.*)$/m.exec(last)?.[1] ?? "start";
      return `\`\`\`txt list.txt\n${line} ${word}\n\`\`\`\n`;
    });
    const plan = rig.plan(spec, { root: split }, true);

    const ran = await rig.fractal(
      ["run", plan, "-j", "8", "--model", "openai:test", "--base-url", server.openaiUrl],
      { env: { OPENAI_API_KEY: "none" } },
    );

    const done = rig
      .events()
      .filter((event) => event.event_type === "task.done" && event.task_id?.includes(".a"))
      .map((event) => `edit${event.task_id?.split(".a")[1]}`);
    const line = rig.onBranch("list.txt");
    expect(done.filter((word) => !line.includes(word))).toEqual([]);
    // Whoever is not on the line is not done, and the run says so by its exit code.
    expect(ran.exitCode === 0 ? done.length : "told", ran.all).toEqual(
      ran.exitCode === 0 ? 8 : "told",
    );
    expect(done.length).toBeGreaterThan(0);
  });
});
