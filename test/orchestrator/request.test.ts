/** A leaf needs one more file than it declared: it asks, and has it or is told whose it is. */
import { describe, expect, it } from "vitest";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { taskOf } from "../../src/rules/status.ts";
import { aMemoryWorld, type MemoryWorldOptions } from "../support/memory-world.ts";
import { block, part, planOf, right, specOf } from "../support/words.ts";

const requested = (text: string) => `\`\`\`request\n${text}\n\`\`\`\n`;

/** a needs shared.txt as well; b is open until a is done. */
function aRun(script: MemoryWorldOptions["script"], over: Partial<MemoryWorldOptions> = {}) {
  const plan = planOf(["a", "b"], {
    parts: [part("a"), part("b")],
    dependencies: [{ part: "b", needs: ["a"] }],
  });
  return aMemoryWorld({ spec: specOf(["a", "b"]), splits: { root: plan }, script, ...over });
}

it("a worker with tools is told at once, and goes on with the file it was given", async () => {
  const told: string[] = [];
  const world = aRun((request) => {
    const said = request.messages.filter((message) => message.from === "tool");
    told.push(...said.slice(-1).map((message) => message.text));
    const call = (name: string, args: object) => ({
      toolCalls: [{ id: `c${said.length}`, name, args }],
    });
    const own = `${request.taskKey}.txt`;
    const calls = [
      call("write_file", { path: own, text: request.taskKey }),
      ...(request.taskKey === "a"
        ? [
            call("request_file", { path: "package.json", why: "a script" }),
            call("request_file", { path: "shared.txt", why: "both need it" }),
            call("write_file", { path: "shared.txt", text: "shared" }),
          ]
        : []),
    ];
    return calls[said.length] ?? '{"summary": "done"}';
  });
  const worker = { ...world.profiles.worker, protocol: "tools" as const };
  const profiles = { ...world.profiles, worker };

  const ended = await runLoop({ ...world, profiles }, new AbortController().signal);

  expect(ended.exitCode).toBe(0);
  expect(told).toContainEqual(expect.stringContaining("package.json is protected"));
  expect(told).toContain("shared.txt is yours now.");
  expect(world.repository.files().get("shared.txt")).toBe("shared");
  const asked = world.store.journal.read().filter((event) => event.event_type === "file.requested");
  expect(asked.map(({ path, granted }) => [path, granted])).toEqual([
    ["package.json", false],
    ["shared.txt", true],
  ]);
});

describe("a worker that hands in files", () => {
  it("is given a file that nobody has, within its attempt, and what it writes there is merged", async () => {
    const asked: string[] = [];
    const world = aRun((request) => {
      if (request.taskKey !== "a") return right(request);
      if (request.turn === "1") return requested("shared.txt: both need it");
      asked.push(request.messages.at(-1)?.from === "user" ? request.turn : "");
      return right(request) + block("shared.txt", "shared");
    });

    expect((await runLoop(world, new AbortController().signal)).exitCode).toBe(0);

    expect(asked).toEqual(["2"]);
    expect(world.repository.files().get("shared.txt")).toBe("shared\n");
    const { state, journal } = world.store;
    const task = taskOf(state, "fr-r1.a1");
    expect(task.attempts.map((one) => one.outcome)).toEqual(["succeeded"]);
    expect(task.contract.files).toEqual(["a.txt", "shared.txt"]);
    const events = journal.read().filter((event) => event.event_type === "file.requested");
    expect(events).toMatchObject([{ path: "shared.txt", granted: true, why: "both need it" }]);
  });

  it("is refused a file that another open task has, with its name, and does without", async () => {
    const told: string[] = [];
    const world = aRun((request) => {
      if (request.taskKey !== "a" || request.turn !== "1") {
        if (request.turn === "2")
          told.push(String((request.messages.at(-1) as { text: string }).text));
        return right(request);
      }
      return requested("b.txt: to be changed too");
    });

    expect((await runLoop(world, new AbortController().signal)).exitCode).toBe(0);

    expect(told).toEqual([expect.stringContaining('b.txt belongs to "The b" (b)')]);
    expect(taskOf(world.store.state, "fr-r1.a1").contract.files).toEqual(["a.txt"]);
  });

  it("that writes there all the same is out of scope", async () => {
    const world = aRun((request) => {
      if (request.taskKey !== "a" || request.attempt > 1) return right(request);
      if (request.turn === "1") return requested("b.txt: to be changed too");
      return right(request) + block("b.txt", "mine");
    });

    expect((await runLoop(world, new AbortController().signal)).exitCode).toBe(0);
    const [first] = taskOf(world.store.state, "fr-r1.a1").attempts;
    expect(first?.failure).toMatchObject({ failure: "out-of-scope", paths: ["b.txt"] });
  });
});
