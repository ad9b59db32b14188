/** The mailbox: requests as files, replies from people and programs, whole, half-written or wrong. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mailboxModel } from "../../../src/adapters/models/mailbox.ts";
import { aRequest, NEVER } from "../../support/scripted.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fractal-mailbox-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => mailboxModel(folder, { pollMs: 5 });
const files = () => readdirSync(folder).sort();
const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
const appears = (name: string) =>
  vi.waitFor(() => expect(files()).toContain(name), { interval: 5, timeout: 5000 });

describe("a mailbox", () => {
  it("writes what is asked, whole, under a number, the role and the task", async () => {
    const stop = new AbortController();
    const schema = { name: "answer", json: { type: "object" } };
    const answer = open().ask(aRequest({ attempt: 2, turn: "decide", schema }), stop.signal);
    await appears("0001-worker-fr-1.a1.request.json");
    expect(
      JSON.parse(readFileSync(join(folder, "0001-worker-fr-1.a1.request.json"), "utf8")),
    ).toMatchObject({
      role: "worker",
      task: "core",
      task_id: "fr-1.a1",
      attempt: 2,
      turn: "decide",
      system: "You help.",
      messages: [{ from: "user", text: "Say hello." }],
      tools: [],
      response_schema: { type: "object" },
    });
    stop.abort();
    expect(await answer).toMatchObject({ failure: "cancelled" });
    expect(files()).toEqual(["0001-worker-fr-1.a1.request.json"]);
  });

  it("takes text, tool calls and usage from a reply in JSON", async () => {
    const answer = open().ask(aRequest(), NEVER);
    await appears("0001-worker-fr-1.a1.request.json");
    put(
      "0001-worker-fr-1.a1.reply.json",
      JSON.stringify({
        text: "Hi",
        tool_calls: [{ name: "run_tests" }],
        usage: { output_tokens: 7 },
      }),
    );
    expect(await answer).toMatchObject({
      text: "Hi",
      toolCalls: [{ id: "1-1", name: "run_tests", args: {} }],
      stopReason: "tool-calls",
      usage: { inputTokens: 0, outputTokens: 7 },
      answeredBy: "mailbox",
    });
  });

  it("takes the text of a reply in Markdown as it is", async () => {
    const answer = open().ask(aRequest(), NEVER);
    await appears("0001-worker-fr-1.a1.request.json");
    put("0001-worker-fr-1.a1.reply.md", "# Hi\n\n```ts a.ts\nx\n```\n");
    expect(await answer).toMatchObject({ text: "# Hi\n\n```ts a.ts\nx\n```\n", stopReason: "end" });
  });

  it("waits through a half-written reply, says what is wrong with it, and takes the whole one", async () => {
    const answer = open().ask(aRequest(), NEVER);
    await appears("0001-worker-fr-1.a1.request.json");
    put("0001-worker-fr-1.a1.reply.json", '{"text": "Hel');
    await appears("0001-worker-fr-1.a1.error.txt");
    const explained = readFileSync(join(folder, "0001-worker-fr-1.a1.error.txt"), "utf8");
    expect(explained).toMatch(/cannot be used[\s\S]*tool_calls/);
    put("0001-worker-fr-1.a1.reply.json", '{"text": "Hello"}');
    expect(await answer).toMatchObject({ text: "Hello" });
    expect(files()).not.toContain("0001-worker-fr-1.a1.error.txt");
  });

  it.each([
    ["the wrong type", '{"text": 3}'],
    ["nothing in it", "{}"],
    ["a list", "[]"],
    ["a negative count", '{"text":"x","usage":{"input_tokens":-1}}'],
  ])("explains a reply with %s and keeps waiting", async (_what, reply) => {
    const stop = new AbortController();
    const answer = open().ask(aRequest(), stop.signal);
    await appears("0001-worker-fr-1.a1.request.json");
    put("0001-worker-fr-1.a1.reply.json", reply);
    await appears("0001-worker-fr-1.a1.error.txt");
    stop.abort();
    expect(await answer).toMatchObject({ failure: "cancelled" });
  });

  it("uses a request from before a restart again, and its reply", async () => {
    const stop = new AbortController();
    const before = open().ask(aRequest(), stop.signal);
    await appears("0001-worker-fr-1.a1.request.json");
    stop.abort();
    await before;
    put("0001-worker-fr-1.a1.reply.md", "Answered meanwhile.");
    expect(await open().ask(aRequest(), NEVER)).toMatchObject({ text: "Answered meanwhile." });
    expect(files().filter((name) => name.endsWith(".request.json"))).toHaveLength(1);
  });

  it.each([
    ["another attempt", { attempt: 2 }],
    ["another turn", { turn: "2" }],
    ["another question", { system: "You do not help." }],
  ])("does not take the old reply for %s", async (_what, some) => {
    const stop = new AbortController();
    const calls = [aRequest(), aRequest(some)].map((request) => open().ask(request, stop.signal));
    await appears("0002-worker-fr-1.a1.request.json");
    stop.abort();
    await Promise.all(calls);
  });

  it("gives calls made at once a number each, over several roles of one folder", async () => {
    const stop = new AbortController();
    const calls = (["planner", "worker", "fixer"] as const).map((role) =>
      open().ask(aRequest({ role }), stop.signal),
    );
    await appears("0003-fixer-fr-1.a1.request.json");
    expect(files()).toEqual([
      "0001-planner-fr-1.a1.request.json",
      "0002-worker-fr-1.a1.request.json",
      "0003-fixer-fr-1.a1.request.json",
    ]);
    stop.abort();
    await Promise.all(calls);
  });

  it("keeps odd ids inside the folder", async () => {
    const stop = new AbortController();
    const call = open().ask(aRequest({ taskId: "../x y/ü" }), stop.signal);
    await appears("0001-worker-%2e%2e%2fx%20y%2f%c3%bc.request.json");
    stop.abort();
    await call;
    expect(existsSync(join(folder, "..", "x y"))).toBe(false);
  });

  it("is a failure, not a throw, when the folder cannot be made", async () => {
    put("file", "");
    const model = mailboxModel(join(folder, "file", "below"));
    expect(await model.ask(aRequest(), NEVER)).toMatchObject({ failure: "config-unusable" });
  });
});
