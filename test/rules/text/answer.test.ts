/** Messy model text: what is accepted, as what, and what is refused. Never a throw. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFailure } from "../../../src/domain/failure.ts";
import {
  parseFileBlocks,
  parseJsonAnswer,
  withoutReasoning,
} from "../../../src/rules/text/answer.ts";

const F = "```";

describe("parseJsonAnswer", () => {
  it.each([
    ["bare JSON", '{"a":1}', { a: 1 }],
    ["white space and a byte order mark around it", '\uFEFF\n {"a":1}\n', { a: 1 }],
    ["a fence", `${F}json\n{"a":1}\n${F}`, { a: 1 }],
    ["prose around", 'Sure! Here it is: {"a":1} Hope {that} helps.', { a: 1 }],
    ["a fence among prose with braces", `Use {x}.\n${F}json\n{"a":1}\n${F}\nor {"b":2}`, { a: 1 }],
    ["reasoning before", '<think>maybe {"a":2}</think>\n{"a":1}', { a: 1 }],
    ["a lone end of reasoning", 'maybe {"a":2}\n</think>\n{"a":1}', { a: 1 }],
    ["two objects: the last one", '{"a":0}\n\n{"a":1}', { a: 1 }],
    ["an object before a list: the object", '{"a":1} as in [1, 2]', { a: 1 }],
    ["a list alone", "It is [1, 2].", [1, 2]],
    ["braces inside strings", 'So: {"a":"}{\\"","b":"```"}', { a: '}{"', b: "```" }],
    ["an unclosed bracket in prose", 'Type { to open. {"a":1}', { a: 1 }],
    ["an unclosed fence with whole JSON in it", `${F}json\n{"a":1}`, { a: 1 }],
  ])("accepts %s", (_what, text, value) => {
    expect(parseJsonAnswer(text)).toEqual({ value, repaired: false });
  });

  it.each([
    ["trailing commas", '{"a":[1,2,],}', { a: [1, 2] }],
    ["single quotes", "{'a': 'b'}", { a: "b" }],
    ["comments", '{"a":1 // one\n}', { a: 1 }],
    ["bare keys", "{a: 1}", { a: 1 }],
  ])("mends %s and says so", (_what, text, value) => {
    expect(parseJsonAnswer(text)).toEqual({ value, repaired: true });
  });

  it.each([
    ["nothing", "", "empty"],
    ["only white space", " \n", "empty"],
    ["prose", "I cannot do that.", "no JSON"],
    ["an object that is cut off", '{"a": {"b": 1}, "c": [1, 2', "cut off"],
    ["a cut-off object after a whole one", '{"a":1}\n{"a":', "cut off"],
    ["reasoning that never ends", '<think>well {"a":1}', "reasoning"],
    ["a bare value", "42", "no JSON"],
    ["10,000 levels", `${"[".repeat(10_000)}${"]".repeat(10_000)}`, "does not parse"],
    ["20 MB", `{"a":"${"x".repeat(20_000_000)}"}`, "too long"],
  ])("refuses %s", (_what, text, why) => {
    const answer = parseJsonAnswer(text);
    expect(answer).toMatchObject({
      failure: "answer-unusable",
      detail: expect.stringContaining(why),
    });
  });

  it("takes JSON as deep as answers are, and none deeper: what follows need not mind the stack", () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
    expect(parseJsonAnswer(nested(100))).toHaveProperty("value");
    expect(parseJsonAnswer(nested(300))).toMatchObject({ failure: "answer-unusable" });
  });

  it("drops keys that would reach into a prototype", () => {
    const answer = parseJsonAnswer('{"__proto__":{"polluted":1},"a":{"__proto__":{"x":1}}}');
    expect(JSON.stringify(answer)).toBe('{"value":{"a":{}},"repaired":false}');
    expect("polluted" in {}).toBe(false);
  });

  it("finds any JSON object it is handed, whatever harmless prose stands around it", () => {
    const prose = fc.string({ unit: fc.constantFrom("a", " ", "\n", ".", "'", ":", "-", "`") });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), prose, prose, (value, a, b) => {
        const plain = JSON.parse(JSON.stringify(value), (k, v) =>
          k === "__proto__" ? undefined : v,
        );
        fc.pre(JSON.stringify(plain) === JSON.stringify(value));
        const answer = parseJsonAnswer(`${a}\n${JSON.stringify(value)}\n${b}`);
        expect(answer).toMatchObject({ repaired: false });
        expect(JSON.stringify("value" in answer && answer.value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it("never throws and never accepts a piece of a cut-off object", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
        fc.nat(),
        (value, n) => {
          const text = JSON.stringify(value);
          const cut = text.slice(0, n % text.length);
          expect(isFailure(parseJsonAnswer(cut))).toBe(true);
        },
      ),
    );
  });

  const scrap = fc.array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom(
        "```",
        "```json\n",
        "\n```\n",
        "{",
        "}",
        "[",
        "]",
        '"',
        "\\",
        ",",
        ":",
        "<think>",
        "</think>",
        "\n",
        "~~~",
        "// a.ts",
        "```ts src/a.ts\n",
        "../x",
        "**a.ts**\n",
      ),
    ),
    { maxLength: 40 },
  );

  it("gives a value or a failure for any text", () => {
    fc.assert(
      fc.property(scrap, (parts) => {
        const text = parts.join("");
        const answer = parseJsonAnswer(text);
        expect(isFailure(answer) || "value" in answer).toBe(true);
        const files = parseFileBlocks(text, ["src/a.ts"]);
        expect(isFailure(files) || files.files.length > 0).toBe(true);
        if (!isFailure(files)) {
          const parts = files.files.flatMap(({ path }) => path.split("/"));
          expect(parts.filter((part) => ["", ".", ".."].includes(part))).toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each(["{", "[", '{"', "`", "/", "*", "```\n", "{}", "[1]", " ", "#", "'", "{'", "<think>"])(
    "ends for a megabyte of %j",
    (piece) => {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
      parseJsonAnswer(text);
      parseFileBlocks(text, ["a.ts"]);
      parseFileBlocks(`${text}\n${F}ts\n${text}\n${F}`, ["a.ts"]);
    },
    // Seconds when linear, hours when not.
    60_000,
  );
});

describe("withoutReasoning", () => {
  it("leaves a file alone that only speaks of reasoning", () => {
    const text = `${F}ts a.ts\nconst open = "<think>";\n</think>\n${F}`;
    expect(withoutReasoning(text)).toBe(text);
  });
});

const files = (text: string, declared: string[]) => {
  const answer = parseFileBlocks(text, declared);
  if (isFailure(answer)) throw new Error(answer.detail);
  return Object.fromEntries(answer.files.map((file) => [file.path, file.text]));
};

describe("parseFileBlocks", () => {
  it.each([
    ["path=", `${F}ts path=src/a.ts\nx\n${F}`],
    ["quoted title=", `${F}ts title="src/a.ts"\nx\n${F}`],
    ["a path after the language", `${F}ts src/a.ts\nx\n${F}`],
    ["a path alone", `${F}src/a.ts\nx\n${F}`],
    ["language:path", `${F}ts:src/a.ts\nx\n${F}`],
    ["a leading ./", `${F}ts ./src/a.ts\nx\n${F}`],
    ["a heading before", `### \`src/a.ts\`\n\n${F}ts\nx\n${F}`],
    ["a bold line before", `**src/a.ts**:\n${F}ts\nx\n${F}`],
    ["File: before", `File: src/a.ts\n${F}ts\nx\n${F}`],
    ["a numbered bold File: before", `1. **File:** \`src/a.ts\`\n${F}ts\nx\n${F}`],
    ["the bare file name", `${F}ts a.ts\nx\n${F}`],
    ["tildes", "~~~ts src/a.ts\nx\n~~~"],
    ["a longer fence", "`````ts src/a.ts\nx\n`````"],
    ["Windows line ends and slashes", `${F}ts src\\a.ts\r\nx\r\n${F}\r\n`],
    ["reasoning before", `<think>\n${F}ts src/b.ts\ny\n${F}\n</think>\n${F}ts src/a.ts\nx\n${F}`],
    ["an indented fence", `  ${F}ts src/a.ts\n  x\n  ${F}`],
  ])("takes the name from %s", (_what, text) => {
    expect(files(text, ["src/a.ts", "src/b.ts"])).toEqual({ "src/a.ts": "x\n" });
  });

  it("takes the name from a comment on the first line, and keeps the line", () => {
    const text = `${F}ts\n// src/a.ts\nx\n${F}\n${F}py\n# src/b.py\ny\n${F}`;
    expect(files(text, ["src/a.ts", "src/b.py"])).toEqual({
      "src/a.ts": "// src/a.ts\nx\n",
      "src/b.py": "# src/b.py\ny\n",
    });
  });

  it("takes an unnamed block as the only declared file, and shell lines as illustration", () => {
    const text = `First:\n${F}sh\nnpm i\n${F}\nThen:\n${F}typescript\nx\n${F}\nDone.`;
    expect(parseFileBlocks(text, ["src/a.ts"])).toEqual({
      files: [{ path: "src/a.ts", text: "x\n" }],
      rest: `First:\n${F}sh\nnpm i\n${F}\nThen:\nDone.`,
    });
  });

  it("does not guess which of two unnamed blocks is meant, nor which of two files", () => {
    const two = `${F}ts\nx\n${F}\n${F}ts\ny\n${F}`;
    expect(parseFileBlocks(two, ["a.ts"])).toMatchObject({ failure: "answer-unusable" });
    const one = `${F}ts\nx\n${F}`;
    expect(parseFileBlocks(one, ["a.ts", "b.ts"])).toMatchObject({ failure: "answer-unusable" });
  });

  it("keeps nested fences inside a Markdown file", () => {
    const inner = `# A\n\n${F}sh\nls\n${F}\n\nend`;
    expect(files(`${F}md README.md\n${inner}\n${F}`, ["README.md"])).toEqual({
      "README.md": `${inner}\n`,
    });
    const bare = `# A\n\n${F}\nls\n${F}\n`;
    expect(files(`${F}\`md README.md\n${bare}${F}\``, ["README.md"])).toEqual({
      "README.md": bare,
    });
  });

  it("gives undeclared files too: scope is judged elsewhere", () => {
    const text = `${F}ts src/a.ts\nx\n${F}\n${F}ts lib/extra.ts\ny\n${F}`;
    expect(files(text, ["src/a.ts"])).toEqual({ "src/a.ts": "x\n", "lib/extra.ts": "y\n" });
  });

  it("lets the last block of a file count, and an empty block be an empty file", () => {
    const text = `${F}ts a.ts\nx\n${F}\n${F}ts a.ts\ny\n${F}\n${F}ts b.ts\n${F}`;
    expect(files(text, ["a.ts", "b.ts"])).toEqual({ "a.ts": "y\n", "b.ts": "" });
  });

  it("does not take a word such as Node.js for a file", () => {
    const text = `${F}ts src/a.ts\nx\n${F}\n## Node.js\n${F}js\nrun()\n${F}`;
    expect(files(text, ["src/a.ts"])).toEqual({ "src/a.ts": "x\n" });
  });

  it.each([
    "../a.ts",
    "/etc/passwd",
    "src/../../a.ts",
    "C:\\a.ts",
    "~/a.ts",
    ".git/config",
    "x/.GIT/hooks/a.sh",
  ])("refuses the path %s", (path) => {
    const text = `${F}ts path=${path}\nx\n${F}\n${F}ts a.ts\ny\n${F}`;
    expect(parseFileBlocks(text, ["a.ts"])).toMatchObject({
      failure: "out-of-scope",
      paths: [path],
    });
  });

  it("refuses an answer whose last block never closes, and one without any block", () => {
    const cut = parseFileBlocks(`${F}ts a.ts\nx\n${F}\n${F}ts b.ts\nfunction`, ["a.ts", "b.ts"]);
    expect(cut).toMatchObject({
      failure: "answer-unusable",
      detail: expect.stringContaining("b.ts"),
    });
    expect(parseFileBlocks("I would write a.ts.", ["a.ts"])).toMatchObject({
      failure: "answer-unusable",
    });
    expect(parseFileBlocks("  ", ["a.ts"])).toMatchObject({ failure: "answer-unusable" });
  });

  it("brings any file content through unchanged when its fence is longer than any inside", () => {
    const line = fc.string({
      unit: fc.constantFrom("a", "`", "~", " ", "#", "{", "/"),
      maxLength: 10,
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (lines) => {
        const body = lines.join("\n");
        fc.pre(body !== "");
        const mark = "`".repeat(12);
        expect(files(`${mark}ts src/a.ts\n${body}\n${mark}`, ["src/a.ts"])).toEqual({
          "src/a.ts": `${body}\n`,
        });
      }),
    );
  });
});
