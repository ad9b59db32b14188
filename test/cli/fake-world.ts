/** Runs one command line in this process, with streams kept as text and a run that is given. */
import { PassThrough } from "node:stream";
import { openIndex } from "../../src/adapters/index/index-db.ts";
import { EXIT, refuse } from "../../src/cli/exit.ts";
import type { Environment } from "../../src/cli/output.ts";
import { runProgram } from "../../src/cli/program.ts";
import type { Inspection, Probe, Wire } from "../../src/cli/wiring.ts";
import type { RunEvent } from "../../src/domain/event.ts";
import type { RunState } from "../../src/domain/run-state.ts";
import { currentRows } from "../../src/rules/index-rows.ts";
import { STARTED_AT } from "../support/builders.ts";

export interface Given {
  state?: RunState;
  events?: RunEvent[];
  /** What a person at the terminal says; nobody is there when it is left out. */
  says?: (string | boolean | undefined)[];
  /** Another process holds the lock. */
  live?: boolean;
  probes?: Probe[];
  inspection?: Inspection;
  env?: Environment;
  cwd?: string;
  stdin?: string;
  terminal?: boolean;
  planSpec?: Wire["planSpec"];
}

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  /** What was done to the run: `answer fr-k.q1 text`. */
  acts: string[];
  asked: string[];
  closed: boolean;
}

/** The exit code, what was printed, and what was done. */
export async function runLine(line: string[], given: Given = {}): Promise<Ended> {
  const ended: Ended = { code: -1, stdout: "", stderr: "", acts: [], asked: [], closed: false };
  const stdout = Object.assign(new PassThrough(), { isTTY: given.terminal === true, columns: 100 });
  const stderr = Object.assign(new PassThrough(), { isTTY: given.terminal === true, columns: 100 });
  stdout.on("data", (data) => {
    ended.stdout += data;
  });
  stderr.on("data", (data) => {
    ended.stderr += data;
  });
  const stdin = new PassThrough();
  stdin.end(given.stdin ?? "");
  ended.code = await runProgram(line, {
    streams: { stdin, stdout, stderr },
    env: { XDG_CONFIG_HOME: "/nonexistent", USER: "ada", ...given.env },
    cwd: given.cwd ?? process.cwd(),
    signal: new AbortController().signal,
    wire: async () => fakeWire(given, ended),
    now: () => STARTED_AT + 75_000,
  });
  await new Promise((resolve) => setImmediate(resolve));
  return ended;
}

function fakeWire(given: Given, ended: Ended): Wire {
  const { state, events = [], live = false } = given;
  const says = [...(given.says ?? [])];
  const noRun = refuse(EXIT.usage, "there is no run here yet", { next: ["fractal run spec.md"] });
  return {
    openRunForReading: async () =>
      state === undefined ? noRun : { state, events, live, blob: () => undefined },
    openRunIndex: async () =>
      state === undefined
        ? noRun
        : {
            state,
            live,
            ask: (sql) =>
              openIndex("/dev/null/index.db", {
                runId: state.runId,
                events,
                rows: () => currentRows(state),
                version: "0",
              }).ask(sql),
          },
    openRunForActing: async ({ by }) =>
      state === undefined
        ? noRun
        : {
            state,
            act: async (kind, id, text) => {
              ended.acts.push([kind, id, text, `by ${by}`].filter((word) => word !== "").join(" "));
              return { via: live ? "controller" : "journal" };
            },
            close: async () => {
              ended.closed = true;
            },
          },
    openHuman: ({ mayAsk }) => ({
      present: mayAsk && given.says !== undefined,
      ask: async (prompt) => {
        ended.asked.push(prompt.title);
        return says.shift() as string | undefined;
      },
      confirm: async (text) => {
        ended.asked.push(text);
        return says.shift() as boolean | undefined;
      },
    }),
    inspectRuns: async () => given.inspection ?? noRun,
    openRunWork: async () => noRun,
    isRun: async () => false,
    mergeRun: async () => noRun,
    collectGarbage: async () => noRun,
    planSpec: given.planSpec ?? (async () => refuse(EXIT.environment, "no model here")),
    probe: async () => given.probes ?? [],
  };
}
