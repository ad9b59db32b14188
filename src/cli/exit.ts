/** The exit codes, and a refusal: what went wrong, where, and what to do next, with its code. */
import type { Failure } from "../domain/failure.ts";

/** Every way a command ends. Shown in `--help`; a test keeps README and help to it. */
export const EXIT = Object.freeze({
  done: 0,
  failed: 1,
  usage: 2,
  waiting: 3,
  credentials: 4,
  budget: 5,
  environment: 6,
  interrupted: 130,
  terminated: 143,
} as const);
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code tells, for help and documents. */
export const EXIT_MEANING: { readonly [Code in ExitCode]: string } = {
  0: "done",
  1: "a task failed",
  2: "wrong usage, configuration, specification or plan",
  3: "waiting for a person",
  4: "credentials are missing or refused",
  5: "the budget is spent",
  6: "the environment: bd, git, sandbox, disk or model server",
  130: "stopped by Ctrl-C",
  143: "stopped by a TERM signal",
};

/** Why a command did not do what was asked. An expected end: a value, never thrown. */
export interface Refusal {
  readonly refusal: true;
  exit: ExitCode;
  /** One sentence. */
  what: string;
  /** Lines such as `spec.md:3:5 unknown key`. */
  where: string[];
  /** What to do now, a line each; commands to type stand alone. */
  next: string[];
}

/** Makes a refusal. */
export function refuse(
  exit: ExitCode,
  what: string,
  more: { where?: string[]; next?: string[] } = {},
): Refusal {
  return { refusal: true, exit, what, where: more.where ?? [], next: more.next ?? [] };
}

/** True for a refusal, whatever stands beside it. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refusal" in value;
}

/** A failure as a command reports it: its text, the exit code of its kind, and a next step. */
export function refusalOf(failure: Failure): Refusal {
  switch (failure.failure) {
    case "credentials-missing":
      return refuse(EXIT.credentials, failure.detail, {
        next: failure.variable === undefined ? [] : [`export ${failure.variable}=…`],
      });
    case "tracker-lost":
      return refuse(EXIT.environment, failure.detail, {
        next: [
          "put the .beads of this run back, then: fractal resume",
          "fractal run SPEC --new   # starts over; the branch of the old run stays",
        ],
      });
    case "config-unusable":
      return refuse(EXIT.usage, failure.detail);
    case "worker-asks":
      return refuse(EXIT.waiting, failure.detail);
    case "model-unavailable":
    case "tracker-unavailable":
    case "sandbox-unavailable":
    case "capability-missing":
      return refuse(EXIT.environment, failure.detail, {
        next: ["fractal doctor   # says what is missing and how to install it"],
      });
    case "budget-spent":
      return refuse(EXIT.budget, failure.detail);
    case "cancelled":
      return refuse(EXIT.interrupted, failure.detail);
    case "check-failed":
    case "flaky-check":
    case "out-of-scope":
    case "protected-path":
    case "hostile-tree":
    case "holds-secret":
    case "answer-unusable":
    case "refused":
    case "calls-refused":
    case "turn-limit":
    case "time-limit":
    case "merge-conflict":
    case "context-overflow":
      return refuse(EXIT.failed, failure.detail);
  }
}
