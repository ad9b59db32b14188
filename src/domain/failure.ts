/** The closed list of reasons why something that was tried did not succeed. */

/** What a failure says about the task; decides what it costs (rules/retry.ts). */
export type FailureClass =
  | "task"
  | "conflict"
  | "unclear"
  | "capability"
  | "too-big"
  | "outage"
  | "terminal";

/**
 * A failure is a value, never thrown. `failure` is the discriminant, `detail` is one or more lines
 * that a person or the next attempt can act on.
 */
export type Failure =
  | { failure: "check-failed"; detail: string; checks: string[] }
  | { failure: "out-of-scope"; detail: string; paths: string[] }
  | { failure: "protected-path"; detail: string; paths: string[] }
  | { failure: "hostile-tree"; detail: string; paths: string[] }
  /** Work that brings a key or another secret into the repository; `detail` never repeats it. */
  | { failure: "holds-secret"; detail: string; paths: string[] }
  | { failure: "answer-unusable"; detail: string }
  | { failure: "refused"; detail: string }
  /** The worker goes on trying what its task may not do. */
  | { failure: "calls-refused"; detail: string }
  | { failure: "turn-limit"; detail: string }
  | { failure: "time-limit"; detail: string }
  /** `hunks`: the lines in conflict, as they are now and as the attempt had them. */
  | { failure: "merge-conflict"; detail: string; paths: string[]; hunks?: string }
  | { failure: "worker-asks"; detail: string; options: string[] }
  /** A check that gave two verdicts on one tree: nobody can act on what it says. */
  | { failure: "flaky-check"; detail: string; checks: string[] }
  | { failure: "capability-missing"; detail: string }
  | { failure: "context-overflow"; detail: string }
  /** `uncharged`: the provider cannot have charged for the call. */
  | { failure: "model-unavailable"; detail: string; retryAfterMs?: number; uncharged?: true }
  | { failure: "tracker-unavailable"; detail: string }
  // Not out of reach but gone, or another one: what a person did there cannot be told.
  | { failure: "tracker-lost"; detail: string }
  | { failure: "sandbox-unavailable"; detail: string }
  | { failure: "credentials-missing"; detail: string; variable?: string }
  | { failure: "config-unusable"; detail: string }
  | { failure: "budget-spent"; detail: string }
  | { failure: "cancelled"; detail: string; uncharged?: true };

export type FailureKind = Failure["failure"];

const CLASS: { readonly [Kind in FailureKind]: FailureClass } = {
  "check-failed": "task",
  "out-of-scope": "task",
  "protected-path": "task",
  "hostile-tree": "task",
  "holds-secret": "task",
  "answer-unusable": "task",
  refused: "task",
  "calls-refused": "task",
  "turn-limit": "task",
  "time-limit": "task",
  "merge-conflict": "conflict",
  "worker-asks": "unclear",
  "flaky-check": "unclear",
  "capability-missing": "capability",
  "context-overflow": "too-big",
  "model-unavailable": "outage",
  "tracker-unavailable": "outage",
  "tracker-lost": "terminal",
  "sandbox-unavailable": "outage",
  "credentials-missing": "terminal",
  "config-unusable": "terminal",
  "budget-spent": "terminal",
  cancelled: "terminal",
};

/** The class of a failure, by its kind. */
export function failureClassOf(failure: { failure: FailureKind }): FailureClass {
  return CLASS[failure.failure];
}

/** True for a failure value, whatever the success type beside it is. */
export function isFailure(value: unknown): value is Failure {
  return (
    typeof value === "object" &&
    value !== null &&
    "failure" in value &&
    typeof value.failure === "string" &&
    value.failure in CLASS
  );
}
