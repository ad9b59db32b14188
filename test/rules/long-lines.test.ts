/** What models and programs write is read in time that grows with its length alone: a megabyte, and a megabyte in one line. */
import { describe, expect, it } from "vitest";
import { harmless, visible } from "../../src/domain/harmless.ts";
import { pathProblem } from "../../src/domain/path.ts";
import type { Spec } from "../../src/domain/spec.ts";
import { judgeAnswers } from "../../src/rules/check/answers.ts";
import { isTestFile, withCanary } from "../../src/rules/check/canary.ts";
import { crashIn } from "../../src/rules/check/crash.ts";
import { doubtsOf } from "../../src/rules/check/doubts.ts";
import { changesPackages } from "../../src/rules/check/manifest.ts";
import { refuseTool } from "../../src/rules/check/permission.ts";
import { protectedBy } from "../../src/rules/check/protected.ts";
import { judgeScope } from "../../src/rules/check/scope.ts";
import { consentText } from "../../src/rules/check/sensitive.ts";
import { edgeIn, wantsYes } from "../../src/rules/people/wanted.ts";
import { readDeclaration } from "../../src/rules/plan/declaration.ts";
import { runsWork } from "../../src/rules/plan/judge.ts";
import { renderStubs } from "../../src/rules/plan/stub.ts";
import { compileScrubber } from "../../src/rules/secrets/scrubber.ts";
import { judgeSecrets } from "../../src/rules/secrets/work.ts";
import { mentionedIds } from "../../src/rules/spec/requirement-id.ts";
import {
  parseAsking,
  parseFileBlocks,
  parseJsonAnswer,
  parseRequests,
  parseTextResult,
} from "../../src/rules/text/answer.ts";
import { distillOutput } from "../../src/rules/text/distill.ts";
import { fencesOf } from "../../src/rules/text/fence.ts";
import { plainOutput } from "../../src/rules/text/plain-output.ts";
import { fenced, oneLine, quoted } from "../../src/rules/text/quote.ts";
import { aCheck, aTask } from "../support/builders.ts";
import { report } from "../support/report.ts";
import { IS_DEEP } from "../support/seed.ts";

/** In one line, or in as many lines as its pieces end. */
const CHARS = IS_DEEP ? 1_000_000 : 200_000;

/** Longer than any file system makes one. */
const PATH_CHARS_MAX = 4096;

/** What a pattern that begins again at each place, or goes back over what it took, would go through again and again. */
const PIECES = [
  ...[
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\u2028",
    "\0",
    "\u001b[",
    "\n]",
    "a",
    "0",
    "_",
    "-",
    "=",
    ".",
  ],
  ...[
    "/",
    "./",
    "~",
    "`",
    "'",
    '"',
    "\\",
    '\\"',
    "(",
    "[",
    "{",
    "<",
    ">",
    "<>",
    "(a",
    "[]",
    "{}",
    "*",
  ],
  ...["!", ":", ";", ",", "#", "\u00e9", "a.", "a ", "a/", "a:1", ":1", "1.", "://a:", "@"],
  ...[
    "S\r",
    "S\u2028",
    "a\n",
    "a:1\n\n",
    "error: x\n",
    " at a",
    " at (",
    "x (",
    "(1s) ",
    " [",
    " [a]",
  ],
  ...[
    "assert.",
    "assert ",
    "process.",
    "process ",
    "Runtime.",
    "_Runtime ",
    "exit ",
    "test_",
    "readFile(",
  ],
  ...[
    "readFile('",
    "import(",
    "import ",
    "require( ",
    "globalThis[",
    "fs",
    "node:",
    "const ",
    "R1.",
    "R1 ",
  ],
  ...["```\n", "``` \n", "~~~a\n", "` ", "<think></think>", "<think>", "</think>\n", "- a\n", "* "],
  ...[
    "not ok 1 - a\n",
    "--- FAIL: a\n",
    "  a.go:1: b\n",
    "          a.go:1: b\n",
    "FAIL: a b\n----------\n",
  ],
  ...[
    "___ a ",
    "= a ",
    "ERROR a.py::",
    "● a\n",
    " FAIL  a\n",
    "---- a stdout ----\n",
    "thread panicked at a:1",
  ],
  ...[
    ' File "',
    '  File "a", line 1\n',
    "Error",
    "Error: a\n",
    "error TS1: ",
    "a(1,1): error TS1: b\n  c\n",
  ],
  ...[
    "Authorization: Bearer ",
    "_auth",
    "_authToken=",
    "xoxb-aaaaaaaa",
    "-----BEGIN PRIVATE KEY-----",
  ],
  ...[
    `hf_${"qWzRtYpLkM".repeat(4).slice(0, 34)}`,
    `npm_${"qW7RtY3pL".repeat(4)}`,
    "[secret DSN]",
    "ghp_",
    "AKIA",
  ],
  ...[
    "correct-horse-battery",
    "correct-horse",
    "Y29ycmVjd",
    "0>",
    "$(",
    "a b 's' ",
    "x does not wait for ",
  ],
];

/** Around the flood: nothing, what a pattern may begin with, and what it must not find at the end. */
const AROUND = [["x", "\u00a7Y"], ...(IS_DEEP ? [["", ""]] : [])] as const;

