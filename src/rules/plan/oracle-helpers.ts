/** The functions that rendered test files are made of, as source text. */

/** Which functions a test file needs. */
export type Helper = "call" | "command" | "http";

/** The imports of a test file with these helpers. */
export function renderHelperImports(helpers: ReadonlySet<Helper>): string {
  const has = (...names: Helper[]) => names.some((name) => helpers.has(name));
  return [
    'import assert from "node:assert/strict";',
    `import { ${[has("http") && "spawn", has("command", "call") && "spawnSync"].filter(Boolean).join(", ")} } from "node:child_process";`,
    has("http") && 'import { createServer } from "node:net";',
    has("call") && 'import { join } from "node:path";',
    `import { ${has("http") ? "after, " : ""}test } from "node:test";`,
    `import { fileURLToPath${has("call") ? ", pathToFileURL" : ""} } from "node:url";`,
    `import { inspect${has("call") ? ", isDeepStrictEqual" : ""} } from "node:util";`,
  ]
    .filter((line) => line !== false)
    .join("\n");
}

/** The helper functions themselves. */
export function renderHelpers(helpers: ReadonlySet<Helper>): string {
  return [
    COMMON,
    helpers.has("call") ? CALL : "",
    helpers.has("command") || helpers.has("http") ? ENVIRONMENT : "",
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
/** The export as a function; a constant is one that takes nothing. */
async function find(file, name) {
  const found = (await load(file))[name];
  if (found === undefined) throw new Error(file + " exports no " + name);
  return typeof found === "function" ? found : () => found;
}

async function returns(file, name, args, expected) {
  let actual;
  try {
    actual = await (await find(file, name))(...args);
  } catch (error) {
    assert.fail("threw " + said(error) + ", expected " + show(expected));
  }
  if (isDeepStrictEqual(plain(actual), expected)) return;
  assert.fail("returned " + show(actual) + ", expected " + show(expected));
}

async function fails(file, name, args, message) {
  let found;
  let actual;
  try {
    found = await find(file, name);
    actual = await found(...args);
  } catch (error) {
    const text = String(error?.message ?? error);
    // What is missing or still a stub fails too, and means nothing.
    if (found && !text.startsWith("not implemented: ") && text.includes(message)) return;
    assert.fail("threw " + said(error) + ", expected an error with " + show(message));
  }
  assert.fail("returned " + show(actual) + ", expected an error with " + show(message));
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
  const at = [...places].find(([, name]) => !name.endsWith(".test.mjs"));
  const message = error.message.replaceAll(root, "");
  return error.name + ": " + message + (at ? " (" + at[1] + " line " + at[2] + ")" : "");
}

/** The value as JSON knows it: plain objects, nothing undefined, no -0. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value === 0 ? 0 : value;
  if (value instanceof Date) return value.toJSON();
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
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
