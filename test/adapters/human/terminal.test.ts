/** The person at the terminal, through a real pseudo terminal. */
import { execFileSync, spawn as spawnPlain } from "node:child_process";
import { fileURLToPath } from "node:url";
import { spawn } from "@lydell/node-pty";
import { describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("ask-at-terminal.ts", import.meta.url));
const ENTER = "\r";
const DOWN = "\u001b[B";
const ESCAPE = "\u001b";
const CTRL_D = "\u0004";
const CTRL_C = "\u0003";

interface Result {
  present: boolean;
  answers: (string | boolean | null)[];
  log: string[];
}

interface Step {
  /** Typed once this text is on the screen, after the text of the step before. */
  seen: string;
  /** Left out where the text is only waited for: a prompt's words are drawn again when it ends. */
  type?: string;
}

function environment(extra: Record<string, string> = {}): Record<string, string> {
  const { CI: _ci, ...env } = process.env;
  return { ...(env as Record<string, string>), TERM: "xterm-256color", ...extra };
}

/** Drives the script at a terminal: types each step when its text has come after the one before. */
function atTerminal(
  args: string[],
  steps: Step[],
  extra?: Record<string, string>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const pty = spawn(process.execPath, [SCRIPT, ...args], {
      cols: 100,
      rows: 30,
      env: environment(extra),
    });
    let screen = "";
    let from = 0;
    const waiting = [...steps];
    pty.onData((data) => {
      screen += data;
      for (let step = waiting[0]; step !== undefined; step = waiting[0]) {
        const at = screen.indexOf(step.seen, from);
        if (at < 0) return;
        waiting.shift();
        from = at + step.seen.length;
        if (step.type !== undefined) pty.write(step.type);
      }
    });
    pty.onExit(() => {
      const result = /RESULT (.*)/.exec(screen)?.[1];
      if (result === undefined) reject(new Error(`no result on the screen:\n${screen}`));
      else resolve(JSON.parse(result.trim()) as Result);
    });
  });
}

describe("a person at the terminal", () => {
  it("types an answer, and the live tree is away meanwhile", async () => {
    const result = await atTerminal(["free"], [{ seen: "Your answer", type: `a table${ENTER}` }]);
    expect(result).toEqual({ present: true, answers: ["a table"], log: ["pause", "resume"] });
  });

  it("chooses one of the options", async () => {
    const result = await atTerminal(
      ["pick", "a table", "a parser"],
      [{ seen: "a parser", type: DOWN + ENTER }],
    );
    expect(result.answers).toEqual(["a parser"]);
  });

  it("types something else than the options", async () => {
    const result = await atTerminal(
      ["pick", "a table"],
      [
        { seen: "Skip", type: DOWN + ENTER },
        { seen: "Esc leaves", type: `neither${ENTER}` },
      ],
    );
    expect(result.answers).toEqual(["neither"]);
  });

  it("skips, by the option and by Esc: the question stays open", async () => {
    const byOption = await atTerminal(
      ["pick", "a table"],
      [{ seen: "Skip", type: DOWN + DOWN + ENTER }],
    );
    const byEscape = await atTerminal(["free"], [{ seen: "Your answer", type: ESCAPE }]);
    expect(byOption.answers).toEqual([null]);
    expect(byEscape).toMatchObject({ answers: [null], log: ["pause", "resume"] });
  });

  it("ends the input with Ctrl-D: the question stays open", async () => {
    const typed = await atTerminal(["free"], [{ seen: "Your answer", type: CTRL_D }]);
    const chosen = await atTerminal(["pick", "a table"], [{ seen: "Skip", type: CTRL_D }]);
    expect([typed.answers, chosen.answers]).toEqual([[null], [null]]);
  });

  it("gives no empty answer", async () => {
    const result = await atTerminal(
      ["free"],
      [
        { seen: "Your answer", type: ENTER },
        { seen: "Type an answer", type: `yes${ENTER}` },
      ],
    );
    expect(result.answers).toEqual(["yes"]);
  });

  it("is asked one thing at a time", async () => {
    const result = await atTerminal(
      ["twice"],
      [
        { seen: "Your answer", type: `one${ENTER}` },
        { seen: "And now?" },
        { seen: "Your answer", type: `two${ENTER}` },
      ],
    );
    expect(result.answers).toEqual(["one", "two"]);
    expect(result.log).toEqual(["pause", "resume", "pause", "resume"]);
  });

  it("presses Ctrl-C: the interrupt is told, and nothing more is asked", async () => {
    const result = await atTerminal(["twice"], [{ seen: "Your answer", type: CTRL_C }]);
    expect(result.answers).toEqual([null, null]);
    expect(result.log).toEqual(["pause", "interrupt", "resume"]);
  });

  it("agrees only by saying so: Enter alone is no", async () => {
    const enter = await atTerminal(["confirm"], [{ seen: "Go on?", type: ENTER }]);
    const yes = await atTerminal(["confirm"], [{ seen: "Go on?", type: "y" }]);
    expect([enter.answers, yes.answers]).toEqual([[false], [true]]);
  });

  it.each([
    ["CI is set", { CI: "true" }],
    ["the terminal is dumb", { TERM: "dumb" }],
    ["--no-input was given", { ASK: "no" }],
  ])("is not there when %s", async (_, extra) => {
    const result = await atTerminal(["free"], [], extra);
    expect(result).toEqual({ present: false, answers: [null], log: [] });
  });
});

describe("without a terminal", () => {
  it("nobody is asked and nothing hangs, with stdin piped, empty or closed", async () => {
    const piped = execFileSync(process.execPath, [SCRIPT, "free"], {
      input: "yes\n",
      env: environment(),
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
    });
    const closed = await new Promise<string>((resolve) => {
      const child = spawnPlain(process.execPath, [SCRIPT, "confirm"], {
        stdio: ["ignore", "pipe", "ignore"],
        env: environment(),
      });
      let text = "";
      child.stdout.on("data", (data) => {
        text += data;
      });
      child.on("close", () => resolve(text));
    });
    for (const text of [piped, closed]) {
      expect(text).toContain('RESULT {"present":false,"answers":[null],"log":[]}');
    }
  });
});
