/** A worker may hand in anything at all: what is out of bounds is refused, and nothing of it is merged. */

import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { RunEvent } from "../../src/domain/event.ts";
import { startModelServer } from "../support/model-server.ts";
import { processesWith } from "../support/processes.ts";
import { ACCEPTED } from "./people.ts";
import { aPart, aPlan, called, files } from "./plans.ts";
import { aRig, type Line, type Rig } from "./rig.ts";

const SECRET = "the-planted-secret-4711";

/** What each leaf must return; its first answer is bad in its own way, the second one right. */
interface Trouble {
  /** What the function must return; 1 unless said. */
  value?: unknown;
  first: string | Omit<Line, "role" | "task" | "attempt">;
  second?: string;
  /** How the first attempt fails; absent where it must not. */
  failure?: RegExp;
}

const whole = (name: string, body: string) =>
  files({ [`${name}.mjs`]: `export async function ${name}() { ${body} }` });
const good = (name: string) => whole(name, "return 1;");

/** `name` in `file`, and whatever else is said. */
const TROUBLES: Record<string, Trouble> = {
  strays: {
    first: `${good("strays")}\n${files({ "other.txt": "mine now", "new/file.txt": "x" })}`,
    failure: /out-of-scope: .*other\.txt[\s\S]*new\/file\.txt/,
  },
  escapes: {
    first: `${good("escapes")}\n${files({ "../x.mjs": "export const x = 1;" })}`,
    failure: /out-of-scope: .*\.\.\/x\.mjs/,
  },
  prose: {
    first: "I have thought about it, and it is done. All tests pass!",
    failure: /answer-unusable: .*no fenced block/,
  },
  cut: {
    first: "```js cut.mjs\nexport async function cut() { return 1; }\n",
    failure: /answer-unusable: .*cut off/,
  },
  limited: {
    first: { text: good("limited"), stop_reason: "length" },
    failure: /answer-unusable: .*output limit/,
  },
  thinks: {
    first: `<think>\nPerhaps\n${files({ "other.txt": "a draft" })}\n</think>\n${good("thinks")}`,
  },
  endless: {
    first: whole("endless", "for (;;);"),
    failure: /check-failed: [\s\S]*time limit/,
  },
  loud: {
    first: whole(
      "loud",
      "for (let n = 0; n < 50; n++) process.stdout.write('x'.repeat(1e6) + '\\n'); return 2;",
    ),
    failure: /check-failed: [\s\S]*2/,
  },
  forks: {
    first: whole(
      "forks",
      `const { spawn } = await import("node:child_process");
       spawn("sh", ["-c", "sleep 987654"], { detached: true, stdio: "ignore" }).unref(); return 1;`,
    ),
  },
  leaks: {
    value: "nothing",
    first: "SET BY THE TEST",
  },
};

const NAMES = Object.keys(TROUBLES);
const requirements = NAMES.map((name, index) => {
  const value = JSON.stringify(TROUBLES[name]?.value ?? 1);
  return `- R${index + 1}: \`${name}()\` returns \`${value}\`.`;
});
const SPEC = `# Trouble

${requirements.join("\n")}
- R20: decide on a colour.
- R21: \`uses()\` returns \`1\`, in the colour that was decided.
- R22: \`cat made.txt\` prints \`made\`.
`;

const PLAN = aPlan(
  [
    ...NAMES.map((name) => aPart(name)),
    aPart("decide", { kind: "text", files: [] }),
    aPart("uses"),
    aPart("make", { kind: "command", command: "printf 'made\\n' > made.txt", files: ["made.txt"] }),
  ],
  {
    ownership: {
      ...Object.fromEntries(NAMES.map((name, index) => [`R${index + 1}`, name])),
      ...{ R20: "decide", R21: "uses", R22: "make" },
    },
    interfaces: [...NAMES, "uses"].map((name) => ({
      part: name,
      file: `${name}.mjs`,
      name,
      declaration: `export function ${name}(): Promise<unknown>`,
      doc: "",
    })),
    dependencies: [{ part: "uses", needs: ["decide"] }],
    acceptance: [
      ...NAMES.map((name, index) =>
        called(name, `R${index + 1}`, name, [], TROUBLES[name]?.value ?? 1),
      ),
      called("uses", "R21", "uses", [], 1),
      {
        part: "make",
        requirement: "R22",
        example: { kind: "command", run: "cat made.txt", exit: 0, stdout: "made\n" },
        quote: "`cat made.txt` prints `made`",
      },
    ],
  },
);

