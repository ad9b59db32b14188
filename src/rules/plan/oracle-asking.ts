/**
 * The functions that try an example on the work and tell what came of it, as source text. They know
 * nothing of what is expected: a rendered test compares (oracle-helpers.ts), or, while fractal
 * judges, somebody outside of the sandbox (rules/check/answers.ts).
 */
import type { Runnable } from "../../domain/example.ts";

/** Which functions are needed. */
export type Helper = Runnable["kind"];

/**
 * The functions: `called`, `ran` and `asked`, and `end`, which ends all that they started. They need
 * `spawn`, `spawnSync` and `createServer`, and `root`, the folder of the work.
 */
export function renderAsking(helpers: ReadonlySet<Helper>): string {
  return [
    COMMON,
    helpers.has("call") ? CALL : "",
    helpers.has("command") ? COMMAND : "",
    helpers.has("http") ? HTTP : "",
  ]
    .filter((text) => text !== "")
    .map((text) => text.trim())
    .join("\n\n");
}

const COMMON = `
// Without this a command that runs tests itself would report to this test.
const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
const started = new Set();
const end = () => {
  for (const kill of started) kill();
};
`;

const CALL = String.raw`
// The work is loaded and called in a process of its own, which is told the call and says what came
// of it: it is not told what is expected, and cannot end, patch or speak for the process that
// compares.
const SUBJECT = ${"`"}(${"$"}{answer})(${"$"}{JSON.stringify(root)})${"`"};
let subject;
started.add(() => subject?.child.kill("SIGKILL"));

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

/** What a call came to, or how its process ended instead. */
function called(file, name, args) {
  subject ??= begin();
  const { child, ended } = subject;
  const answered = new Promise((resolve) => child.once("message", resolve));
  child.send({ file, name, args }, () => {});
  return Promise.race([answered, ended]);
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

const COMMAND = `
/** How a command ended and what it printed. */
function ran(run, stdin = "") {
  const done = spawnSync("sh", ["-c", run], {
    cwd: root,
    env: environment,
    input: stdin,
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 16_000_000,
  });
  if (done.error) return { trouble: done.error.message };
  const { status, stdout, stderr } = done;
  return { status, stdout: stdout.trimEnd(), stderr: stderr.trimEnd().slice(-8000) };
}
`;

const HTTP = `
const servers = new Map();
started.add(() => {
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

/** What a server answers to a request, or why it does not. */
async function asked(start, { method, path, body }) {
  const server = await serve(start);
  try {
    const response = await fetch(server.url + path, { method, body, signal: AbortSignal.timeout(20_000) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const end = server.ended === undefined ? "" : "; it ended with " + server.ended;
    return { trouble: (error.cause?.message ?? error.message) + end, heard: server.heard };
  }
}
`;
