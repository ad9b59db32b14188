/** A specification: its requirements with ids and lines, its settings, and every problem with it. */
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Section, Spec } from "../../../src/domain/spec.ts";
import { parseSpec } from "../../../src/rules/spec/spec.ts";

const parse = (text: string) => parseSpec("spec.md", text, "hash");

function specOf(text: string): Spec {
  const spec = parse(text);
  if ("problems" in spec) throw new Error(JSON.stringify(spec.problems));
  return spec;
}

function problemsOf(text: string): string[] {
  const spec = parse(text);
  if (!("problems" in spec)) throw new Error("it has no problems");
  return spec.problems.map(({ file, line, column, message }) =>
    [file, line, column]
      .filter((part) => part !== undefined)
      .join(":")
      .concat(` ${message}`),
  );
}

const ids = (text: string) => specOf(text).requirements.map(({ id }) => id);
const texts = (text: string) =>
  Object.fromEntries(specOf(text).requirements.map((one) => [one.id, one.text]));

describe("requirements", () => {
  it("are named by their explicit ids, wherever these stand", () => {
    const text = `# Tool

Intro.

## Parsing

- R1: reads seconds
- **R2** reads minutes
- [R3] reads hours
  - R3.1: and halves of them
- **R4: Reads days.** All of them.

R5. A paragraph.

### REQ-7 A heading

Its text.

| id | what |
| --- | --- |
| R8 | a row |
`;
    expect(texts(text)).toEqual({
      R1: "reads seconds",
      R2: "reads minutes",
      R3: "reads hours",
      "R3.1": "and halves of them",
      R4: "**R4: Reads days.** All of them.",
      R5: "A paragraph.",
      "REQ-7": "### REQ-7 A heading\n\nIts text.",
      R8: "a row",
    });
  });

  it("take what follows them, up to the next one or the next heading", () => {
    const text = `# T

- R1: prints

  \`\`\`
  hello
  \`\`\`

As an example of it.

## Next

- R2: ends
`;
    expect(texts(text)).toEqual({
      R1: "prints\n```\nhello\n```\n\nAs an example of it.",
      R2: "ends",
    });
  });

  it("are named by heading and position where the document gives no ids", () => {
    const text = `# Tool

An introduction.

## Reading

- seconds
- minutes

### Odd units

- fortnights

## Writing

It prints the total. It must not:

- use colours

It never fails.

## Speed
`;
    expect(texts(text)).toEqual({
      "s1.1": "seconds",
      "s1.2": "minutes",
      "s1.1.1": "fortnights",
      "s2.1": "It prints the total. It must not: use colours",
      "s2.2": "It never fails.",
      "s3.1": "Speed",
    });
  });

  it("keep the lines of the file, front matter counted", () => {
    const spec = specOf("---\nroot: a\n---\n\n# T\n\n- R1: one\n  more\n- R2: two\n");
    expect(spec.requirements.map(({ id, line, lineEnd }) => [id, line, lineEnd])).toEqual([
      ["R1", 7, 8],
      ["R2", 9, 9],
    ]);
    expect(spec.text.startsWith("# T")).toBe(true);
  });

  it("are the introduction itself where there is nothing else", () => {
    expect(texts("# A clock\n\nIt shows the time.\n")).toEqual({ s1: "It shows the time." });
    expect(texts("Just a sentence.")).toEqual({ s1: "Just a sentence." });
    expect(texts("# A clock that shows the time")).toEqual({ s1: "A clock that shows the time" });
  });

  it("are not every word that looks like an id", () => {
    expect(ids("# T\n\n## A\n\n- UTF-8: is read\n- R1-based things\n- R2.5 is a number\n")).toEqual(
      ["s1.1", "s1.2", "s1.3"],
    );
  });

  it("keep unnumbered list items beside numbered ones, so that nothing wanted is lost", () => {
    expect(ids("# T\n\n## A\n\n- R1: one\n\n## B\n\nSome prose.\n\n- another\n")).toEqual([
      "R1",
      "s2.1",
    ]);
  });

  it("read Windows line ends and a byte order mark like any other", () => {
    const text = "---\nroot: a\n---\n\n# T\n\n- R1: one\n";
    const spec = specOf(`\uFEFF${text.replaceAll("\n", "\r\n")}`);
    expect(spec).toMatchObject({ root: "a", title: "T", requirements: [{ id: "R1", line: 7 }] });
  });

  it("are unique, in the order of the file, and all in the outline, whatever the Markdown", () => {
    const line = fc.oneof(
      fc.constantFrom(
        "# A",
        "## B",
        "### C",
        "- x",
        "- R1: a",
        "  - R2: b",
        "R3: c",
        "para",
        "",
        "```",
      ),
      fc.constantFrom(
        "| R4 | d |",
        "| - | - |",
        "> quote",
        "---",
        "1. n",
        "* R5",
        "**R6** e",
        "<!-- c -->",
      ),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 25 }), (lines) => {
        const spec = parse(lines.join("\n"));
        if ("problems" in spec) {
          expect(spec.problems.length).toBeGreaterThan(0);
          return;
        }
        const found = spec.requirements.map(({ id }) => id);
        expect(new Set(found).size).toBe(found.length);
        expect(spec.requirements.map((one) => one.line)).toEqual(
          spec.requirements.map((one) => one.line).sort((a, b) => a - b),
        );
        expect(outlined(spec.outline).sort()).toEqual([...found].sort());
        expect(parse(lines.join("\n"))).toEqual(spec);
      }),
      { numRuns: 500 },
    );
  });
});

