/** Everything that leaves the program or is kept goes through one scrubber: each format, each way out. */
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, describe, expect, it, vi } from "vitest";
import { openRepository } from "../../src/adapters/git/repository.ts";
import { openJournal, readJournal } from "../../src/adapters/journal/jsonl.ts";
import { mailboxModel } from "../../src/adapters/models/mailbox.ts";
import { recordingModel } from "../../src/adapters/models/recorded.ts";
import { notifier } from "../../src/cli/notify.ts";
import { createOutput } from "../../src/cli/output.ts";
import {
  scrubbedJournal,
  scrubbedModel,
  scrubbedPackages,
  scrubbedRepository,
  scrubbedSandbox,
  scrubbedStore,
  scrubbedTracker,
} from "../../src/cli/scrubbed.ts";
import { guardStreams, openSecrets, type Secrets } from "../../src/cli/secrets.ts";
import type { ModelReply, ModelRequest } from "../../src/domain/conversation.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type {
  Journal,
  Model,
  Packages,
  Repository,
  Sandbox,
  Tracker,
} from "../../src/domain/ports.ts";
import { openFollower } from "../../src/orchestrator/follower.ts";
import { openStore } from "../../src/orchestrator/store.ts";
import { replay } from "../../src/rules/replay.ts";
import { taskOf } from "../../src/rules/status.ts";
import { aQuestion } from "../support/builders.ts";
import { followed } from "../support/followed-store.ts";
import { aClock, aStore, runStarted } from "../support/leaf-store.ts";
import { report } from "../support/report.ts";
import { drawer, keyFormats, spelledFormats } from "../support/secret-formats.ts";

const SEED = 7;
const VALUE = `Zq7+/"&<${drawer(SEED)(18)}\\=x/y`;
const FORMATS = [...keyFormats(SEED), ...spelledFormats(VALUE)];
const place = mkdtempSync(join(tmpdir(), "fractal-secrets-"));
afterAll(() => rmSync(place, { recursive: true }));
let folders = 0;
const aFolder = () => {
  folders += 1;
  return join(place, String(folders));
};

const guarded = () => {
  const secrets = openSecrets({ DSN: VALUE });
  secrets.declare(["DSN"]);
  return secrets;
};
/** The scrubber taken out: what the ways out would let through without it. */
const OFF: Secrets = {
  scrub: (text) => text,
  find: () => [],
  scrubbed: (value) => value,
  declare: () => [],
  environment: () => ({}),
};

const REQUEST: ModelRequest = {
  role: "worker",
  taskId: "fr-k.a1",
  taskKey: "one",
  attempt: 1,
  turn: "1",
  system: "",
  messages: [],
  tools: [],
  outputTokensMax: 100,
};
const REPLY: ModelReply = {
  text: "",
  toolCalls: [],
  stopReason: "end",
  usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
  answeredBy: "a model",
};
const replying = (reply: Partial<ModelReply>): Model => ({
  name: "scripted:x",
  ask: async () => ({ ...REPLY, ...reply }),
});
const never = new AbortController().signal;

/** A port that keeps what it is called with, and answers nothing of note. */
function listening<T>(seen: unknown[]): T {
  return new Proxy({} as object, {
    ownKeys: () => [],
    get:
      (_, name) =>
      async (...given: unknown[]) => {
        seen.push(name, ...given);
        return undefined;
      },
  }) as T;
}

const allIn = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");

function journalIn(folder: string, secrets: Secrets): Journal {
  const opened = openJournal(folder, "k");
  if ("line" in opened) throw new Error(opened.message);
  return scrubbedJournal(opened, secrets);
}

async function asked(secrets: Secrets, request: Partial<ModelRequest>): Promise<string> {
  const seen: unknown[] = [];
  const model: Model = {
    name: "scripted:x",
    async ask(given) {
      seen.push(given);
      return REPLY;
    },
  };
  await scrubbedModel(model, secrets).ask({ ...REQUEST, ...request }, never);
  return JSON.stringify(seen);
}

async function printed(
  secrets: Secrets,
  json: boolean,
  print: (out: ReturnType<typeof createOutput>) => void,
): Promise<string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  guardStreams({ stdout, stderr }, secrets);
  const streams = { stdin: new PassThrough(), stdout, stderr };
  print(createOutput(streams, { json, colour: false, env: {} }));
  return String(stdout.read() ?? "") + String(stderr.read() ?? "");
}

