/** Stubs: the signatures a plan fixes, as modules that load and throw. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Signature } from "../../src/domain/task.ts";
import { stubsOf } from "../../src/rules/plan/part-contract.ts";
import { renderStubs, signatureProblem } from "../../src/rules/plan/stub.ts";
import { aTask } from "../support/builders.ts";
import { planOf } from "../support/words.ts";

const signature = (file: string, name: string, declaration: string, doc = ""): Signature => ({
  file,
  name,
  declaration,
  doc,
});

function stubOf(declaration: string, name: string, file = "src/a.ts"): string {
  const [stub] = renderStubs([signature(file, name, declaration)], new Map([[file, "core"]]));
  return stub?.text?.trim() ?? "";
}
const BODY = '{\n  throw new Error("not implemented: core");\n}';

describe("a stub", () => {
  it("is made of no file that needs a person's yes", () => {
    const files = ["src/a.mjs", "vitest.config.mjs", ".husky/a.mjs", "sub/eslint.config.js"];
    const interfaces = files.map((file) => ({
      ...signature(file, "f", "export function f()"),
      part: "a",
    }));
    const stubs = stubsOf(planOf(["a", "b"], { interfaces }), aTask("t"));
    expect(stubs.map(({ path }) => path)).toEqual(["src/a.mjs"]);
  });

  it.each([
    ["export function f(x: number): string", `export function f(x: number): string ${BODY}`],
    ["export function f(x: number): string;", `export function f(x: number): string ${BODY}`],
    ["export function f(x) { return 1; }", `export function f(x) ${BODY}`],
    [
      "export function f(o: { a: number }): { b: Map<string, { c: 1 }> }",
      `export function f(o: { a: number }): { b: Map<string, { c: 1 }> } ${BODY}`,
    ],
    ["export function f(): A | { b: 1 } { return x }", `export function f(): A | { b: 1 } ${BODY}`],
    [
      "export function f(x: unknown): x is { a: 1 }",
      `export function f(x: unknown): x is { a: 1 } ${BODY}`,
    ],
    [
      "export async function f<T>(x: T): Promise<T>",
      `export async function f<T>(x: T): Promise<T> ${BODY}`,
    ],
    ["export declare function f(): void", `export function f(): void ${BODY}`],
    [
      "export function* f(n: number): Generator<number>",
      `export function* f(n: number): Generator<number> ${BODY}`,
    ],
    [
      "export const f: (x: number) => string",
      `export const f: (x: number) => string = () => ${BODY};`,
    ],
    ["export const f = (a, b) => a + b", `export const f = (a, b) => ${BODY};`],
    ["export const f = async x => x", `export const f = async x => ${BODY};`],
    ["export const f = { a: [1, 2] }", "export const f = { a: [1, 2] };"],
    ["export const f: number", "export const f: number = undefined as unknown as number;"],
    ["export interface f { a: string; b?: f }", "export interface f { a: string; b?: f }"],
    ["export type f = { a: 1 } | string", "export type f = { a: 1 } | string;"],
  ])("of %s", (declaration, expected) => {
    expect(stubOf(declaration, "f")).toBe(expected);
    expect(() => stripTypeScriptTypes(stubOf(declaration, "f"))).not.toThrow();
  });

  it("of a class keeps its members and gives its methods bodies", () => {
    const text = stubOf(
      `export class Box<T> {
        readonly size: number;
        constructor(items: T[]);
        add(item: T): { size: number };
        static of<T>(...items: T[]): Box<T>
        get first(): T | undefined;
        async load(path: string): Promise<void> { return; }
      }`,
      "Box",
    );
    expect(() => stripTypeScriptTypes(text)).not.toThrow();
    expect(text).toContain("  readonly size: number;\n");
    expect(text.match(/not implemented: core/g)?.length).toBe(5);
    expect(text).toContain("add(item: T): { size: number } {");
  });

  it("holds all exports of a file, with their words, and imports the types of others", () => {
    const doc = signature("src/doc.ts", "Doc", "export interface Doc { text: string }", "A text.");
    const parse = signature(
      "src/deep/parse.ts",
      "parse",
      "export function parse(text: string): Doc",
      "Reads */ it.",
    );
    const render = signature(
      "src/deep/parse.ts",
      "render",
      "export function render(doc: Doc): string",
    );
    const files = renderStubs([doc, parse, render], new Map());
    expect(files.map(({ path }) => path)).toEqual(["src/doc.ts", "src/deep/parse.ts"]);
    expect(files[1]?.text).toMatch(
      /^import type \{ Doc \} from "\.\.\/doc\.ts";\n\n\/\*\* Reads \* \/ it\. \*\/\nexport function parse/,
    );
    expect(files[1]?.text).toContain("export function render(doc: Doc): string {");
  });

  it("is not made of other languages", () => {
    expect(renderStubs([signature("a.py", "f", "def f(x): ...")], new Map())).toEqual([]);
    expect(signatureProblem(signature("a.py", "f", "def f(x): ..."))).toBeUndefined();
  });

  it("loads, and throws the name of its task when it is used", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fractal-stub-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const [stub] = renderStubs(
      [
        signature("src/a.mjs", "f", "export function f(x)"),
        signature("src/a.mjs", "TABLE", "export const TABLE = { a: 1 }"),
        signature("src/a.mjs", "Box", "export class Box { add(x); }"),
      ],
      new Map([["src/a.mjs", "core.a"]]),
    );
    const file = join(folder, stub?.path ?? "");
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, stub?.text ?? "");
    const loaded = await import(pathToFileURL(file).href);
    expect(() => loaded.f(1)).toThrow("not implemented: core.a");
    expect(() => new loaded.Box().add(1)).toThrow("not implemented: core.a");
    expect(loaded.TABLE).toEqual({ a: 1 });
  });
});

describe("a signature that cannot become a stub is told why", () => {
  it.each([
    ["function f()", "must begin with `export`"],
    ["export function g()", "must export `f`"],
    ["export default function f()", "must export `f`"],
    ["export function f(x: (", "has brackets that do not match"],
    ["export { f } from './x'", "must be an exported function, const, class, interface or type"],
    ["export function f", "has no parameter list"],
  ])("%s", (declaration, said) => {
    expect(signatureProblem(signature("a.ts", "f", declaration))).toBe(said);
  });

  it("such as a type in JavaScript", () => {
    expect(signatureProblem(signature("a.mjs", "f", "export interface f {}"))).toContain(
      "is a type",
    );
  });

  it("and any text at all is read to an end", () => {
    const piece = fc.constantFrom(
      "export ",
      "function ",
      "f",
      "(",
      ")",
      "{",
      "}",
      ":",
      "=>",
      "=",
      "class ",
      "const ",
      "'",
      "`",
      ";",
      "\n",
      "<",
      ">",
      "a",
      ",",
      "|",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        const one = signature("a.ts", "f", pieces.join(""));
        const isMade = renderStubs([one], new Map()).length > 0;
        if (signatureProblem(one) !== undefined) expect(isMade).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