function outlined(section: Section): string[] {
  return [...section.requirements, ...section.sections.flatMap(outlined)];
}

describe("front matter", () => {
  it("says where and how the work is done", () => {
    const spec = specOf(`---
root: ./tools/clock/
language: TypeScript
protected: ["docs/**"]
mounts: [vendor]
checks:
  compile: tsc --noEmit
  lint: { run: biome check ., timeout: 30 }
  smoke: node bin/clock.mjs
  types: { run: tsc -p ., when: leaf }
---
# T

- R1: one
`);
    expect(spec).toMatchObject({
      root: "tools/clock",
      language: "typescript",
      protectedPaths: ["docs/**"],
      mounts: ["vendor"],
    });
    expect(
      spec.checks.map(({ name, run, when, timeoutMs }) => [name, run, when, timeoutMs]),
    ).toEqual([
      ["compile", "tsc --noEmit", "leaf", undefined],
      ["lint", "biome check .", "leaf", 30_000],
      ["smoke", "node bin/clock.mjs", "final", undefined],
      ["types", "tsc -p .", "leaf", undefined],
    ]);
    expect(spec.checks.every((check) => check.source === "spec" && check.gates)).toBe(true);
  });

  it("may be left out", () => {
    expect(specOf("# T\n\n- R1: one")).toMatchObject({ root: ".", checks: [], mounts: [] });
  });

  it("that does not parse is shown with line and column in the file", () => {
    const [problem] = problemsOf("---\nroot: a\nchecks: [a\n---\n# T\n\nx\n");
    expect(problem).toMatch(/^spec\.md:[34]:\d+ the front matter is not valid YAML: /);
  });

  it("with several mistakes is told all of them, each where it stands", () => {
    const said = problemsOf(`---
rooot: a
root: ../out
checks:
  a: { runn: x }
  b: ""
budget: { usd: -1 }
---
# T

- R1: one
- R1: two
`);
    expect(said).toEqual([
      "spec.md:2:1 unknown key `rooot`: did you mean `root`?",
      "spec.md:3:7 `root`: `../out` has a segment `..`",
      "spec.md:5:6 `checks.a.run`: is missing",
      "spec.md:5:8 unknown key `checks.a.runn`: did you mean `run`?",
      "spec.md:6:6 `checks.b.run`: must name a command",
      "spec.md:7:11 unknown key `budget.usd`: known are run, task, strong, small, planner, worker, router, fixer, reviewer",
      "spec.md:12 two requirements are called R1; the first stands in line 11",
    ]);
  });

  it("that is never closed, or is no map, is a clear problem", () => {
    expect(problemsOf("---\nroot: a\n\n# T\n")).toEqual([
      "spec.md:1 opens front matter with `---` that is never closed",
    ]);
    expect(problemsOf("---\n- a\n---\n# T\n\nx\n")[0]).toMatch(/^spec\.md:2:1 front matter: /);
  });

  it("in TOML is a clear problem, and three pluses in the text are none", () => {
    expect(problemsOf("+++\nroot = 1\n+++\n# T\n\nx\n")).toEqual([
      "spec.md:1 has front matter in TOML: write it in YAML, between lines of `---`",
    ]);
    expect(specOf("# T\n\nDo x.\n\n+++\n").title).toBe("T");
  });

  it.each([
    ["a blank line", "\n---\nroot: a\n---\n# T\n\nx\n"],
    ["a space", " ---\nroot: a\n---\n# T\n\nx\n"],
  ])("that stands behind %s is not taken for text", (_, text) => {
    expect(problemsOf(text)).toEqual([
      "spec.md:1 has front matter below its first line: begin with `---`",
    ]);
    expect(specOf(text.replace("root", "word")).root).toBe(".");
  });

  it.each([
    ["checks: npm test", "2:9 `checks`: must be commands by name, such as { all: npm test }"],
    ["checks: { all: }", "2:16 `checks.all`: must be a command"],
    [
      "checks: { a: { run: x, when: now } }",
      "2:30 `checks.a.when`: must be leaf or final, not `now`",
    ],
    [
      "checks: { a: { run: x, timeout: 5min } }",
      "2:33 `checks.a.timeout`: must be a number of seconds, such as 300",
    ],
    ["protected: src", "2:12 `protected`: must be a list, such as [a, b], not `src`"],
    ["language: 5", "2:11 `language`: must be text, not `5`"],
    ["language: [a]", "2:11 `language`: must be text, not a list"],
    ["- a", "2:1 front matter: must be keys with values, such as { key: value }, not a list"],
  ])("with a wrong value, %s, says what must stand there", (line, said) => {
    expect(problemsOf(`---\n${line}\n---\n# T\n\nx\n`)).toEqual([`spec.md:${said}`]);
  });

  it("cannot blow up by aliases", () => {
    const bomb = Array.from({ length: 12 }, (_, n) => {
      const inner = n === 0 ? "x" : `*a${n - 1}`;
      return `a${n}: &a${n} [${Array(9).fill(inner).join(", ")}]`;
    });
    expect(problemsOf(`---\n${bomb.join("\n")}\n---\n# T\n\nx\n`).length).toBeGreaterThan(0);
  });
});

describe("what is no specification", () => {
  it.each([
    ["nothing", "", "is empty"],
    ["white space", " \n\t\r\n", "is empty"],
    ["a byte order mark alone", "\uFEFF", "is empty"],
    ["bytes", "\u0000\u0001PNG", "is not a text file"],
    ["what was bytes once", "\uFFFD\uFFFD\uFFFD\uFFFDIHDR", "is not a text file"],
    ["front matter alone", "---\nroot: a\n---\n", "says nothing that could be carried out"],
    ["a comment alone", "<!-- later -->", "says nothing that could be carried out"],
    ["a quotation of a quotation of …", `${">".repeat(20_000)} a`, "too deeply"],
    ["five megabytes", "a".repeat(5_000_000), "is 5.0 MB long"],
  ])("%s is refused", (_, text, said) => {
    expect(problemsOf(text)[0]).toContain(said);
  });
});

it("reads a whole standard in a moment", async () => {
  const standard = await readFile("test/fixtures/specs/standard.md", "utf8");
  expect(standard.length).toBeGreaterThan(80_000);
  const spec = specOf(standard);
  expect(spec.requirements.length).toBeGreaterThan(300);
  expect(spec.outline.sections.length).toBeGreaterThan(5);
});
