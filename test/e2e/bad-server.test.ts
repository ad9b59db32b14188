/** A model server that is down, slow or broken costs time, never the task; what is spent is told truly. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ServedAnswer, type ServedCall, startModelServer } from "../support/model-server.ts";
import { ADD_RIGHT, TINY_MATH, TINY_MATH_PLAN, TWICE_RIGHT } from "./plans.ts";
import { aRig, type Rig } from "./rig.ts";

const KEY = "sk-a-secret-of-the-user";

const isAdd = ({ last }: ServedCall) => last.includes("Write add.");
const right = (call: ServedCall) => ({
  text: isAdd(call) ? ADD_RIGHT : TWICE_RIGHT,
  usage: { input: 10_000, output: 2000 },
});

/** Worker attempts that came to an end, as `task.attempt outcome`. */
function attemptsEnded(rig: Rig): string[] {
  return rig
    .events()
    .flatMap((event) =>
      event.event_type === "attempt.ended" && event.role === "worker"
        ? [`${event.task_id?.split(".").at(-1)}.${event.attempt} ${event.outcome}`]
        : [],
    )
    .sort();
}

/** Everything a run keeps on disk. */
function allOf(rig: Rig): string {
  const files = globSync("**/*", { cwd: join(rig.dir, "telemetry"), withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), "utf8"))
    .join("\n");
}

/** Every way a server can fail that may be gone the next time. */
const TROUBLES: ServedAnswer[] = [
  { fault: "status", status: 429, retryAfter: "1" },
  { fault: "status", status: 500 },
  { fault: "status", status: 529, type: "overloaded_error" },
  { fault: "reset" },
  { fault: "cut" },
  { fault: "early-end" },
  { fault: "html" },
  { fault: "broken-json" },
  { fault: "stall" },
  { fault: "silence" },
];

/** A server that has every trouble once when asked for `add`, and then answers rightly. */
async function aTroubledServer() {
  const askedAt: number[] = [];
  const server = await startModelServer((call) => {
    if (!isAdd(call)) return right(call);
    askedAt.push(performance.now());
    return TROUBLES[askedAt.length - 1] ?? right(call);
  });
  return { server, askedAt, [Symbol.asyncDispose]: server.close };
}

describe("a model server with every trouble there is", () => {
  it.each([
    // Whoever runs a server of their own knows what it costs; fractal does not.
    { api: "openai", money: /cost unknown/, cost: null },
    { api: "anthropic", money: /\$0\.0\d/, cost: expect.any(Number) },
  ])(
    "costs no attempt over $api; the run waits, asks again and ends green",
    async ({ api, money, cost }) => {
      using rig = aRig();
      await using troubled = await aTroubledServer();
      const { server, askedAt } = troubled;
      const model = api === "openai" ? "openai:test" : "anthropic:claude-haiku-5-5";
      const env =
        api === "openai"
          ? { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.openaiUrl }
          : { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: server.anthropicUrl };
      rig.settings({
        model: { model, protocol: "files" },
        limits: { backoff_base_ms: 20, backoff_max_ms: 100, call_timeout_ms: 1500 },
      });

      const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
      const ran = await rig.fractal(["run", plan], { env });

      expect(ran.exitCode, ran.all).toBe(0);
      expect(attemptsEnded(rig)).toEqual(["a1.1 succeeded", "a2.1 succeeded"]);
      const failed = rig.events().filter((event) => event.event_type === "call.failed");
      expect(failed.map(({ failure }) => failure.failure)).toEqual(
        TROUBLES.map(() => "model-unavailable"),
      );
      // The server said when to come back.
      expect((askedAt[1] ?? 0) - (askedAt[0] ?? 0)).toBeGreaterThanOrEqual(990);
      const shown = await rig.fractal(["show", `fr-${rig.runs()[0]}.a1`]);
      const tree = await rig.fractal(["tree"]);
      for (const text of [ran.stdout, shown.stdout, tree.stdout]) expect(text).toMatch(money);
      const { data } = JSON.parse((await rig.fractal(["tree", "--json"])).stdout);
      expect(data.cost_usd).toEqual(cost);
      expect(allOf(rig) + ran.all).not.toContain(KEY);
    },
  );
});

describe("a model server that is not there, or takes no key", () => {
  it("ends the run with exit 6 or 4; resume with a better one finishes the same attempts", async () => {
    using rig = aRig();
    rig.write({
      "fractal.yaml": JSON.stringify({
        limits: { backoff_base_ms: 20, backoff_max_ms: 100, outage_ms: 500 },
      }),
    });
    const down = await startModelServer([]);
    await down.close();
    await using strict = await startModelServer([
      { fault: "status", status: 401, message: "invalid key", type: "authentication_error" },
    ]);
    await using server = await startModelServer(right);
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const openai = (url: string) => ["--model", "openai:test", "--base-url", url];

    const first = await rig.fractal(["run", plan, ...openai(down.openaiUrl)]);

    expect(first.exitCode, first.all).toBe(6);
    expect(first.stderr).toMatch(/openai:test.*(ECONNREFUSED|refused)/);
    expect(first.stdout).toContain("fractal resume");

    const keys = { OPENAI_API_KEY: KEY, ANTHROPIC_API_KEY: KEY };
    const anthropic = { ANTHROPIC_BASE_URL: strict.anthropicUrl };
    for (const [variable, args] of [
      ["OPENAI_API_KEY", openai(strict.openaiUrl)],
      ["ANTHROPIC_API_KEY", ["--model", "anthropic:claude-haiku-5-5"]],
    ] as const) {
      const ran = await rig.fractal(["resume", ...args], { env: { ...keys, ...anthropic } });
      expect(ran.exitCode, ran.all).toBe(4);
      expect(ran.stderr).toContain(variable);
      expect(ran.all).not.toContain(KEY);
    }
    expect(strict.calls).toHaveLength(2);

    const last = await rig.fractal(["resume", ...openai(server.openaiUrl)]);

    expect(last.exitCode, last.all).toBe(0);
    expect(attemptsEnded(rig).filter((end) => end.endsWith("succeeded"))).toHaveLength(2);
    expect(allOf(rig)).not.toContain(KEY);
  });
});
