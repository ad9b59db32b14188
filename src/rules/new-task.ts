/** A task as it is when it has just been made: nothing tried, nothing asked. */
import type { Limits } from "../domain/limits.ts";
import type { TaskState } from "../domain/run-state.ts";
import { describeContract } from "./people/describe.ts";

/** What is known of a task at its making. */
export interface NewTaskFacts
  extends Pick<
    TaskState,
    "id" | "key" | "parent" | "dependsOn" | "origin" | "contract" | "priority"
  > {
  /** Code accepted it as a leaf without planning it. */
  leaf: boolean;
}

export function newTask(facts: NewTaskFacts, createdSeq: number, limits: Limits): TaskState {
  const { leaf, ...known } = facts;
  return {
    ...known,
    children: [],
    createdSeq,
    changedAtMs: 0,
    shape: leaf ? "leaf" : "unplanned",
    unchecked: false,
    paused: false,
    episode: 1,
    attemptsLeft: limits.attemptsMax,
    fixerUsed: false,
    conflicts: 0,
    outages: 0,
    notBeforeMs: 0,
    attempts: [],
    fence: 0,
    guidance: [],
    questions: [],
    repairs: 0,
    assumptions: [],
    commentsRead: 0,
    described: describeContract(known.contract),
  };
}
