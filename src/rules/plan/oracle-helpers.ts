/** The functions that rendered test files are made of, as source text. */

/** Which functions a test file needs. */
export type Helper = "call" | "command" | "http";

/** The imports of a test file with these helpers. */
export function renderHelperImports(helpers: ReadonlySet<Helper>): string {
  const has = (...names: Helper[]) => names.some((name) => helpers.has(name));
  return [
    'import assert from "node:assert/strict";',
    `import { ${[has("http", "call") && "spawn", has("command") && "spawnSync"].filter(Boolean).join(", ")} } from "node:child_process";`,
    has("http") && 'import { createServer } from "node:net";',
    `import { ${has("http", "call") ? "after, " : ""}test } from "node:test";`,
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
    ENVIRONMENT,
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

const CALL = String.raw`
// The work is loaded and called in a process of its own, which is told the call and says what came
// of it: it is not told what is expected, and cannot end, patch or speak for the process that
// compares. This file it could read: work that may read any file is looked at besides.
const SUBJECT = ${"`"}(${"$"}{answer})(${"$"}{JSON.stringify(root)})${"`"};
let subject;
after(() => subject?.child.kill("SIGKILL"));

/** Starts the subject's process, once and whenever it has ended; what it prints is no result. */
function begin() {
  const stdio = ["ignore", 2, 2, "ipc"];
  const child = spawn(process.execPath, ["--input-type=module", "-e", SUBJECT], { cwd: root, env: environment, stdio });
  const ended = new Promise((resolve) => {
    child.on("exit", (code, signal) => {
      subject = undefined;
      resolve({ ended: code ?? signal });
    });
    child.on("error", (error) => resolve({ ended: error.message }));
  });
  return { child, ended };
}

async function ask(file, name, args) {
  subject ??= begin();
  const { child, ended } = subject;
  const answered = new Promise((resolve) => child.once("message", resolve));
  child.send({ file, name, args }, () => {});
  const said = await Promise.race([answered, ended]);
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

/** What the subject's process does: this text is all of it, so it names nothing from outside. */
function answer(root) {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { join } = process.getBuiltinModule("node:path");
  const { pathToFileURL } = process.getBuiltinModule("node:url");
  const { inspect } = process.getBuiltinModule("node:util");
  const show = (value) =>
    inspect(value, { depth: 8, breakLength: Infinity, maxArrayLength: 60, maxStringLength: 600 });

  async function call({ file, name, args }) {
    let found = false;
    try {
      const value = (await load(file))[name];
      if (value === undefined) throw new Error(file + " exports no " + name);
      found = true;
      // A constant is a function that takes nothing.
      const actual = typeof value === "function" ? await value(...args) : value;
      return { shown: show(actual), ...json(actual) };
    } catch (error) {
      return { threw: String(error?.message ?? error), shown: said(error), found };
    }
  }

  async function load(file) {
    const path = join(root, file);
    try {
      return await import(pathToFileURL(path).href);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // Only a process of its own says in which line.
      const { stderr } = spawnSync(process.execPath, [path], { encoding: "utf8", timeout: 20_000 });
      error.stack = /^\S+:\d+$/m.exec(stderr)?.[0] ?? "";
      throw error;
    }
  }

  /** The error with the place in the work that it comes from. */
  function said(error) {
    if (!(error instanceof Error)) return show(error);
    const places = (error.stack ?? "").replace(error.message, "").matchAll(/([^/\s(]+\.[cm]?[jt]sx?):(\d+)/g);
    const at = [...places][0];
    const message = error.message.replaceAll(root, "");
    return error.name + ": " + message + (at ? " (" + at[1] + " line " + at[2] + ")" : "");
  }

  /** Nothing for a value that JSON does not know: it equals no expected one. */
  function json(value) {
    try {
      return { json: JSON.stringify(plain(value)) };
    } catch {
      return {};
    }
  }

  /** The value as JSON knows it: plain objects, nothing undefined, no -0. */
  function plain(value) {
    if (Array.isArray(value)) return Array.from(value, plain);
    if (typeof value === "number" && Number.isFinite(value)) return value === 0 ? 0 : value;
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (value instanceof Date) return value.toJSON();
    const isOdd = value instanceof Map || value instanceof Set || ArrayBuffer.isView(value);
    if (typeof value !== "object" || isOdd) throw new TypeError("no JSON");
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
  }

  process.on("message", async (asked) => process.send(await call(asked)));
}
`;

const ENVIRONMENT = `
// Without this a command that runs tests itself would report to this test.
const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
`;

const COMMAND = String.raw`
function runs(run, { stdin = "", exit, stdout }) {
  const done = spawnSync("sh", ["-c", run], {
    cwd: root,
    env: environment,
    input: stdin,
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 16_000_000,
  });
  if (done.error) assert.fail("could not run: " + done.error.message);
  if (done.status !== exit) {
    const heard = (done.stderr.trim() || done.stdout.trim()).split("\n").slice(-5).join("\n");
    assert.fail("exited with " + done.status + ", expected " + exit + (heard ? ": " + heard : ""));
  }
  if (stdout === undefined || done.stdout.trimEnd() === stdout.trimEnd()) return;
  assert.fail("printed " + show(done.stdout.trimEnd()) + ", expected " + show(stdout.trimEnd()));
}
`;

const HTTP = String.raw`
const servers = new Map();
after(() => {
  for (const { child } of servers.values()) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
});

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a server once, and waits until it answers. */
async function serve(start) {
  const known = servers.get(start);
  if (known) return known;
  const port = await freePort();
  const env = { ...environment, PORT: String(port) };
  const child = spawn("sh", ["-c", start], { cwd: root, env, detached: true });
  const server = { child, url: "http://127.0.0.1:" + port, heard: "", ended: undefined };
  servers.set(start, server);
  const hear = (bytes) => {
    server.heard = (server.heard + bytes).slice(-2000);
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  child.on("exit", (code) => {
    server.ended = code;
  });
  for (let tried = 0; tried < 200 && server.ended === undefined; tried += 1) {
    try {
      await fetch(server.url + "/", { signal: AbortSignal.timeout(5000) });
      return server;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return server;
}

async function answers(start, { method, path, body, status, contains }) {
  const server = await serve(start);
  let response;
  let text;
  try {
    response = await fetch(server.url + path, { method, body, signal: AbortSignal.timeout(20_000) });
    text = await response.text();
  } catch (error) {
    const end = server.ended === undefined ? "" : "; it ended with " + server.ended;
    assert.fail("no answer: " + (error.cause?.message ?? error.message) + end + "\n" + server.heard);
  }
  if (response.status !== status) {
    assert.fail("answered " + response.status + ", expected " + status + ": " + text.slice(0, 500));
  }
  if (contains === undefined || text.includes(contains)) return;
  assert.fail("answered " + show(text.slice(0, 1000)) + ", expected it to contain " + show(contains));
}
`;
