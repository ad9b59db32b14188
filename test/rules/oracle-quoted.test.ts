/** An example is the specification's own only when its quote stands there and says all of it. */
import { describe, expect, it } from "vitest";
import type { Example } from "../../src/domain/example.ts";
import { isQuoted } from "../../src/rules/spec/quoted.ts";

const SPEC = `# T

\`parse("1h 30m")\` returns
\`5400\`, and \`parse("1h")\` returns \`3600\`. \`parse("x")\` fails with \`no number in "x"\`.
\`add(1, 2)\` returns \`3\`. \`split("a,b", ",")\` returns \`["a", "b"]\`.
\`empty("")\` returns \`{ "a": null }\`. The sum of \`1\` and \`2\` is \`3\`.
\`boom(1)\` throws.

\`node bin/x.mjs "* * *"\` exits with 2 and prints \`bad: * * *\`.

\`\`\`
$ echo hi | cat
hi
\`\`\`

GET /time answers 200 with \`12:00\`.
`;

const call = (name: string, args: unknown[], value: unknown): Example => ({
  kind: "call",
  file: "a.mjs",
  name,
  args,
  value,
});
const fails = (name: string, args: unknown[], error: string): Example => ({
  kind: "call",
  file: "a.mjs",
  name,
  args,
  error,
});
const quoted = (example: Example, quote: string) =>
  isQuoted({ part: "a", requirement: "R1", example, quote }, SPEC);

describe("is the specification's own", () => {
  it.each<[string, Example, string]>([
    [
      "with white space folded",
      call("parse", ["1h 30m"], 5400),
      '`parse("1h 30m")` returns `5400`',
    ],
    ["without its code marks", call("parse", ["1h"], 3600), 'parse("1h") returns 3600'],
    [
      "an error by its message",
      fails("parse", ["x"], 'no number in "x"'),
      'parse("x") fails with no number in "x"',
    ],
    [
      "an error by a piece of it",
      fails("parse", ["x"], "no number"),
      'parse("x") fails with `no number in "x"`',
    ],
    ["any error", fails("boom", [1], ""), "`boom(1)` throws"],
    ["lists", call("split", ["a,b", ","], ["a", "b"]), '`split("a,b", ",")` returns `["a", "b"]`'],
    [
      "nothing at all as an argument",
      call("empty", [""], { a: null }),
      '`empty("")` returns `{ "a": null }`',
    ],
    ["in prose, in order", call("sum", [1, 2], 3), "The sum of `1` and `2` is `3`."],
    [
      "one of two in a quote",
      call("parse", ["1h 30m"], 5400),
      'parse("1h 30m") returns 5400, and parse("1h") returns 3600',
    ],
  ])("%s", (_, example, quote) => {
    expect(quoted(example, quote)).toBe(true);
  });

  it("a command with exit code and output, and a request with its answer", () => {
    const run = 'node bin/x.mjs "* * *"';
    const command: Example = { kind: "command", run, exit: 2, stdout: "bad: * * *" };
    const quote = '`node bin/x.mjs "* * *"` exits with 2 and prints `bad: * * *`';
    expect(quoted(command, quote)).toBe(true);
    expect(quoted({ ...command, exit: 3 }, quote)).toBe(false);
    expect(quoted({ ...command, run: 'node bin/x.mjs "* *"' }, quote)).toBe(false);
    expect(quoted({ ...command, run: "node bin/x.mjs" }, quote)).toBe(false);
    const echo: Example = { kind: "command", run: "echo hi | cat", exit: 0, stdout: "hi\n" };
    expect(quoted(echo, "echo hi | cat\nhi")).toBe(true);
    const get: Example = {
      kind: "http",
      start: "node s",
      method: "GET",
      path: "/time",
      status: 200,
      contains: "12:00",
    };
    expect(quoted(get, "GET /time answers 200 with `12:00`")).toBe(true);
    expect(quoted({ ...get, status: 404 }, "GET /time answers 200 with `12:00`")).toBe(false);
  });
});

describe("is not the specification's own", () => {
  it.each<[string, Example, string]>([
    ["words that are not there", call("parse", ["2h"], 7200), 'parse("2h") returns 7200'],
    ["another value", call("parse", ["1h"], 60), 'parse("1h") returns 3600'],
    ["another argument", call("parse", ["2h"], 3600), 'parse("1h") returns 3600'],
    [
      "the value of the next call",
      call("parse", ["1h 30m"], 3600),
      'parse("1h 30m") returns 5400, and parse("1h") returns 3600',
    ],
    ["arguments swapped with the result", call("add", [2, 3], 1), "add(1, 2) returns 3"],
    ["too few arguments", call("add", [1], 3), "add(1, 2) returns 3"],
    ["a part of a number", call("parse", ["1h"], 36), 'parse("1h") returns 3600'],
    ["another function", call("read", ["1h"], 3600), 'parse("1h") returns 3600'],
    ["an error where a value is said", fails("parse", ["1h"], ""), 'parse("1h") returns 3600'],
    [
      "an empty argument that is not written",
      call("parse", [""], 3600),
      'parse("1h") returns 3600',
    ],
    ["an empty quote", call("parse", ["1h"], 3600), " "],
    ["a judgement", { kind: "judgement", what: "add(1, 2) returns 3" }, "add(1, 2) returns 3"],
  ])("%s", (_, example, quote) => {
    expect(quoted(example, quote)).toBe(false);
  });

  it("what has no quote", () => {
    const example = call("parse", ["1h"], 3600);
    expect(isQuoted({ part: "a", requirement: "R1", example }, SPEC)).toBe(false);
  });
});
