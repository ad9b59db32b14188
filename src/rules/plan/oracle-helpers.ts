/** What rendered test files are made of besides: their imports, and what compares. */
import { type Helper, renderAsking } from "./oracle-asking.ts";

/** The imports of a test file with these helpers. */
export function renderHelperImports(helpers: ReadonlySet<Helper>): string {
  const has = (...names: Helper[]) => names.some((name) => helpers.has(name));
  return [
    'import assert from "node:assert/strict";',
    `import { ${[has("http", "call") && "spawn", has("command") && "spawnSync"].filter(Boolean).join(", ")} } from "node:child_process";`,
    has("http") && 'import { createServer } from "node:net";',
    'import { after, test } from "node:test";',
    'import { fileURLToPath } from "node:url";',
    `import { inspect${has("call") ? ", isDeepStrictEqual" : ""} } from "node:util";`,
  ]
    .filter((line) => line !== false)
    .join("\n");
}

/** The helper functions themselves. */
export function renderHelpers(helpers: ReadonlySet<Helper>): string {
  return [
    COMMON,
    renderAsking(helpers),
    "after(end);",
    helpers.has("call") ? CALL : "",
    helpers.has("command") ? COMMAND : "",
    helpers.has("http") ? HTTP : "",
  ]
    .filter((text) => text !== "")
    .map((text) => text.trim())
    .join("\n\n");
}

const COMMON = `const root = fileURLToPath(new URL("..", import.meta.url));
const show = (value) =>
  inspect(value, { depth: 8, breakLength: Infinity, maxArrayLength: 60, maxStringLength: 600 });
`;

const CALL = `
async function ask(file, name, args) {
  const said = await called(file, name, args);
  if (said.ended === undefined) return said;
  assert.fail("its process ended with " + said.ended + " instead of answering");
}

async function returns(file, name, args, expected) {
  const { threw, shown, json } = await ask(file, name, args);
  if (threw !== undefined) assert.fail("threw " + shown + ", expected " + show(expected));
  const actual = json === undefined ? undefined : JSON.parse(json);
  if ((json !== undefined || shown === "undefined") && isDeepStrictEqual(actual, expected)) return;
  assert.fail("returned " + shown + ", expected " + show(expected));
}

async function fails(file, name, args, message) {
  const { threw, shown, found } = await ask(file, name, args);
  const wanted = ", expected an error with " + show(message);
  if (threw === undefined) assert.fail("returned " + shown + wanted);
  // What is missing or still a stub fails too, and means nothing.
  if (found && !threw.startsWith("not implemented: ") && threw.includes(message)) return;
  assert.fail("threw " + shown + wanted);
}
`;

const COMMAND = String.raw`
function runs(run, { stdin, exit, stdout }) {
  const done = ran(run, stdin);
  if (done.trouble !== undefined) assert.fail("could not run: " + done.trouble);
  if (done.status !== exit) {
    const heard = (done.stderr.trim() || done.stdout.trim()).split("\n").slice(-5).join("\n");
    assert.fail("exited with " + done.status + ", expected " + exit + (heard ? ": " + heard : ""));
  }
  if (stdout === undefined || done.stdout === stdout.trimEnd()) return;
  assert.fail("printed " + show(done.stdout) + ", expected " + show(stdout.trimEnd()));
}
`;

const HTTP = String.raw`
async function answers(start, { status, contains, ...request }) {
  const said = await asked(start, request);
  if (said.trouble !== undefined) assert.fail("no answer: " + said.trouble + "\n" + said.heard);
  const { status: got, text } = said;
  if (got !== status) {
    assert.fail("answered " + got + ", expected " + status + ": " + text.slice(0, 500));
  }
  if (contains === undefined || text.includes(contains)) return;
  assert.fail("answered " + show(text.slice(0, 1000)) + ", expected it to contain " + show(contains));
}
`;
