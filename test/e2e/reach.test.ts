/** What a task needs from outside, and what it may not merge alone: asked once, in whole runs. */
import { expect, it } from "vitest";
import { commitCachedPackage, installsOf } from "./cached-package.ts";
import { aPart, aPlan, called, files } from "./plans.ts";
import { aRig, type Rig } from "./rig.ts";

const SPEC = (front: string) => `${front}# Two things

- R1: \`a()\` returns \`42\`.
- R2: \`b()\` returns \`2\`.
`;
const B = files({ "b.mjs": "export function b() { return 2; }" });

const planOf = (more: string[]) =>
  aPlan([aPart("a", { files: ["a.mjs", ...more] }), aPart("b")], {
    interfaces: ["a", "b"].map((part) => ({
      part,
      file: `${part}.mjs`,
      name: part,
      declaration: `export function ${part}()`,
      doc: "",
    })),
    acceptance: [called("a", "R1", "a", [], 42), called("b", "R2", "b", [], 2)],
  });

/** The open question of a run, as it was opened. */
function questionOf(rig: Rig, kind: string) {
  const opened = rig.events().filter((one) => one.event_type === "question.opened");
  const found = opened.filter((one) => one.kind === kind);
  expect(found).toHaveLength(1);
  return { id: found[0]?.question ?? "", title: found[0]?.title ?? "", why: found[0]?.why ?? "" };
}

const calls = (rig: Rig) => rig.events().filter((one) => one.event_type === "call.started").length;

it("a change of CI is shown raw, waits for a yes while the rest goes on, and is then merged for no call", async () => {
  using rig = aRig();
  const hidden = "on: push # \u001b[2K\u202e all is well";
  const script = rig.script([
    {
      role: "worker",
      task: "a",
      text: files({
        "a.mjs": "export function a() { return 42; }",
        ".github/workflows/x.yml": hidden,
      }),
    },
    { role: "reviewer", task: "a", text: '{"reason":"it is what was asked","accept":true}' },
    { role: "worker", task: "b", text: B },
  ]);
  const plan = rig.plan(SPEC(""), { root: planOf([".github/workflows/x.yml"]) });

  const asked = await rig.fractal(["run", plan, "--model", script]);

  expect(asked.exitCode, asked.all).toBe(3);
  expect(rig.onBranch("b.mjs")).toContain("return 2");
  const { id, title, why } = questionOf(rig, "consent");
  expect(title).toContain(".github/workflows/x.yml");
  const shown = (await rig.fractal(["show", id])).stdout + asked.all;
  expect(why).toContain("+on: push # \\u{1b}[2K\\u{202e} all is well");
  expect(shown).not.toContain("\u001b[2K");
  expect(shown).not.toContain("\u202e");
  const before = calls(rig);

  expect((await rig.fractal(["answer", id, "yes"])).exitCode).toBe(0);
  const ran = await rig.fractal(["resume", "--model", script]);

  expect(ran.exitCode, ran.all).toBe(0);
  expect(rig.onBranch(".github/workflows/x.yml")).toContain("on: push");
  expect(calls(rig)).toBe(before);
});

it("packages that a task needs are asked about once, and are there when the person's settings allow it", async () => {
  using rig = aRig();
  const name = commitCachedPackage(rig);
  const a = `import n from "${name}";\nexport function a() { return n; }`;
  const script = rig.script([
    { role: "worker", task: "a", text: files({ "a.mjs": a }) },
    { role: "worker", task: "b", text: B },
  ]);
  const plan = rig.plan(SPEC("---\nneeds: [install]\n---\n"), { root: planOf([]) });

  const asked = await rig.fractal(["run", plan, "--model", script]);

  expect(asked.exitCode, asked.all).toBe(3);
  const { id, why } = questionOf(rig, "needs");
  expect(why).toContain("install: cache");
  expect(calls(rig)).toBe(0);

  rig.settings({ install: "cache" });
  await rig.fractal(["answer", id, "it is allowed now"]);
  const ran = await rig.fractal(["resume", "--model", script]);

  expect(ran.exitCode, ran.all).toBe(0);
  expect(installsOf(rig)).toMatchObject([{ packages: 1, downloaded: 0 }]);
  expect(rig.git("ls-tree", "-r", "--name-only", `fractal/${rig.runs()[0]}/main`)).not.toContain(
    "node_modules",
  );
});
