/** Everything the procedures work with: the ports, the run's store, and what was configured. */

import type { CheckResult } from "../domain/check.ts";
import type { Role } from "../domain/conversation.ts";
import type { Limits } from "../domain/limits.ts";
import type { Plan } from "../domain/plan.ts";
import type { Clock, Human, Packages, Repository, Sandbox, Tracker, Web } from "../domain/ports.ts";
import type { ModelProfile } from "../domain/profile.ts";
import type { Question } from "../domain/run-state.ts";
import type { Spec } from "../domain/spec.ts";
import type { Serial } from "./serial.ts";
import type { Store } from "./store.ts";

export interface World {
  readonly store: Store;
  readonly tracker: Tracker;
  readonly repository: Repository;
  readonly sandbox: Sandbox;
  /** Absent where the user's settings allow no reading of the web. */
  readonly web?: Web;
  /** Absent where they allow no installing. */
  readonly packages?: Packages;
  readonly human: Human;
  /** Tells a person of a new question; returns at once and never throws. */
  readonly notify?: (question: Question) => void;
  /** Journals what was left beside the journal by who did not have the lock. */
  readonly takeUpBeside?: () => void;
  readonly clock: Clock;
  readonly spec: Spec;
  readonly limits: Limits;
  /** A role without a profile is not configured: what needs it goes to a person, or stays unchecked. */
  readonly profiles: { planner: ModelProfile; worker: ModelProfile } & {
    [role in Exclude<Role, "planner" | "worker">]?: ModelProfile;
  };
  /** The text of prompts/<role>.md. */
  readonly prompts: { readonly [role in Role]: string };
  /** Unique to this process: `host/pid/nonce`; part of every assignee. */
  readonly processName: string;
  /** `-y`: a planner's invented checks are accepted unseen, and journaled so. */
  readonly acceptsInvented: boolean;
  /** Stops when the tree is planned: `fractal plan`. */
  readonly planOnly: boolean;
  /** `--keep`: stays up for what a person adds when nothing can move. */
  readonly keeps: boolean;
  /** Plans given instead of a planner, by task key (`run plan.json`). */
  readonly givenPlans: ReadonlyMap<string, Plan>;
  readonly sharedFilesAllowed: boolean;
  /** Moves of the run's branch happen one at a time. */
  readonly integration: Serial;
  /** Results of checks by tree, so that one tree is checked once. */
  readonly checked: Map<string, CheckedResult>;
}

/** A result that is remembered; `confirmed` when a second run on the same files was red as well. */
export type CheckedResult = CheckResult & { confirmed?: boolean };

/** The actor fractal writes as, in the journal and in Beads. */
export const ACTOR = "fractal";

/** What following and telling the tracker needs: a command that only answers has no more. */
export type TrackedWorld = Pick<World, "store" | "tracker">;
