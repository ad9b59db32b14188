/** What a planner says its parts need: had where the person's settings allow it, asked about once where not. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { commitCachedPackage, installsOf } from "./cached-package.ts";
import { aRig, type Line } from "./rig.ts";

const SPEC = `# Three things

- R1: \`a()\` returns \`42\`, which the package says.
- R2: \`b()\` returns \`"seven"\`, the word that the page shows.
- R3: \`c()\` returns \`"seven"\`, the same.
`;

/** A planner's answer: three parts with what each is said to need. */
function planSaying(needs: Record<string, string[]>): string {
  const keys = ["a", "b", "c"];
  const value = (key: string) => (key === "a" ? "42" : '"seven"');
  return JSON.stringify({
    size: "M",
    decision: "split",
    reason: "one a function",
    parts: keys.map((key) => ({
      key,
      title: `The ${key}`,
      purpose: `Write ${key}.`,
      size: "S",
      files: [`${key}.mjs`],
      needs: needs[key],
    })),
    owners: { R1: "a", R2: "b", R3: "c" },
    interfaces: keys.map((key) => ({
      part: key,
      file: `${key}.mjs`,
      name: key,
      declaration: `export function ${key}()`,
    })),
    calls: keys.map((key, at) => ({
      part: key,
      requirement: `R${at + 1}`,
      file: `${key}.mjs`,
      name: key,
      args_json: "[]",
      value_json: value(key),
      quote: `\`${key}()\` returns \`${value(key)}\``,
    })),
  });
}

const REPORT = JSON.stringify({ summary: "Done.", confidence: 1 });
const writes = (task: string, turn: string, text: string): Line => ({
  role: "worker",
  task,
  turn,
  tool_calls: [{ name: "write_file", args: { path: `${task}.mjs`, text } }],
});

/** A page on this machine, and which paths of it were asked for. */
async function aPage() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.setHeader("content-type", "text/plain").end("The word is seven.");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

it("a part has the packages its plan names, and two that need a page wait for one word of the person", async () => {
  using rig = aRig();
  const name = commitCachedPackage(rig);
  const page = await aPage();
  const web = `web:${page.origin}`;
  rig.write({ "spec.md": SPEC });
  const reads = (task: string): Line[] => [
    {
      role: "worker",
      task,
      turn: "1",
      tool_calls: [{ name: "fetch_url", args: { url: `${page.origin}/${task}` } }],
    },
    writes(task, "2", `export function ${task}() { return "seven"; }`),
    { role: "worker", task, text: REPORT },
  ];
  const model = rig.script([
    { role: "planner", text: planSaying({ a: ["install"], b: [web], c: [web] }) },
    writes("a", "1", `import n from "${name}";\nexport function a() { return n; }`),
    { role: "worker", task: "a", text: REPORT },
    ...reads("b"),
    ...reads("c"),
  ]);
  rig.settings({ install: "cache", model: { model, protocol: "tools" } });

  // On paper nothing is asked: what is not allowed yet is shown with the plan.
  const planned = await rig.fractal(["plan", "spec.md"]);
  expect(planned.exitCode, planned.all).toBe(0);
  expect(planned.stdout).toContain(`needs ${web}`);
  expect(planned.stdout).toContain(`Your settings do not allow ${web}`);
  expect(planned.stdout).toContain(`web: {hosts: ["${page.origin}"]}`);

  const asked = await rig.fractal(["run", "spec.md"]);

  expect(asked.exitCode, asked.all).toBe(3);
  expect(rig.onBranch("a.mjs")).toContain(name);
  expect(installsOf(rig)).toMatchObject([{ packages: 1, downloaded: 0 }]);
  const questions = () => rig.events().filter((one) => one.event_type === "question.opened");
  expect(questions()).toMatchObject([
    {
      kind: "needs",
      needs: [web],
      title: `"The b" and "The c" need what your settings do not allow: ${web}. What now?`,
      why: expect.stringContaining(`web: {hosts: ["${page.origin}"]}`),
    },
  ]);
  const [question] = questions();
  expect(question?.blocks).toHaveLength(2);
  expect(page.asked).toEqual([]);
  const again = await rig.fractal(["resume"]);
  expect(again.exitCode, again.all).toBe(3);
  expect(questions()).toHaveLength(1);

  rig.settings({
    install: "cache",
    web: { hosts: [page.origin] },
    model: { model, protocol: "tools" },
  });
  const ran = await rig.fractal(["resume"]);

  expect(ran.exitCode, ran.all).toBe(0);
  expect(page.asked.sort()).toEqual(["/b", "/c"]);
  expect(questions()).toHaveLength(1);
  expect(rig.onBranch("c.mjs")).toContain("seven");
  const shown = await rig.fractal(["show", question?.blocks[0] ?? ""]);
  expect(shown.stdout).toContain("Needs from outside the sandbox");
  expect(shown.stdout).toContain(web);
  installsOf(rig);
});