/** Tries every way out it knows, and tells what it found. */
const leaking = (port: number, secret: string) => `
  const found = [];
  const { readFileSync, readdirSync } = await import("node:fs");
  const { connect } = await import("node:net");
  const attempt = (act) => { try { found.push(String(act())); } catch {} };
  attempt(() => readFileSync(${JSON.stringify(secret)}, "utf8"));
  attempt(() => readdirSync(${JSON.stringify(join(secret, ".."))}).join());
  attempt(() => Object.values(process.env).find((value) => value.includes("4711")) ?? (() => { throw 0 })());
  for (const host of ["127.0.0.1", "localhost", "::1"]) await new Promise((resolve) => {
    const socket = connect({ port: ${port}, host, timeout: 500 }, () => { found.push("net " + host); socket.end("leak"); resolve(); });
    socket.on("error", resolve).on("timeout", resolve);
  });
  try { await fetch("http://127.0.0.1:${port}/leak"); found.push("fetch"); } catch {}
  return found.length === 0 ? "nothing" : found.join();`;

/** Connections that came to a local port. */
async function aListener() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    connections: () => connections,
    [Symbol.dispose]: () => void server.close(),
  };
}

function linesOf(name: string, trouble: Trouble): Line[] {
  const about = { role: "worker", task: name };
  const first = typeof trouble.first === "string" ? { text: trouble.first } : trouble.first;
  return [
    { ...about, attempt: 1, ...first },
    { ...about, attempt: 2, text: trouble.second ?? good(name) },
  ];
}

/** How the attempts of each leaf ended: `failure: detail`, or the outcome. */
function endsOf(rig: Rig): Map<string, string[]> {
  const ends = new Map<string, string[]>();
  const created = rig.events().filter((event) => event.event_type === "task.created");
  for (const event of rig.events()) {
    if (event.event_type !== "attempt.ended" || event.role !== "worker") continue;
    const key = created.find((one) => one.task_id === event.task_id)?.key ?? "";
    const said = event.failure
      ? `${event.failure.failure}: ${event.failure.detail}`
      : event.outcome;
    ends.set(key, [...(ends.get(key) ?? []), said]);
  }
  return ends;
}

