/** What tree, show, answer, cancel, config and doctor do and say. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aQuestion, aState, aTask } from "../support/builders.ts";
import { runLine } from "./fake-world.ts";

const question = aQuestion("fr-k.a1.q1", "fr-k.a1", { title: "Which one?" });
const second = aQuestion("fr-k.a2.q1", "fr-k.a2", { title: "How many?" });
const answered = aQuestion("fr-k.a3.q1", "fr-k.a3", { state: "answered", by: "Bob" });

const state = aState({
  tasks: [
    aTask("fr-k", { title: "A tool" }),
    aTask("fr-k.a1", { parent: "fr-k", title: "Parse" }),
    aTask("fr-k.a2", { parent: "fr-k", title: "Print" }),
    aTask("fr-k.a3", { parent: "fr-k", title: "Help", end: "done" }),
  ],
  questions: [question, second, answered],
});

describe("fractal answer", () => {
  it("lists what is asked, with the command that answers, when nobody is there", async () => {
    const { code, stdout, acts } = await runLine(["answer"], { state });
    expect(code).toBe(0);
    expect(stdout).toContain("Which one?");
    expect(stdout).toContain('fractal answer fr-k.a2.q1 "your answer"');
    expect(stdout).not.toContain("fr-k.a3.q1");
    expect(acts).toEqual([]);
  });

  it("gives the list to a program, also at a terminal", async () => {
    const { stdout, asked } = await runLine(["answer", "--json"], { state, says: ["x"] });
    expect(JSON.parse(stdout).data.map((one: { id: string }) => one.id)).toEqual([
      "fr-k.a1.q1",
      "fr-k.a2.q1",
    ]);
    expect(asked).toEqual([]);
  });

  it.each([["fr-k.a1.q1"], ["fr-k.a1"]])("answers by %s, as the person", async (id) => {
    const ended = await runLine(["answer", id, "the", "first"], { state });
    expect(ended).toMatchObject({
      code: 0,
      acts: ["answer fr-k.a1.q1 the first by ada"],
      closed: true,
    });
    expect(ended.stdout).toContain("fractal resume");
  });

  it("takes the number of an option for its words, and no other number", async () => {
    const options = ["a dash", "the word `and`"];
    const withOptions = aState({
      tasks: [aTask("fr-k.a1")],
      questions: [aQuestion("fr-k.a1.q1", "fr-k.a1", { options })],
    });
    const second = await runLine(["answer", "fr-k.a1", "2"], { state: withOptions });
    expect(second.acts).toEqual(["answer fr-k.a1.q1 the word `and` by ada"]);
    expect(second.stdout).toContain("Answered fr-k.a1.q1: the word `and`\n");
    const third = await runLine(["answer", "fr-k.a1", "3"], { state: withOptions });
    expect(third).toMatchObject({ code: 2, acts: [] });
    expect(third.stderr).toContain("fr-k.a1.q1 has no option 3\n  1. a dash\n");
  });

  it.each([
    ["without options", []],
    ["among options that are numbers", ["10", "20"]],
  ])("takes a number %s as it is", async (_, options) => {
    const numbers = aState({
      tasks: [aTask("fr-k.a1")],
      questions: [aQuestion("fr-k.a1.q1", "fr-k.a1", { options })],
    });
    const ended = await runLine(["answer", "fr-k.a1", "2"], { state: numbers });
    expect(ended.acts).toEqual(["answer fr-k.a1.q1 2 by ada"]);
  });

  it("leaves it to the run that is going on", async () => {
    const { stdout } = await runLine(["answer", "fr-k.a1", "yes"], { state, live: true });
    expect(stdout).toContain("picks it up");
  });

  it("asks one after the other at a terminal; a skipped one stays open", async () => {
    const ended = await runLine(["answer"], { state, says: [undefined, "three"] });
    expect(ended.asked).toEqual(["Which one?", "How many?"]);
    expect(ended.acts).toEqual(["answer fr-k.a2.q1 three by ada"]);
    expect(ended.stderr).toContain("fr-k.a1.q1 stays open");
  });

  it("asks nobody under --no-input, and wants the text then", async () => {
    const ended = await runLine(["answer", "fr-k.a1", "--no-input"], { state, says: ["x"] });
    expect(ended).toMatchObject({ code: 2, asked: [], acts: [] });
  });

  it("refuses what is answered, what is not asked, and what is not there", async () => {
    const texts = [];
    for (const id of ["fr-k.a3.q1", "fr-k.a3", "fr-k.a9", "a1q1"]) {
      const ended = await runLine(["answer", id, "x"], { state });
      expect(ended).toMatchObject({ code: 2, acts: [] });
      texts.push(ended.stderr);
    }
    expect(texts[0]).toContain("answered by Bob");
    expect(texts[1]).toContain("nothing is asked about fr-k.a3");
    expect(texts[2]).toMatch(/no task or question fr-k\.a9[\s\S]*did you mean fr-k\.a\d/);
    expect(texts[3]).toContain("did you mean fr-k.a1.q1?");
  });
});

describe("fractal cancel", () => {
  it("cancels with a reason", async () => {
    const ended = await runLine(["cancel", "fr-k.a1", "no", "need"], { state });
    expect(ended).toMatchObject({ code: 0, acts: ["cancel fr-k.a1 no need by ada"], closed: true });
  });

  it("asks first at a terminal and says what goes with it; -y does not ask", async () => {
    const no = await runLine(["cancel", "fr-k"], { state, says: [false] });
    expect(no).toMatchObject({ code: 0, asked: ["Cancel fr-k and 2 tasks below it?"], acts: [] });
    const yes = await runLine(["cancel", "fr-k", "-y"], { state, says: [false] });
    expect(yes).toMatchObject({ asked: [], acts: ["cancel fr-k by ada"] });
  });

  it("refuses what is finished or unknown, and lets go of the run", async () => {
    expect(await runLine(["cancel", "fr-k.a3"], { state })).toMatchObject({
      code: 2,
      acts: [],
      closed: true,
    });
    expect(await runLine(["cancel", "nope"], { state })).toMatchObject({
      code: 2,
      acts: [],
      closed: true,
    });
  });
});

describe("an id without what all ids of the run begin with", () => {
  it.each([
    [["show", "a2"], "fr-k.a2"],
    [["show", "a1.q1"], "Which one?"],
    [["show", "k"], "A tool"],
    [["why", "a3"], "fr-k.a3 (Help) is done"],
  ])("is understood by %s", async (line, text) => {
    const { code, stdout } = await runLine(line, { state: { ...state, runId: "k" } });
    expect(code).toBe(0);
    expect(stdout).toContain(text);
  });

  it.each([
    [["answer", "a1", "the", "first"], "answer fr-k.a1.q1 the first by ada"],
    [["cancel", "a2", "-y"], "cancel fr-k.a2 by ada"],
    [["pause", "a2"], "pause fr-k.a2 by ada"],
  ])("is what %s acts on", async (line, act) => {
    const { code, acts } = await runLine(line, { state });
    expect([code, acts]).toEqual([0, [act]]);
  });
});

describe("fractal pause, unpause and why", () => {
  const paused = aState({
    tasks: [
      aTask("fr-k", { title: "A tool" }),
      aTask("fr-k.a1", { parent: "fr-k", title: "Parse", paused: true }),
      aTask("fr-k.a2", { parent: "fr-k", title: "Print" }),
    ],
  });

  it("hold back all that is unfinished below, and say how it goes on", async () => {
    const { stdout, closed } = await runLine(["pause", "fr-k"], { state: paused });
    expect(stdout).toContain("Paused fr-k and 2 tasks below it.");
    expect(stdout).toContain("fractal unpause fr-k");
    expect(closed).toBe(true);
    const free = await runLine(["unpause", "a1"], { state: paused });
    expect(free.acts).toEqual(["unpause fr-k.a1 by ada"]);
    expect(free.stdout).toContain("fractal resume");
  });

  it("leave it to the run that is going on", async () => {
    const { stdout } = await runLine(["pause", "a2"], { state: paused, live: true });
    expect(stdout).toBe("Asked the run that is going on to pause fr-k.a2.\n");
  });

  it("refuse with 2 what is not so, and a question, and change nothing", async () => {
    for (const line of [
      ["pause", "a1"],
      ["unpause", "a2"],
      ["pause", "nobody"],
    ]) {
      const { code, acts, stderr } = await runLine(line, { state: paused });
      expect([code, acts]).toEqual([2, []]);
      expect(stderr).toContain("fractal ");
    }
    const question = await runLine(["pause", "a1.q1"], { state });
    expect(question.stderr).toContain("fr-k.a1.q1 is a question, not a task");
  });

  it("give data to a program", async () => {
    const done = await runLine(["pause", "a2", "--json"], { state: paused });
    expect(JSON.parse(done.stdout).data).toEqual({ paused: "fr-k.a2", below: [], via: "journal" });
    const why = await runLine(["why", "a1", "--json"], { state: paused });
    expect(JSON.parse(why.stdout)).toMatchObject({
      schema_version: 1,
      data: { id: "fr-k.a1", status: "paused", cause: "held", may_start: false },
    });
  });

  it("explain in one paragraph", async () => {
    const { code, stdout } = await runLine(["why", "a1"], { state: paused });
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toContain("fr-k.a1 (Parse) is paused. It goes on with fractal unpause fr-k.a1.");
  });
});

describe("fractal show and tree", () => {
  it("show a task, a question, and say which id was meant", async () => {
    expect((await runLine(["show", "fr-k.a1"], { state })).stdout).toContain(
      "? needs_human fr-k.a1 Parse",
    );
    expect((await runLine(["show", "fr-k.a1.q1"], { state })).stdout).toContain("Which one?");
    const wrong = await runLine(["show", "b2"], { state });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("did you mean fr-k.a2?");
  });

  it("print data alone on stdout; hints go to stderr, and only at a terminal", async () => {
    const piped = await runLine(["tree"], { state });
    expect(piped.stderr).toBe("");
    expect(piped.stdout).toMatch(/^! split fr-k A tool/);
    const atTerminal = await runLine(["tree", "--no-color"], { state, terminal: true });
    expect(atTerminal.stdout).toBe(piped.stdout);
    expect(atTerminal.stderr).toContain("fractal answer");
  });
});

describe("fractal config show", () => {
  it("prints each setting, and with --origin where it is from", async () => {
    const dir = mkdtempSync(join(tmpdir(), "fractal-show-"));
    writeFileSync(join(dir, "fractal.yaml"), "limits:\n  attempts_max: 1\n");
    const env = { FRACTAL_MODEL: "openai:qwen" };
    const { code, stdout } = await runLine(["config", "show", "--origin", "-C", dir], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^limits\.attempts_max\t1\tfractal\.yaml:2$/m);
    expect(stdout).toMatch(/^models\.worker\topenai:qwen\tFRACTAL_MODEL$/m);
    const plain = await runLine(["config", "-C", dir, "-j", "9"]);
    expect(plain.stdout).toMatch(/^jobs\t9$/m);
    const shown = await runLine(["config", "show", "-C", dir, "--json"], { env });
    const data = JSON.parse(shown.stdout).data;
    expect(data.models.planner.name).toBe("openai:qwen");
  });

  it("refuses a file that cannot be used, with its place", async () => {
    const dir = mkdtempSync(join(tmpdir(), "fractal-show-"));
    writeFileSync(join(dir, "fractal.yaml"), "jobz: 3\n");
    const { code, stderr } = await runLine(["config", "show", "-C", dir]);
    expect(code).toBe(2);
    expect(stderr).toContain("fractal.yaml:1:1 unknown key `jobz`: did you mean `jobs`?");
  });
});

describe("fractal plan", () => {
  const text = "# A tool\n\n- R1: it works.\n";
  const files = () => {
    const dir = mkdtempSync(join(tmpdir(), "fractal-plan-"));
    writeFileSync(join(dir, "spec.md"), text);
    return dir;
  };
  const role = { planning: "one" as const, price: undefined };
  const planSpec = async () => ({
    state: aState({ tasks: [aTask("r", { key: "root", title: "A tool" })] }),
    file: '{"schema_version":1}\n',
    roles: { planner: role, worker: role, fixer: role },
  });
  const env = { ANTHROPIC_API_KEY: "k" };

  it("shows the plan, says that nothing was written, and writes it only where it is told", async () => {
    const dir = files();
    const shown = await runLine(["plan", "spec.md", "-C", dir], { env, planSpec });
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain("Coverage 1 requirement");
    expect(shown.stderr).toContain("Nothing was written.");
    expect(readdirSync(dir)).toEqual(["spec.md"]);
    await runLine(["plan", "spec.md", "-C", dir, "--out", "plan.json"], { env, planSpec });
    expect(readFileSync(join(dir, "plan.json"), "utf8")).toBe('{"schema_version":1}\n');
  });

  it("reads the specification from stdin", async () => {
    const ended = await runLine(["plan", "-", "--json"], { env, planSpec, stdin: text });
    expect(JSON.parse(ended.stdout).data.spec.path).toBe("-");
  });

  it("refuses before any model is asked: no file, no text, no model, no key, no place to write", async () => {
    const dir = files();
    writeFileSync(join(dir, "empty.md"), " \n");
    const line = (spec: string, ...more: string[]) => ["plan", spec, "-C", dir, ...more];
    const asked = async () => {
      throw new Error("a model was asked");
    };
    const codes = [];
    for (const [words, given] of [
      [line("nope.md"), { env }],
      [line("empty.md"), { env }],
      [line("spec.md"), {}],
      [line("spec.md", "--model", "openai:x"), {}],
    ] as const) {
      codes.push((await runLine([...words], { ...given, planSpec: asked })).code);
    }
    expect(codes).toEqual([2, 2, 4, 4]);
    const nowhere = await runLine(line("spec.md", "--out", "no/such/plan.json"), { env, planSpec });
    expect(nowhere.code).toBe(6);
  });
});

describe("fractal doctor", () => {
  const env = { ANTHROPIC_API_KEY: "k" };

  it("is content when nothing is missing", async () => {
    const { code, stdout } = await runLine(["doctor"], {
      env,
      probes: [{ name: "bd", state: "ok", found: "1.3.0" }],
    });
    expect(code).toBe(0);
    for (const name of ["node", "git", "bd", "config", "model worker"]) {
      expect(stdout).toContain(`✓ ok ${name} `);
    }
  });

  it("says what to install, exit 6", async () => {
    const probes = [
      {
        name: "sandbox",
        state: "missing" as const,
        found: "no bwrap",
        fix: "apt install bubblewrap",
      },
    ];
    const plain = await runLine(["doctor"], { env, probes });
    expect(plain.code).toBe(6);
    expect(plain.stdout).toContain("✗ missing sandbox no bwrap\n    → apt install bubblewrap");
    const data = JSON.parse((await runLine(["doctor", "--json"], { env, probes })).stdout).data;
    expect(data.probes).toContainEqual(probes[0]);
  });

  it("shows every probe of the sandbox, those that hold as well", async () => {
    const probe = (found: string) => ({ name: "sandbox", state: "ok" as const, found });
    const all = [probe("no key"), probe("no network"), probe("no root")];
    const broken = [...all, { ...probe("a key was read"), state: "missing" as const }];
    const { stdout } = await runLine(["doctor"], { env, probes: broken });
    for (const { found } of all) expect(stdout).toContain(`✓ ok sandbox ${found}\n`);
    expect(stdout).toContain("✗ missing sandbox a key was read");
  });

  it("names a configured model's missing key, exit 4; none configured is a warning", async () => {
    const lacking = await runLine(["doctor", "--model", "openai:x"]);
    expect(lacking.code).toBe(4);
    expect(lacking.stdout).toContain("OPENAI_API_KEY is not set");
    const bare = await runLine(["doctor"]);
    expect(bare.code).toBe(0);
    expect(bare.stdout).toContain("! warning models");
  });
});