const TEXTS = PIECES.flatMap((piece) => {
  const flood = piece.repeat(Math.ceil(CHARS / piece.length));
  return AROUND.map(([before = "", behind = ""]) => before + flood + behind);
});

const scrubber = compileScrubber([{ name: "DSN", value: "correct-horse-battery-staple" }]);
const spec = { checks: [], protectedPaths: [] } as unknown as Spec;
const rendered = aCheck("c", { run: "node --test test/t.test.mjs", oracle: ["test/t.test.mjs"] });
const task = aTask("t", {
  parent: "r",
  contract: { checks: [rendered, aCheck("d", { run: "npm t" })] },
});
/** As much as a plan may hold of it. */
const declared = (text: string) => ({
  file: "a.ts",
  name: "A",
  declaration: text.slice(0, 1000),
  doc: "",
});
const change = (path: string) => ({ path, kind: "added", linesAdded: 1, linesDeleted: 0 }) as const;

/** All that reads what models and the programs they wrote say, and what it is handed. */
const READERS: Record<string, (text: string) => unknown> = {
  "what a terminal shows": (text) => [harmless(text), visible(text.slice(0, CHARS))],
  "what is quoted": (text) => [quoted("it", text), fenced(text, text), oneLine(text)],
  "an answer in JSON": (text) => parseJsonAnswer(text),
  "an answer in JSON that was begun": (text) => parseJsonAnswer(`{"a": "${text}`),
  "an answer in files": (text) => parseFileBlocks(text, ["a.ts"]),
  "a file in an answer": (text) => parseFileBlocks(`\`\`\`ts a.ts\n${text}\n\`\`\`\n`, ["a.ts"]),
  "the name of a file": (text) => fencesOf(`${text}\n\`\`\`${text}\n${text}\n`),
  "a text as an answer": (text) => parseTextResult(text, "a.md"),
  "a question of a worker": (text) => parseAsking(`\`\`\`question\n${text}\n\`\`\``),
  "a request of a worker": (text) => parseRequests(`\`\`\`request\n${text}\n\`\`\``),
  "the output of a check": (text) =>
    distillOutput(
      { stdout: text, stderr: text, exitCode: 1, timedOut: false, place: "/w" },
      rendered,
    ),
  "an output without what varies": (text) => plainOutput(text, "/w"),
  "doubts about code": (text) =>
    doubtsOf(task, spec, { vacuous: [], notYet: [] }, [{ path: "a.mjs", text, before: text }]),
  "the kind of a test": (text) => [
    isTestFile(text),
    withCanary("a.test.mjs", text),
    withCanary("a_test.py", text),
  ],
  "a tool call": (text) => refuseTool(["read_file"], { files: ["a"] }, "read_file", { path: text }),
  "a path": (text) => [pathProblem(text), protectedBy(text.slice(0, PATH_CHARS_MAX))],
  "a change": (text) => judgeScope([change(text.slice(0, PATH_CHARS_MAX))], task.contract, [], 10),
  "a diff that a person is asked about": (text) =>
    consentText({
      ...{ title: text, paths: [text], diff: text, said: text, look: text, command: text },
      ...{ isCut: false, isChecked: true },
    }),
  "a manifest": (text) => [
    ...["package.json", "pyproject.toml", "a.csproj", "Gemfile", "setup.py", "pubspec.yaml"].map(
      (path) => changesPackages(path, "", text.slice(0, 200_000)),
    ),
    changesPackages("pubspec.yaml", "", `a: [${text.slice(1, 9000)}`),
  ],
  secrets: (text) => [scrubber.scrub(text), scrubber.scrub(JSON.stringify([text]))],
  "secrets of work": (text) =>
    judgeSecrets([{ path: "a", before: undefined, after: text }], [], scrubber),
  "an answer of a person": (text) => [wantsYes(text), edgeIn(text)],
  "the ids in a text": (text) => mentionedIds(text),
  "a command": (text) => runsWork(text.slice(0, 4000)),
  "the end of a program": (text) => crashIn(text),
  "what work answers": (text) =>
    judgeAnswers(
      [{ kind: "command", run: "a", exit: 1 }],
      `{"status":1,"stderr":${JSON.stringify(text)}}`,
      String,
    ),
  "a declaration": (text) => {
    const whole = declared(text);
    const inside = declared(`export class A { ${text.slice(0, 900)} }`);
    return [whole, inside].map((one) => [
      readDeclaration(one.declaration, "A"),
      renderStubs([one], new Map()),
    ]);
  },
};

describe("a flood of one thing", () => {
  it.each(Object.entries(READERS))(
    "does not keep %s busy",
    (name, read) => {
      let count = 0;
      for (const text of TEXTS) {
        read(text);
        count += 1;
      }
      report({
        suite: "long-lines",
        what: `${name}: read to the end in texts of ${CHARS / 1000} kB, each a flood of one piece`,
        count: TEXTS.length,
        passed: count,
      });
      expect(count).toBe(TEXTS.length);
    },
    IS_DEEP ? 600_000 : 60_000,
  );
});