it("refuses every kind of bad answer with its reason, and takes the next one that is right", async () => {
  using rig = aRig({ "other.txt": "the user's\n", "keep.test.mjs": "// a test of the user's\n" });
  using listener = await aListener();
  const secret = join(rig.dir, "..", "home", ".secrets", "key");
  mkdirSync(join(secret, ".."), { recursive: true });
  writeFileSync(secret, SECRET);
  rig.write({ "fractal.yaml": "limits: { check_timeout_ms: 8000 }\n" });
  const troubles: Record<string, Trouble> = {
    ...TROUBLES,
    leaks: { value: "nothing", first: whole("leaks", leaking(listener.port, secret)) },
  };
  const colour = "# R20: the colour\n\nIt is heliotrope.\n";
  const script = rig.script([
    ...Object.entries(troubles).flatMap(([name, trouble]) => linesOf(name, trouble)),
    { role: "worker", task: "decide", attempt: 1, text: "# The colour\n\nNo id in a heading.\n" },
    { role: "worker", task: "decide", attempt: 2, text: colour },
    { role: "worker", task: "uses", text: good("uses") },
    // What starts programs of its own, or reads files, is looked at besides.
    ...["forks", "leaks"].map((task) => ({ role: "reviewer", task, text: ACCEPTED })),
  ]);

  const plan = rig.plan(SPEC, { root: PLAN });
  const ran = await rig.fractal(["run", plan, "-j", "4", "--model", script], {
    env: { PLANTED: SECRET },
  });

  expect(ran.exitCode, ran.all).toBe(0);
  const ends = endsOf(rig);
  for (const [name, { failure }] of Object.entries(troubles)) {
    const [first = "", ...rest] = ends.get(name) ?? [];
    if (failure === undefined) expect([first, ...rest], name).toEqual(["succeeded"]);
    else {
      expect(first, name).toMatch(failure);
      expect(rest, name).toEqual(["succeeded"]);
    }
  }
  // Nothing of a refused attempt is on the branch, and nothing of the user's was touched.
  expect(rig.onBranch("other.txt")).toBe("the user's");
  const tree = rig.git("ls-tree", "-r", "--name-only", `fractal/${rig.runs()[0]}/main`);
  expect(tree).not.toContain("new/file.txt");
  expect(rig.onBranch("thinks.mjs")).toContain("return 1");
  // Text and command tasks.
  expect(ends.get("decide")?.[0]).toMatch(/check-failed: /);
  expect(rig.onBranch(".results/decide.md")).toContain("heliotrope");
  expect(rig.onBranch("made.txt")).toBe("made");
  const uses = [...(await issueIds(rig))].find(([, title]) => title === "The uses")?.[0] ?? "";
  const shown = await rig.fractal(["show", uses, "--full"]);
  expect(shown.stdout).toContain("heliotrope");
  // Nothing left the sandbox, nothing goes on after it, and no output fills the disk.
  expect(listener.connections()).toBe(0);
  const telemetry = join(rig.dir, "telemetry");
  const kept = globSync("**/*", { cwd: telemetry })
    .map((file) => join(telemetry, file))
    .filter((file) => statSync(file).isFile());
  expect(kept.filter((file) => readFileSync(file, "utf8").includes(SECRET))).toEqual([]);
  expect(kept.filter((file) => statSync(file).size > 3_000_000)).toEqual([]);
  expect(processesWith("sleep 987654")).toEqual([]);
});

async function issueIds(rig: Rig): Promise<Map<string, string>> {
  const listed = JSON.parse(rig.bd("list", "--all", "--limit", "0", "--json")) as {
    id: string;
    title: string;
  }[];
  return new Map(listed.map(({ id, title }) => [id, title]));
}

/** A conversation with tools, a turn a reply. */
type Turns = { name: string; args: object }[][];

const TOOLS_SPEC = `# Tools

- R1: \`add(2, 3)\` returns \`5\`.
- R2: \`clean()\` returns \`1\`.
- R3: \`ask()\` returns \`1\`.
`;
const TOOLS_PLAN = aPlan([aPart("add"), aPart("clean"), aPart("ask")], {
  interfaces: ["add", "clean", "ask"].map((name) => ({
    part: name,
    file: `${name}.mjs`,
    name,
    declaration: `export function ${name}(...n: number[]): number`,
    doc: "",
  })),
  acceptance: [
    called("add", "R1", "add", [2, 3], 5),
    called("clean", "R2", "clean", [], 1),
    called("ask", "R3", "ask", [], 1),
  ],
});

const write = (path: string, text: string) => ({ name: "write_file", args: { path, text } });
const command = (line: string) => ({ name: "run_command", args: { command: line } });
const ONE = "export function clean() { return 1; }\n";

/** By task, attempt by attempt: what the worker does before it reports. */
const CONVERSATIONS: Record<string, Turns[]> = {
  add: [
    [
      [
        { name: "list_files", args: {} },
        { name: "read_file", args: { path: "add.mjs" } },
      ],
      [
        write("other.txt", "mine now"),
        { name: "edit_file", args: { path: "../x", old: "a", new: "b" } },
      ],
      [write("add.mjs", "export function add(a, b) { return a - b; }\n")],
      [{ name: "run_tests", args: {} }],
      [{ name: "edit_file", args: { path: "add.mjs", old: "a - b", new: "a + b" } }],
      [{ name: "run_tests", args: {} }, command("cat add.mjs; id -u; ls /work 2>&1 | head")],
      [{ name: "search_files", args: { pattern: "a \\+ b" } }],
    ],
  ],
  clean: [
    [
      [
        command("rm keep.test.mjs; echo x >> pack/package.json; echo stray > stray.txt"),
        write("clean.mjs", ONE),
      ],
    ],
    [[command("echo changed > other.txt; echo stray > stray.txt"), write("clean.mjs", ONE)]],
    [[write("clean.mjs", ONE)]],
  ],
  ask: [
    [[{ name: "ask_human", args: { question: "Which one?", options: ["the left", "the right"] } }]],
  ],
};

