/** What is expected of work is not told to it, and not there to be read while it is asked. */
import { expect, it } from "vitest";
import type { Check } from "../../../src/domain/check.ts";
import type { Runnable } from "../../../src/domain/example.ts";
import { judgeAnswers } from "../../../src/rules/check/answers.ts";
import { askingOf, asksOf } from "../../../src/rules/check/asking.ts";
import { compares, hiddenFrom } from "../../../src/rules/check/hidden.ts";
import { isRenderedText, mayBeRendered, renderTests } from "../../../src/rules/plan/oracle.ts";
import { aCheck } from "../../support/builders.ts";

const SECRET = "EXPECTED";
const EXAMPLES: Runnable[] = [
  { kind: "call", file: "a.mjs", name: "f", args: [1], value: { deep: [SECRET] } },
  { kind: "call", file: "a.mjs", name: "f", args: [2], error: SECRET },
  { kind: "command", run: "node a.mjs", stdin: "in", exit: 77, stdout: SECRET },
  {
    kind: "http",
    start: "node s.mjs",
    method: "POST",
    path: "/p",
    body: "b",
    status: 418,
    contains: SECRET,
  },
];
const asked = (examples?: Runnable[]): Check =>
  aCheck("examples", { run: "node --test test/t.test.mjs", ...(examples ? { examples } : {}) });

it("asks for everything that an example does, and says nothing of what it expects", () => {
  const text = JSON.stringify(askingOf(EXAMPLES));
  for (const told of [SECRET, "77", "418"])
    expect(JSON.stringify(asksOf(EXAMPLES))).not.toContain(told);
  expect(text).not.toContain(SECRET);
  for (const given of ["node a.mjs", "node s.mjs", "POST", "/p"]) expect(text).toContain(given);
});

it("takes for no answer what does not look like one, or did not come", () => {
  const red = (output: string) =>
    judgeAnswers(EXAMPLES, output, String).map(({ said }) => said.length > 0);
  expect(red("")).toEqual([true, true, true, true]);
  expect(red(`{"json": {"deep": ["${SECRET}"]}}\nnull\n[]\n{"status": "418"}`)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  const right = [
    { shown: "", json: JSON.stringify({ deep: [SECRET] }) },
    { threw: `no ${SECRET}!`, shown: "", found: true },
    { status: 77, stdout: `${SECRET}\n`, stderr: "" },
    { status: 418, text: `<p>${SECRET}</p>` },
  ];
  expect(red(right.map((one) => JSON.stringify(one)).join("\n"))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

it("knows a rendered file by its place and its first words, of an earlier run as well", () => {
  expect(mayBeRendered("test/a.b.test.mjs")).toBe(true);
  expect(mayBeRendered("src/a.test.mjs")).toBe(false);
  expect(isRenderedText(renderTests("a", EXAMPLES))).toBe(true);
  expect(isRenderedText('import { test } from "node:test";\n')).toBe(false);
});

it("hides rendered files and the specification from what is compared, but what the check names", () => {
  const files = ["a.mjs", "docs/spec.md", "other/docs.md", "test/t.test.mjs", "test/own.test.mjs"];
  const rendered = new Set(["test/t.test.mjs"]);
  const hidden = (check: Check, path = "docs/spec.md") =>
    hiddenFrom(check, files, rendered, { path });
  expect(hidden(asked(EXAMPLES))).toEqual(["docs/spec.md", "test/t.test.mjs"]);
  for (const path of [
    "./docs/spec.md",
    "../docs/spec.md",
    "/home/me/repo/docs/spec.md",
    "spec.md",
  ]) {
    expect(hidden(asked(EXAMPLES), path), path).toContain("docs/spec.md");
  }
  expect(hidden(asked(EXAMPLES), "-")).toEqual(["test/t.test.mjs"]);
  const reads: Runnable = { kind: "command", run: "node a.mjs docs/spec.md", exit: 0, stdout: "3" };
  expect(hidden(asked([reads]))).toEqual(["test/t.test.mjs"]);
  expect(hidden(aCheck("c", { run: "node a.mjs", stdout: "1" }))).toContain("docs/spec.md");
});

it("is not asked of a command that only has to end well: it may run the tests that are there", () => {
  expect(compares(asked(EXAMPLES))).toBe(true);
  expect(compares(aCheck("c", { run: "node a.mjs", stdout: "1" }))).toBe(true);
  expect(compares(aCheck("c", { run: "npm test" }))).toBe(false);
});
