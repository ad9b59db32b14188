/** Running bd: order, time limits, environment, and every kind of odd answer. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { z } from "zod";
import { type BdOptions, openBd } from "../../../src/adapters/beads/bd.ts";
import { fakeBd } from "./fake-bd.ts";

const answer = z.object({ ok: z.boolean() });

async function openFake(script: string, options: Partial<BdOptions> = {}) {
  const { path, folder } = await fakeBd(script);
  const bd = openBd({
    bd: path,
    beadsDir: `${folder}/.beads`,
    actor: "ada",
    cwd: folder,
    ...options,
  });
  const run = (...args: string[]) => bd.run({ args, effect: "read", schema: answer });
  return { bd, run, folder, log: () => readFileSync(join(folder, "log"), "utf8").split("\n") };
}

it("hands over what is inside the envelope, and what comes without one", async () => {
  const wrapped = await openFake(`echo '{"schema_version":1,"data":{"ok":true,"more":1}}'`);
  expect(await wrapped.run("list")).toEqual({ ok: true });
  const bare = await openFake(`echo '{"ok":false}'`);
  expect(await bare.run("list")).toEqual({ ok: false });
});

it.each([
  ["an error in JSON", `echo '{"data":{"error":"no such thing"}}'; exit 1`, /no such thing/],
  ["an error in words", `echo 'Error: line 1: bad' >&2; echo more >&2; exit 1`, /line 1: bad$/],
  [
    "a crash with its stack",
    `printf 'panic: goroutine 1 [running]:\\n\\tat()\\n\\n\\tfatal error: write x: no space left on device\\n\\ngoroutine 44:\\nat()\\n' >&2; exit 2`,
    /bd list --all: write x: no space left on device$/,
  ],
  [
    "a crash in a word",
    `printf 'panic: so it ends\\n\\ngoroutine 1:\\nat()\\n' >&2; exit 2`,
    /: so it ends$/,
  ],
  ["an exit without a word", "exit 7", /exit 7/],
  ["half an answer", `printf '{"data":{"ok":tr'`, /not understood/],
  ["no JSON at all", "echo done", /not understood/],
  ["an empty answer", "true", /not understood/],
  ["JSON of another shape", `echo '{"data":{"ok":"yes"}}'`, /not understood at ok/],
  ["a death by signal", "kill -9 $$", /SIGKILL/],
])("turns %s into a failure that says so", async (_, script, detail) => {
  const { run } = await openFake(script);
  expect(await run("list", "--all")).toMatchObject({
    failure: "tracker-unavailable",
    detail: expect.stringMatching(detail),
  });
});

it("turns a program that cannot be started into a failure", async () => {
  const { run } = await openFake("true", { bd: "/nowhere/bd" });
  expect(await run("list")).toMatchObject({ failure: "tracker-unavailable" });
});

it("runs one command at a time, in the order of the calls, whatever becomes of them", async () => {
  const { run, log } = await openFake(
    `echo "start $1" >> log; sleep 0.$2; echo "end $1" >> log; echo '{"ok":true}'; exit $3`,
  );
  await Promise.all([run("a", "2", "0"), run("b", "1", "1"), run("c", "0", "0")]);
  expect(log()).toEqual(["start a", "end a", "start b", "end b", "start c", "end c", ""]);
});

it("ends a command that does not answer, with everything it started", {
  timeout: 20_000,
}, async () => {
  const { bd, folder } = await openFake(
    `trap '' TERM; (trap '' TERM; while :; do sleep 0.05; echo x >> alive; done) & wait; wait`,
    { timeoutMs: { write: 300 } },
  );
  const failure = await bd.run({ args: ["create"], effect: "write", schema: answer });
  expect(failure).toMatchObject({ detail: "bd create: no answer within 0.3 s" });
  expect(failure).not.toHaveProperty("refused");

  const alive = join(folder, "alive");
  const size = () => (existsSync(alive) ? readFileSync(alive).length : 0);
  await expect
    .poll(
      async () => {
        const before = size();
        await sleep(1000);
        return size() - before;
      },
      { timeout: 8000 },
    )
    .toBe(0);
  expect(size()).toBeGreaterThan(0);
});

it("gives long text by standard input", async () => {
  const { bd } = await openFake(`test $(wc -c) = 300000 && echo '{"ok":true}'`);
  const stdin = "x".repeat(300_000);
  expect(await bd.run({ args: ["batch"], effect: "write", schema: answer, stdin })).toEqual({
    ok: true,
  });
});

it("lets nothing of the caller's Beads settings through", async () => {
  vi.stubEnv("BEADS_DB", "/elsewhere");
  vi.stubEnv("BD_ACTOR", "somebody");
  vi.stubEnv("BEADS_DIR", "/elsewhere");
  vi.stubEnv("GIT_DIR", "/elsewhere");
  const { run, folder } = await openFake(`env > log; echo '{"ok":true}'`);
  await run("list");
  const seen = Object.fromEntries(
    readFileSync(join(folder, "log"), "utf8")
      .split("\n")
      .map((line) => line.split("=", 2)),
  );
  expect(seen).toMatchObject({ BEADS_DIR: `${folder}/.beads`, BEADS_ACTOR: "ada" });
  expect(seen).toMatchObject({ BD_NON_INTERACTIVE: "1", BD_DISABLE_METRICS: "1" });
  expect(Object.keys(seen)).not.toEqual(expect.arrayContaining(["BEADS_DB"]));
  expect(Object.keys(seen)).not.toEqual(expect.arrayContaining(["BD_ACTOR"]));
  expect(Object.keys(seen)).not.toEqual(expect.arrayContaining(["GIT_DIR"]));
  vi.unstubAllEnvs();
});