it.each(["openai", "anthropic"])(
  "carries a worker's tool calls out over %s, inside its bounds",
  async (api) => {
    using rig = aRig({
      "other.txt": "the user's\n",
      "keep.test.mjs": "// a test of the user's\n",
      "pack/package.json": "{}\n",
    });
    const turns = new Map<string, number>();
    await using server = await startModelServer(({ messages }) => {
      const first = messages[0]?.text ?? "";
      const task =
        Object.keys(CONVERSATIONS).find((name) => first.includes(`Write ${name}.`)) ?? "";
      // A fresh conversation is a new attempt.
      const replies = messages.filter(({ role }) => role === "assistant").length;
      if (replies === 0) turns.set(task, (turns.get(task) ?? 0) + 1);
      const conversation = CONVERSATIONS[task]?.[(turns.get(task) ?? 1) - 1] ?? [];
      const calls = conversation[replies];
      if (calls !== undefined) return { toolCalls: calls };
      return JSON.stringify({ summary: `The ${task} is done.`, confidence: 0.9 });
    });
    const model = { model: api === "openai" ? "openai:test" : "anthropic:claude-haiku-5-5" };
    rig.settings({ model: { ...model, protocol: "tools" } });
    const env = {
      ...{ OPENAI_API_KEY: "k", OPENAI_BASE_URL: server.openaiUrl },
      ...{ ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: server.anthropicUrl },
    };

    const plan = rig.plan(TOOLS_SPEC, { root: TOOLS_PLAN });
    const ran = await rig.fractal(["run", plan], { env });

    // The question stays; the rest is done.
    expect(ran.exitCode, ran.all).toBe(3);
    expect(ran.all).toContain("Which one?");
    expect(rig.onBranch("add.mjs")).toContain("return a + b");
    expect(rig.onBranch("clean.mjs")).toContain("return 1");
    const ends = endsOf(rig);
    expect(ends.get("add")).toEqual(["succeeded"]);
    const [deleted = "", strayed = "", ...rest] = ends.get("clean") ?? [];
    expect(deleted).toMatch(/^protected-path: /);
    expect(deleted).toContain("keep.test.mjs (deleted)");
    expect(deleted).toContain("pack/package.json (changed)");
    expect(strayed).toMatch(/^out-of-scope: .*clean\.mjs/);
    expect(strayed).toContain("other.txt (changed)");
    expect(strayed).toContain("stray.txt (added)");
    expect(rest).toEqual(["succeeded"]);
    expect(rig.onBranch("other.txt")).toBe("the user's");
    expect(rig.onBranch("keep.test.mjs")).toContain("the user's");

    // Every call is in the journal with what came of it; the refused ones as errors.
    const returned = rig
      .events()
      .filter(isReturn)
      .filter((event) => event.task_id?.endsWith(".a1"));
    expect(returned.map((event) => [event.tool, event.is_error])).toEqual([
      ["list_files", false],
      ["read_file", false],
      ["write_file", true],
      ["edit_file", true],
      ["write_file", false],
      ["run_tests", true],
      ["edit_file", false],
      ["run_tests", false],
      ["run_command", false],
      ["search_files", false],
    ]);
    const shown = await rig.fractal(["show", `fr-${rig.runs()[0]}.a1`, "--full"]);
    expect(shown.stdout).toContain("other.txt is not one of this task's files");
  },
);

function isReturn(event: RunEvent): event is RunEvent & { event_type: "tool.returned" } {
  return event.event_type === "tool.returned";
}