const tracked = async (secrets: Secrets, act: (tracker: Tracker) => Promise<unknown>) => {
  const seen: unknown[] = [];
  const inner = listening<Tracker>(seen);
  const methods = [
    "read",
    "create",
    "mirror",
    "comment",
    "overwritten",
    "comments",
    "respond",
    "request",
  ] as const;
  const plain = Object.fromEntries(methods.map((name) => [name, inner[name]]));
  await act(scrubbedTracker({ prefix: "fr", ...plain } as unknown as Tracker, secrets));
  return JSON.stringify(seen);
};

const CHANGE = { path: "a.mjs", kind: "added" as const, linesAdded: 1, linesDeleted: 0 };
const repository = (secrets: Secrets, text: string, seen: unknown[] = []) =>
  scrubbedRepository(
    {
      commit: async (...given: unknown[]) => String(seen.push(given)),
      diff: async () => `+ ${text}`,
      diffOf: async () => ({ text: `+ ${text}`, isCut: false, id: "" }),
      collect: async () => ({ tree: "t", changes: [CHANGE] }),
      readLegible: async () => text,
    } as unknown as Repository,
    secrets,
  );

const printing = (text: string): Sandbox =>
  ({
    run: async () => ({ exitCode: 0, stdout: text, stderr: `err ${text}` }),
    tool: async () => ({ text, isError: false }),
  }) as unknown as Sandbox;

