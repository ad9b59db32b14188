/** A git command that stays open and answers one question after the other, so that none is started for each. */
import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { GitError, verbIn } from "./git-error.ts";

/**
 * Takes one answer off the front of what git has printed so far: the answer and how many bytes it
 * was, or how many bytes there must be before another look is worth while.
 */
export type Take<T> = (printed: Buffer) => { answer: T; used: number } | { needed: number };

export interface OpenGit {
  /** Answers come in the order of the questions; many may be asked at once. Rejects when git ends. */
  ask<T>(question: string, take: Take<T>): Promise<T>;
}

/** A git command to be kept open. */
export interface OpenCommand {
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** What makes git hand out the answers to the questions so far, where it keeps them back. */
  flush?: string;
  /** After so many questions the next is one for a new command, and this one ends when it has answered. */
  asksMax?: number;
  /** It ends when nothing was asked for so long; without it, it stays as long as this process. */
  idleMs?: number;
}

interface Asked {
  take: Take<unknown>;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/**
 * Starts `git ARGS` at the first question, and again after it ended. It holds the process up only
 * while an answer is owed, and ends with it: its standard input closes.
 */
export function openGit(o: OpenCommand): OpenGit {
  const { asksMax = Number.POSITIVE_INFINITY } = o;
  let open: Open | undefined;
  let asks = 0;
  return {
    ask<T>(question: string, take: Take<T>) {
      return new Promise<T>((resolve, reject) => {
        if (asks++ >= asksMax) {
          asks = 1;
          open?.end();
          open = undefined;
        }
        if (open === undefined) {
          const started = start(o, () => {
            if (open === started) open = undefined;
          });
          open = started;
        }
        open.ask(question, { take, resolve: (answer) => resolve(answer as T), reject });
      });
    },
  };
}

interface Open {
  ask(question: string, asked: Asked): void;
  /** Nothing more is asked; what was is still answered. */
  end(): void;
}

function start(o: OpenCommand, ended: () => void): Open {
  // Its own process group: Ctrl-C in the terminal is for fractal, which still needs the answer.
  const child = spawn("git", o.args, { cwd: o.cwd, env: o.env, detached: true });
  const waiting: Asked[] = [];
  let printed: Buffer[] = [];
  let size = 0;
  let needed = 1;
  let said = "";
  let idle: NodeJS.Timeout | undefined;
  const hold = (isHeld: boolean) => {
    for (const part of [child, child.stdin, child.stdout, child.stderr] as unknown as Socket[]) {
      if (isHeld) part.ref();
      else part.unref();
    }
  };
  const fail = (why: string, code?: number) => {
    ended();
    const error = new GitError(`git ${verbIn(o.args)} failed`, said.trim() || why, code);
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  child.on("error", (error) => fail(error.message));
  child.on("close", (code, signal) => fail(String(signal ?? `exit ${code}`), code ?? undefined));
  child.stdin.on("error", () => undefined);
  child.stderr.on("data", (text) => {
    said = `${said}${text}`.slice(-2_000);
  });
  child.stdout.on("data", (chunk: Buffer) => {
    printed.push(chunk);
    size += chunk.length;
    while (waiting.length > 0 && size >= needed) {
      const all = printed.length === 1 && printed[0] ? printed[0] : Buffer.concat(printed);
      printed = [all];
      const taken = waiting[0]?.take(all);
      if (taken === undefined) return;
      if ("needed" in taken) {
        needed = Math.max(taken.needed, size + 1);
        return;
      }
      needed = 1;
      printed = [all.subarray(taken.used)];
      size = all.length - taken.used;
      waiting.shift()?.resolve(taken.answer);
    }
    if (waiting.length === 0) rest();
  });
  hold(false);
  const rest = () => {
    hold(false);
    if (o.idleMs === undefined) return;
    idle = setTimeout(() => {
      ended();
      child.stdin.end();
    }, o.idleMs).unref();
  };
  let questions = "";
  const send = () => {
    if (questions !== "") child.stdin.write(questions + (o.flush ?? ""));
    questions = "";
  };
  return {
    ask(question, asked) {
      clearTimeout(idle);
      if (waiting.length === 0) hold(true);
      waiting.push(asked);
      // What is asked in one go is sent in one go.
      if (questions === "") {
        process.nextTick(send);
      }
      questions += question;
    },
    end() {
      send();
      child.stdin.end();
    },
  };
}

/** One line, without its end. */
export function takeLine(printed: Buffer): { answer: string; used: number } | { needed: number } {
  const end = printed.indexOf(10);
  if (end < 0) return { needed: printed.length + 1 };
  return { answer: printed.toString("utf8", 0, end), used: end + 1 };
}
