/** What only has to fail is proof only beside something that shows it could succeed. */
import { describe, expect, it } from "vitest";
import type { Check } from "../../../src/domain/check.ts";
import type { Runnable } from "../../../src/domain/example.ts";
import { crashIn } from "../../../src/rules/check/crash.ts";
import { feeble, unbackedIn } from "../../../src/rules/check/unbacked.ts";
import { programsIn } from "../../../src/rules/plan/judge.ts";
import { aCheck } from "../../support/builders.ts";

const REFUSES = aCheck("refuses", { run: "node cli.mjs bad", exit: 2 });
const unbacked = (...checks: Check[]) => unbackedIn(checks).map(({ words }) => words);
const rendered = (...examples: Runnable[]) =>
  aCheck("examples", {
    run: "node --disable-sigusr1 --test test/t.test.mjs",
    oracle: ["test/t.test.mjs"],
    examples,
  });
const call = (name: string, rest: { value?: unknown; error?: string }): Runnable => ({
  kind: "call",
  file: "a.mjs",
  name,
  args: [1],
  ...rest,
});
const request = (status: number, contains?: string): Runnable => ({
  kind: "http",
  start: "node server.mjs",
  method: "GET",
  path: "/",
  status,
  ...(contains === undefined ? {} : { contains }),
});

describe("a check that only has to fail", () => {
  it("is backed where the same program is asked for a success or for certain words", () => {
    expect(unbacked(REFUSES)).toEqual(["node cli.mjs bad"]);
    const others: [Partial<Check>, boolean][] = [
      [{ run: "node cli.mjs good" }, true],
      [{ run: "node ./tool/other.mjs good" }, false],
      [{ run: "node cli.mjs worse", exit: 3 }, false],
      [{ run: "node cli.mjs worse", exit: 3, stdout: "no" }, true],
      [{ run: "echo x | node cli.mjs - > out.txt && test -s out.txt" }, true],
      [{ run: "test -f cli.mjs" }, false],
    ];
    for (const [over, backs] of others) {
      expect(unbacked(REFUSES, aCheck("other", over)).length === 0, over.run).toBe(backs);
    }
  });

  it("is never backed where its exit code is the shell's own: nothing to run, or a signal", () => {
    const killed = { ...REFUSES, exit: 139 };
    expect(unbacked(killed, aCheck("works", { run: "node cli.mjs good" }))).toHaveLength(1);
  });

  it("is no matter where it says what must be printed, or only looks at files", () => {
    expect(unbacked({ ...REFUSES, stdout: "no" })).toEqual([]);
    expect(unbacked(aCheck("gone", { run: "test -f old.txt", exit: 1 }))).toEqual([]);
  });

  it("is one of several examples as well: a call, a command, a request", () => {
    expect(unbacked(rendered(call("f", { error: "" }), call("g", { value: 1 })))).toEqual([
      "f(1) fails",
    ]);
    expect(unbacked(rendered(call("f", { error: "" }), call("f", { value: 1 })))).toEqual([]);
    expect(unbacked(rendered(call("f", { error: "too big" })))).toEqual([]);
    expect(unbacked(rendered(request(404)))).toEqual(["GET / answers 404"]);
    expect(unbacked(rendered(request(404), request(200)))).toEqual([]);
    expect(unbacked(rendered(request(404, "no such page")))).toEqual([]);
  });

  it("proves nothing alone, nor where it failed by a crash; beside others its check still does", () => {
    const works = aCheck("works", { run: "node cli.mjs good", stdout: "1" });
    expect([...feeble([REFUSES])]).toEqual(["refuses"]);
    expect([...feeble([REFUSES, works])]).toEqual([]);
    const results = [{ name: "refuses", crashed: ["node cli.mjs bad: TypeError"] }];
    expect([...feeble([REFUSES, works], results)]).toEqual(["refuses"]);
    expect([...feeble([rendered(call("f", { error: "" }), call("g", { value: 1 }))])]).toEqual([]);
    expect([...feeble([rendered(call("f", { error: "" }))])]).toEqual(["examples"]);
    // An older journal does not say what is in the file.
    const { examples: _, ...old } = rendered();
    expect([...feeble([old])]).toEqual([]);
  });
});

it.each([
  ["node cli.mjs bad", ["node cli.mjs"]],
  ["NO_COLOR=1 node --no-warnings cli.mjs bad", ["node cli.mjs"]],
  ["cd app && python3 -m calc 1 0", ["python3 calc"]],
  ["npm run --silent cli -- bad", ["npm run cli"]],
  ["timeout 5 ./cli bad", ["timeout 5 ./cli"]],
  ["echo 'a | b' | ./cli - 2>&1 | grep -q no", ["./cli"]],
  ["node 'my cli.mjs' bad; ./other", ["node 'my cli.mjs'", "./other"]],
  ["go run . bad", ["go run ."]],
  ["cargo run -- bad", ["cargo run"]],
  ["test \"$(node cli.mjs)\" = 'a'", []],
  ["echo $(node cli.mjs)", ["echo $(node cli.mjs)"]],
  ["grep -q x cli.mjs && tsc --noEmit", []],
])("the programs of the work in `%s`", (command, programs) => {
  expect(programsIn(command)).toEqual(programs);
});

describe("a crash", () => {
  it.each([
    [
      "file:///work/cli.mjs:3\n  nope();\n  ^\n\nReferenceError: nope is not defined\n    at file:///work/cli.mjs:3:3\n\nNode.js v24.1.0\n",
      "ReferenceError: nope is not defined",
    ],
    [
      "node:internal/modules/esm/resolve:1\n\nError [ERR_MODULE_NOT_FOUND]: Cannot find module '/work/x.mjs'\n    at x\n\nNode.js v24.1.0",
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/work/x.mjs'",
    ],
    [
      "node:internal/process/promises:1\n[UnhandledPromiseRejection: x] {\n}\n\nNode.js v24.1.0",
      "Node.js v24.1.0",
    ],
    [
      "Traceback (most recent call last):\n  File \"/work/a.py\", line 1, in <module>\n    f()\nNameError: name 'f' is not defined\n",
      "NameError: name 'f' is not defined",
    ],
    [
      '  File "/work/a.py", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n',
      "SyntaxError: invalid syntax",
    ],
    ["python3: can't open file '/work/a.py': [Errno 2] No such file or directory\n", undefined],
    ["panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n", "panic: boom"],
    [
      "thread 'main' panicked at src/main.rs:2:5:\nno\n",
      "thread 'main' panicked at src/main.rs:2:5:",
    ],
    [
      'Exception in thread "main" java.lang.Error: no\n',
      'Exception in thread "main" java.lang.Error: no',
    ],
    ["sh: 1: nope: not found\n", "sh: 1: nope: not found"],
  ])("is known by what the runtime says of it: %#", (stderr, said) => {
    if (said === undefined) expect(crashIn(stderr)).toContain("can't open file");
    else expect(crashIn(stderr)).toBe(said);
  });

  it.each([
    "usage: calc a b\n",
    "Error: divisor must not be 0\n",
    "error: TypeError is what you gave me\n",
    "calc: error: argument a: invalid int value: 'x'\n",
    "",
  ])("is not what a program says of its own will: %j", (stderr) => {
    expect(crashIn(stderr)).toBeUndefined();
  });

  it("is looked for quickly, whatever was printed", () => {
    const long = 'TypeError: x\nTraceback (most recent call last):\n  File "a", line 1\n'.repeat(
      40_000,
    );
    expect(crashIn(long)).toBe("TypeError: x");
    expect(crashIn("Error: a ".repeat(200_000))).toBeUndefined();
  });
});