/** Each way out: given a text, all that is there afterwards. */
const WAYS_OUT: Record<string, (text: string, secrets: Secrets) => Promise<string>> = {
  "a line of the journal": async (text, secrets) => {
    const folder = aFolder();
    const event = { event_type: "run.stopped", reason: text, exit_code: 0 } as const;
    journalIn(folder, secrets).append([{ task_id: null, actor: "fractal", ...event }], 0);
    return allIn(folder);
  },
  "a question in the journal": async (text, secrets) => {
    const folder = aFolder();
    const words = { title: text, why: `why ${text}`, options: [text], tried: text };
    const event = { event_type: "question.opened", question: "q", kind: "asks", ...words } as const;
    journalIn(folder, secrets).append([{ task_id: null, actor: "x", ...event, blocks: [] }], 0);
    return allIn(folder);
  },
  "a blob": async (text, secrets) => {
    const folder = aFolder();
    journalIn(folder, secrets).putBlob(JSON.stringify({ text: [text] }));
    return allIn(folder);
  },
  "a new issue": (text, secrets) =>
    tracked(secrets, (tracker) => {
      const words = { title: text, description: `d ${text}`, acceptance: text, labels: [text] };
      const rest = { id: "fr-k", status: "open", priority: 2, parent: null, type: "task" } as const;
      return tracker.create([{ ...words, ...rest, dependsOn: [], meta: { run: "k", key: text } }]);
    }),
  "the status of an issue": (text, secrets) =>
    tracked(secrets, (tracker) =>
      tracker.mirror([{ id: "fr-k", status: "closed", assignee: text, reason: text }]),
    ),
  "a comment": (text, secrets) => tracked(secrets, (tracker) => tracker.comment("fr-k", text)),
  "an answer": (text, secrets) => tracked(secrets, (tracker) => tracker.respond("fr-k", text)),
  "a request to the controller": (text, secrets) =>
    tracked(secrets, (tracker) =>
      tracker.request("fr-k", { kind: "cancel", by: text, at: "" }, "open"),
    ),
  "the system prompt": (text, secrets) => asked(secrets, { system: text }),
  "what a model is told": (text, secrets) =>
    asked(secrets, { messages: [{ from: "user", text: `the file:\n${text}` }] }),
  "what a tool tells a model": (text, secrets) => {
    const result = { from: "tool", callId: "1", name: "read_file", text, isError: false } as const;
    return asked(secrets, { messages: [result] });
  },
  "what a model said before": (text, secrets) => {
    const call = { id: "1", name: "write_file", args: { path: "a", text } };
    return asked(secrets, { messages: [{ from: "model", text, toolCalls: [call] }] });
  },
  "an answer that is acted on": async (text, secrets) => {
    const toolCalls = [{ id: "1", name: "write_file", args: { path: "a", [text]: [text] } }];
    const model = scrubbedModel(replying({ text, toolCalls }), secrets);
    return JSON.stringify(await model.ask(REQUEST, never));
  },
  "the trouble of a model": async (text, secrets) => {
    const failure = { failure: "model-unavailable", detail: `bad key ${text}` } as const;
    const model = scrubbedModel({ name: "x", ask: async () => failure }, secrets);
    return JSON.stringify(await model.ask(REQUEST, never));
  },
  "a letter in a mailbox": async (text, secrets) => {
    const folder = aFolder();
    const stop = new AbortController();
    const model = scrubbedModel(mailboxModel(folder, { pollMs: 1 }), secrets);
    const waiting = model.ask({ ...REQUEST, system: text }, stop.signal);
    stop.abort();
    await waiting;
    return allIn(folder);
  },
  "a recording": async (text, secrets) => {
    const folder = aFolder();
    const inner = scrubbedModel(replying({ text, answeredBy: `m ${text}` }), secrets);
    const model = scrubbedModel(recordingModel(inner, folder, { today: () => "" }), secrets);
    await model.ask({ ...REQUEST, system: text }, never);
    return allIn(folder);
  },
  "what a command printed": async (text, secrets) => {
    const sandbox = scrubbedSandbox(printing(text), secrets);
    return JSON.stringify(await sandbox.run({} as Parameters<Sandbox["run"]>[0], never));
  },
  "what a tool found": async (text, secrets) => {
    const sandbox = scrubbedSandbox(printing(text), secrets);
    return JSON.stringify(await sandbox.tool({} as Parameters<Sandbox["tool"]>[0], never));
  },
  "the message of a commit": async (text, secrets) => {
    const seen: unknown[] = [];
    await repository(secrets, text, seen).commit("t", [], `Title ${text}\n`);
    return JSON.stringify(seen);
  },
  "the address of a package": async (text, secrets) => {
    const seen: unknown[] = [];
    const url = `https://registry.npmjs.org/${encodeURIComponent(text)}`;
    const packages: Packages = {
      downloads: true,
      async gather(named) {
        // As the server reads it.
        seen.push(...named.map((one) => decodeURIComponent(one.url)));
        return { files: new Map(), missing: [], downloaded: 0 };
      },
    };
    const named = [{ url, hash: "", optional: false }];
    await scrubbedPackages(packages, secrets).gather(named, "", never);
    return seen.join("\n");
  },
  "a diff": (text, secrets) => repository(secrets, text).diff("a", "b"),
  "a diff that a person is asked about": async (text, secrets) =>
    (await repository(secrets, text).diffOf("a", "b", [], 1)).text,
  "work that enters": async (text, secrets) => {
    const collected = await repository(secrets, text).collect("f", "c");
    return "failure" in collected ? JSON.stringify(collected) : text;
  },
  "a text on the terminal": (text, secrets) =>
    printed(secrets, false, (out) =>
      out.show(
        () => null,
        () => `tree ${text}`,
      ),
    ),
  "a note on the terminal": (text, secrets) => printed(secrets, false, (out) => out.note(text)),
  "a refusal": (text, secrets) =>
    printed(secrets, false, (out) => {
      out.refuse({ refusal: true, exit: 2, what: text, where: [text], next: [text] });
    }),
  "the data of --json": (text, secrets) =>
    printed(secrets, true, (out) =>
      out.show(
        () => ({ a: [text] }),
        () => "",
      ),
    ),
  "a refusal of --json": (text, secrets) =>
    printed(secrets, true, (out) => {
      out.refuse({ refusal: true, exit: 2, what: text, where: [text], next: [text] });
    }),
};

/** Each way into the repository: what work makes at a place of its own, with a secret in it. */
const WAYS_IN: Record<string, (place: string, text: string) => void> = {
  "the text of a file": (place, text) => writeFileSync(join(place, "a.mjs"), text),
  "the name of a file": (place, text) => {
    const path = join(place, `${text}.mjs`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "x\n");
  },
  "where a link points": (place, text) => symlinkSync(`to/${text}`, join(place, "link")),
};
/** What no file of a workspace can be called as it is written. */
const NO_NAME = /[\\\n]|\/\/|[^/]{250}/;

