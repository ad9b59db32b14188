/** No secret gets into what a run leaves behind, and no repository gets hold of a key. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { RunEvent } from "../../src/domain/event.ts";
import { startModelServer } from "../support/model-server.ts";
import { report } from "../support/report.ts";
import { drawer, keyFormats } from "../support/secret-formats.ts";
import { filesBelow, objectsOf, searchFor, textOf } from "./canary.ts";
import { aPart, aPlan, called, files } from "./plans.ts";
import { aRig, type Rig } from "./rig.ts";

const some = drawer(11);
/** A value that is known, one that is declared, and two that only look like keys. */
const KEY = `Zq7+${some(20)}/x"y`;
const DECLARED = `grosvenor ${some(8)} square`;
const [FOUND, WRITTEN] = keyFormats(12).filter(({ name }) => name === "github-token");
const FOUND_KEY = FOUND?.secret ?? "";
const WRITTEN_KEY = WRITTEN?.secret ?? "";

const SPEC = `# Adding

- R1: \`add(2, 3)\` returns \`5\`. It is tried out with ${DECLARED}.
- R2: \`twice(4)\` returns \`8\`.
`;
const exported = (name: string, declaration: string) => {
  return { part: name, file: `${name}.mjs`, name, declaration, doc: "" };
};
const PLAN = aPlan(
  [aPart("add"), aPart("twice", { purpose: `Write twice, for who knows ${DECLARED}.` })],
  {
    interfaces: [
      exported("add", "export function add(a, b)"),
      exported("twice", "export function twice(n)"),
    ],
    acceptance: [called("add", "R1", "add", [2, 3], 5), called("twice", "R2", "twice", [4], 8)],
  },
);
const ADD = "export function add(a, b) { return a + b; }\n";
const TWICE = "export function twice(n) { return 2 * n; }\n";

const ended = (rig: Rig) =>
  rig
    .events()
    .flatMap((event) =>
      event.event_type === "attempt.ended" && event.role === "worker"
        ? [
            [
              event.task_id?.split(".").at(-1),
              event.failure?.failure ?? event.outcome,
              event,
            ] as const,
          ]
        : [],
    );
const promptsOf = (rig: Rig): string[] =>
  rig.events().flatMap((event: RunEvent) => {
    if (event.event_type !== "call.started") return [];
    const { request } = event;
    const run = join(rig.dir, "telemetry", rig.runs()[0] ?? "");
    return [readFileSync(join(run, "blobs", request.slice(0, 2), request), "utf8")];
  });