/** What must not be there: the secret, and either half of it. */
function isSeen(left: string, secret: string): boolean {
  const half = Math.ceil(secret.length / 2);
  const pieces = [secret.slice(0, half), secret.slice(-half), JSON.stringify(secret).slice(1, -1)];
  return pieces.some((piece) => left.includes(piece));
}

describe("secrets", () => {
  it("none gets out in any format on any way, and each way is open without the scrubber", async () => {
    const secrets = guarded();
    const leaks: string[] = [];
    const open: string[] = [];
    for (const [way, leave] of Object.entries(WAYS_OUT)) {
      let through = 0;
      for (const { name, written, secret } of FORMATS) {
        if (isSeen(await leave(written, secrets), secret)) leaks.push(`${way}: ${name}`);
        if (isSeen(await leave(written, OFF), secret)) through += 1;
      }
      if (through === 0) open.push(way);
    }
    const count = FORMATS.length * Object.keys(WAYS_OUT).length;
    report({
      suite: "secrets",
      what: "a secret of each format is put through each way out",
      count,
      passed: count - leaks.length,
      seed: SEED,
      details: { formats: FORMATS.length, waysOut: Object.keys(WAYS_OUT).length },
    });
    expect(FORMATS.length).toBeGreaterThanOrEqual(20);
    expect(leaks).toEqual([]);
    expect(open).toEqual([]);
  });

  it("none gets into the repository, as a text, a name or the end of a link; without the scrubber each does", async () => {
    const checkout = aFolder();
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=Una", "-c", "user.email=una@example.org", ...args], {
        cwd: checkout,
      });
    mkdirSync(checkout);
    git("init", "-q");
    git("commit", "-qm", "base", "--allow-empty");
    const plain = await openRepository({ checkout, runId: "in", root: "." });
    const head = await plain.startBranch({ base: "HEAD" });
    const guardedOne = scrubbedRepository(plain, guarded());
    const entered: string[] = [];
    const kept: string[] = [];
    let count = 0;
    for (const [way, make] of Object.entries(WAYS_IN)) {
      const folder = aFolder();
      const formats = FORMATS.filter(
        ({ written }) => way !== "the name of a file" || !NO_NAME.test(written),
      );
      for (const [at, { written }] of formats.entries()) {
        mkdirSync(join(folder, `${at}`), { recursive: true });
        make(join(folder, `${at}`), written);
      }
      const isIn = (paths: readonly string[], at: number) =>
        paths.some((path) => path.startsWith(`${at}/`));
      const refusal = await guardedOne.collect(folder, head);
      const refused =
        "failure" in refusal && refusal.failure === "holds-secret" ? refusal.paths : [];
      const open = await plain.collect(folder, head);
      const changed = "failure" in open ? [] : open.changes.map(({ path }) => path);
      for (const [at, { name, secret }] of formats.entries()) {
        count += 1;
        if (!isIn(refused, at) || isSeen(JSON.stringify(refusal), secret)) {
          entered.push(`${way}: ${name}`);
        }
        if (!isIn(changed, at)) kept.push(`${way}: ${name}`);
      }
    }
    report({
      suite: "secrets",
      what: "work brings a secret of each format along, in each way",
      count,
      passed: count - entered.length,
      seed: SEED,
      details: { formats: FORMATS.length, waysIn: Object.keys(WAYS_IN).length },
    });
    expect(count).toBeGreaterThan(FORMATS.length * 2.5);
    expect(entered).toEqual([]);
    expect(kept).toEqual([]);
  });

  it("none is in what the notify command is told", async () => {
    const folder = place;
    const text = FORMATS.map(({ written }) => written).join("\n");
    const question = aQuestion("fr-k.q1", "fr-k", { title: text, why: text });
    const say = () => undefined;
    notifier("env > told.part && mv told.part told", { cwd: folder, secrets: guarded(), say })(
      question,
    );
    const told = () => readdirSync(folder).includes("told");
    await vi.waitUntil(told, { timeout: 10_000 });
    const left = readFileSync(join(folder, "told"), "utf8");
    expect(left).toContain("[secret github-token]");
    expect(FORMATS.filter(({ secret }) => isSeen(left, secret))).toEqual([]);
  });

  it("the state that is worked with is the one that a replay of the journal comes to", () => {
    const folder = aFolder();
    const secrets = guarded();
    const opened = openStore(journalIn(folder, secrets), aClock(), DEFAULT_LIMITS, [runStarted]);
    const store = scrubbedStore(opened, secrets);
    const reason = `stopped by ${VALUE}`;
    const event = { event_type: "run.stopped", reason, exit_code: 3 } as const;
    store.record([{ task_id: null, actor: "fractal", ...event }]);
    const events = readJournal(folder, "k");
    if (!Array.isArray(events)) throw new Error(events.message);
    expect(store.state).toEqual(replay(events));
    expect(JSON.stringify([...events])).toContain("stopped by [secret DSN]");
  });

  it("a person's own words in Beads are followed once, and stay as they are there", async () => {
    const secrets = guarded();
    const store = scrubbedStore(aStore(), secrets);
    const { tracker } = await followed(store);
    const follower = openFollower({ store, tracker: scrubbedTracker(tracker, secrets) });
    await tracker.person.edit("t", { title: `Log in with ${VALUE}` });
    await follower.follow(true);
    expect(taskOf(store.state, "t").contract.title).toBe("Log in with [secret DSN]");
    const { seq } = store.state;
    await follower.follow(true);
    await follower.mirror();
    expect(
      store.journal
        .read()
        .slice(seq + 1)
        .filter((one) => one.event_type === "drift.seen"),
    ).toEqual([]);
    expect(tracker.task("t").title).toBe(`Log in with ${VALUE}`);
    expect(JSON.stringify(store.journal.read())).not.toContain(VALUE.slice(6, 20));
  });

  it("an answer is acted on as it is stored, also where a name alone tells a key from other text", async () => {
    const secrets = guarded();
    const args = { aws_secret_access_key: drawer(3)(40), near: [`x\n${FORMATS[9]?.written}`] };
    const toolCalls = [{ id: "1", name: "write_file", args }];
    const reply = await scrubbedModel(replying({ toolCalls }), secrets).ask(REQUEST, never);
    const journal = journalIn(aFolder(), secrets);
    const stored = journal.getBlob(journal.putBlob(JSON.stringify(reply))) ?? "";
    expect(JSON.parse(stored)).toEqual(reply);
    expect(stored).toContain('"aws_secret_access_key":"[secret aws-secret]"');
  });

  it("a line that is half a key, or a number that is one, does not end a conversation", async () => {
    const secrets = openSecrets({ PIN: "7350192846" });
    secrets.declare(["PIN"]);
    const text = `see\npm_${drawer(5)(36)}`;
    const toolCalls = [{ id: "1", name: "write_file", args: { text, pin: 7350192846 } }];
    const seen: ModelRequest[] = [];
    const model: Model = {
      name: "scripted:x",
      async ask(request) {
        seen.push(request);
        return { ...REPLY, text, toolCalls };
      },
    };
    const reply = await scrubbedModel(model, secrets).ask({ ...REQUEST, system: text }, never);
    expect(seen[0]?.system).toBe(text);
    expect(reply).toMatchObject({ text, toolCalls: [{ args: { text, pin: "[secret PIN]" } }] });
    const journal = journalIn(aFolder(), secrets);
    const stored = journal.getBlob(journal.putBlob(JSON.stringify(reply))) ?? "";
    expect(JSON.parse(stored)).toEqual(reply);
  });

  it("a value without secrets is handed on as it is, at the cost of one look", () => {
    const value = { a: ["text", { b: 1 }], c: null };
    expect(guarded().scrubbed(value)).toBe(value);
  });

  it("what is declared counts from then on, and what is too short is said", () => {
    const secrets = openSecrets({ PLACE: "grosvenor-square", PIN: "1234" });
    expect(secrets.scrub("at grosvenor-square")).toBe("at grosvenor-square");
    expect(secrets.declare(["PLACE", "PIN"])).toEqual(["PIN"]);
    expect(secrets.scrub("at grosvenor-square")).toBe("at [secret PLACE]");
    expect(secrets.environment()).toEqual({});
  });
});