it("a run full of secrets leaves none behind: not in Beads, the journal, git, a letter or a word", async () => {
  // The repository holds one already, in a file that a worker is shown.
  using rig = aRig({ "add.mjs": `// ${FOUND_KEY}\n` });
  const home = join(rig.dir, "..", "home");
  rig.settings({ secrets: ["ADDRESS"] });
  const env = { MY_API_KEY: KEY, ADDRESS: DECLARED };
  const leaky = `export const key = "${WRITTEN_KEY}";\n`;
  const model = rig.script([
    // What a model writes down is not taken over, and it is told so.
    {
      role: "worker",
      task: "add",
      attempt: 1,
      text: files({ "add.mjs": `// ${FOUND_KEY}\n${ADD}${leaky}` }),
    },
    { role: "worker", task: "add", attempt: 2, text: files({ "add.mjs": `// ${KEY}\n${ADD}` }) },
    { role: "worker", task: "add", attempt: 3, text: files({ "add.mjs": ADD }) },
    {
      role: "worker",
      task: "twice",
      attempt: 1,
      text: `Is it ${DECLARED} or ${KEY}?`,
      stop_reason: "refusal",
    },
    { role: "worker", task: "twice", text: files({ "twice.mjs": TWICE }) },
  ]);
  const recorded = join(rig.dir, "..", "recorded");
  const plan = rig.plan(SPEC, { root: PLAN });

  const ran = await rig.fractal(["run", plan, "--model", model, "--record", recorded], { env });

  expect(ran.exitCode, ran.all).toBe(0);
  expect(
    ended(rig)
      .filter(([task]) => task === "a1")
      .map(([, how]) => how),
  ).toEqual(["holds-secret", "holds-secret", "succeeded"]);
  const [, , first] = ended(rig).find(([, how]) => how === "holds-secret") ?? [];
  expect(first?.failure?.detail).toMatch(/- add\.mjs:\d+ secret github-token/);
  expect(promptsOf(rig).some((text) => text.includes("// [secret github-token]"))).toBe(true);
  const run = rig.runs()[0] ?? "";
  const root = `fr-${run}`;
  const answered = [
    await rig.fractal(["show", `${root}.a1`], { env }),
    await rig.fractal(["tree", "--json"], { env }),
    await rig.fractal(["query", "SELECT * FROM actual_state"], { env }),
    await rig.fractal(["cancel", "no-such", DECLARED, KEY, "-y"], { env }),
  ];

  const seen = searchFor([KEY, DECLARED, FOUND_KEY, WRITTEN_KEY]);
  // The checkout's own file, and compressed objects of git, which are looked at below.
  const left = filesBelow(rig.dir).filter((path) => !/\/add\.mjs$|\/\.git\//.test(path));
  expect(left.length).toBeGreaterThan(40);
  const all = [...left, ...filesBelow(recorded), ...filesBelow(home)];
  const printed = [ran, ...answered].map(({ all }) => all);
  // What stood in the repository before is where it was; what models wrote is not in git.
  const git = searchFor([KEY, DECLARED, WRITTEN_KEY])(objectsOf(rig.dir)) ? ["git"] : [];
  const hits = [...all.filter((path) => seen(textOf(path))), ...printed.filter(seen), ...git];
  const count = all.length + printed.length + 1;
  report({
    suite: "secrets",
    what: "what a whole run left behind is searched for four secrets in every spelling",
    count,
    passed: count - hits.length,
    details: { files: all.length, outputs: printed.length },
  });
  expect(hits).toEqual([]);
});

it("no file is named after a secret, and no link points where one stands, in what a run merges or keeps", async () => {
  using rig = aRig({ "known.txt": `${FOUND_KEY}\n` });
  const command = (key: string, run: string) =>
    aPart(key, { kind: "command", command: run, files: [`${key}.txt`] });
  const made = (part: string, requirement: string, run: string) => ({
    ...{ part, requirement, quote: `\`${run}\` prints \`x\`` },
    example: { kind: "command" as const, run, exit: 0, stdout: "x\n" },
  });
  const spec = "# Names\n\n- R1: `cat name.txt` prints `x`.\n- R2: `cat link.txt` prints `x`.\n";
  const plan = aPlan(
    [
      command("name", 'echo x > name.txt; echo x > "$(cat known.txt)"'),
      command("link", 'echo x > link.txt; ln -s "$(cat known.txt)" link'),
    ],
    { acceptance: [made("name", "R1", "cat name.txt"), made("link", "R2", "cat link.txt")] },
  );

  const asking = { cause: "It names a key.", kind: "person", text: "", question: "Which name?" };
  const text = JSON.stringify({ ...asking, options: [] });
  const model = rig.script(["name", "link"].map((task) => ({ role: "fixer", task, text })));

  const ran = await rig.fractal(["run", rig.plan(spec, { root: plan }), "--model", model]);

  expect(ran.exitCode, ran.all).toBe(3);
  const ends = ended(rig);
  expect(ends.length, ran.all).toBeGreaterThan(1);
  expect(new Set(ends.map(([, how]) => how))).toEqual(new Set(["holds-secret"]));
  const said = ends.map(([, , event]) => event.failure?.detail ?? "").join("\n");
  expect(said).toContain("- [secret github-token], its name: github-token");
  expect(said).toContain("- link:1 github-token");
  const seen = searchFor([FOUND_KEY]);
  const left = filesBelow(rig.dir).filter((path) => !/\/known\.txt$|\/\.git\//.test(path));
  const hits = [...left.filter((path) => seen(textOf(path))), ...left.filter(seen)];
  const kept = await rig.fractal(["show", `fr-${rig.runs()[0] ?? ""}.a1`]);
  report({
    suite: "secrets",
    what: "a command names a file, and points a link, after a secret of the repository",
    count: 2,
    passed: hits.length === 0 && !seen(kept.all) && !seen(ran.all) ? 2 : 0,
    details: { attempts: ends.length, files: left.length },
  });
  expect(hits).toEqual([]);
  expect(seen(ran.all) || seen(kept.all)).toBe(false);
});

it("what a repository says about servers, prices and commands is refused before a key leaves", async () => {
  using rig = aRig({ "spec.md": SPEC });
  await using server = await startModelServer(() => ({ text: "no" }));
  const env = {
    ...{ OPENAI_API_KEY: `key-${some(20)}`, ANTHROPIC_API_KEY: `key-${some(20)}` },
    FRACTAL_NO_INPUT: "1",
  };
  const told = join(rig.dir, "..", "told");
  for (const [command, settings, said] of [
    [
      "run",
      `base_url: ${server.openaiUrl}\n`,
      "fractal.yaml:1 `base_url` sends keys and code to a server",
    ],
    [
      "plan",
      `model: {model: "openai:x", base_url: "${server.openaiUrl}"}\n`,
      "fractal.yaml:1 `model` chooses",
    ],
    [
      "run",
      `models:\n  worker: {model: "anthropic:x", base_url: "${server.anthropicUrl}"}\n`,
      "`models`",
    ],
    ["run", `notify: touch ${told}\n`, "fractal.yaml:1 `notify` runs a command on this machine"],
  ] as const) {
    rig.write({ "fractal.yaml": settings });
    const ran = await rig.fractal([command, "spec.md", "-y"], { env });
    expect(ran.exitCode, ran.all).toBe(2);
    expect(ran.stderr).toContain(said);
    expect(ran.stderr).toContain(join(rig.dir, "../home/.config/fractal/config.yaml"));
  }
  expect(server.calls).toEqual([]);
  expect(filesBelow(join(rig.dir, "..")).includes(told)).toBe(false);
  report({
    suite: "secrets",
    what: "a repository that would send keys away or run a command is refused",
    count: 4,
    passed: 4,
  });
});

it("a journal that came with the repository chooses no server; who agrees says so", async () => {
  using rig = aRig();
  await using server = await startModelServer(({ last }) =>
    files(last.includes("twice") ? { "twice.mjs": TWICE } : { "add.mjs": ADD }),
  );
  const env = { OPENAI_API_KEY: `key-${some(20)}`, ADDRESS: DECLARED };
  const plan = rig.plan(SPEC, { root: PLAN });
  const flags = ["--model", "openai:test", "--base-url", server.openaiUrl];
  // It stops before the first call.
  const began = await rig.fractal(["run", plan, ...flags, "--budget", "0calls"], { env });
  expect(began.exitCode, began.all).toBe(5);
  expect(server.calls).toEqual([]);

  // Another person's machine: the same folder, another home.
  const home = join(rig.dir, "..", "other-home");
  mkdirSync(home);
  writeFileSync(join(home, ".gitconfig"), "[safe]\n\tdirectory = *\n");
  const theirs = { env: { ...env, HOME: home } };
  const refused = await rig.fractal(["resume", "--budget", "100calls"], theirs);
  expect(refused.exitCode, refused.all).toBe(2);
  expect(refused.stderr).toContain(`--model openai:test --base-url ${server.openaiUrl}`);
  expect(server.calls).toEqual([]);

  const agreed = await rig.fractal(["resume", "--budget", "100calls", ...flags], theirs);
  expect(agreed.exitCode, agreed.all).toBe(0);
  expect(server.calls.length).toBeGreaterThan(0);
});
