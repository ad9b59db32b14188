/** A person who edits the tracker at random moments, and one who at last puts everything right. */

import { isFailure } from "../../src/domain/failure.ts";
import type { TrackedTask } from "../../src/domain/ports.ts";
import type { RunState } from "../../src/domain/run-state.ts";
import type { MemoryTracker } from "../support/memory-tracker.ts";
import type { Chance } from "../support/toy-run.ts";

export interface People {
  /** Does one thing with the tracker; says what. */
  meddle(): Promise<string>;
  /** Answers, reopens, lets go and brings back, so that the run can end; false when nothing was left. */
  help(state: RunState): Promise<boolean>;
}

/** After so many a person takes a task as it is, and after so much help the whole. */
const EPISODES_MAX = 20;
const PATIENCE = 12;

export function peopleOf(tracker: MemoryTracker, chance: Chance): People {
  const { person } = tracker;
  /** Edges that were added, to be taken away again. */
  const edges: [string, string][] = [];

  const issues = async (): Promise<TrackedTask[]> => {
    const shown = await tracker.read();
    // While bd is out of reach for fractal, a person may still be able to use it.
    if (isFailure(shown)) throw new Error(shown.detail);
    return shown;
  };
  const pick = <T>(list: readonly T[]): T | undefined => list[chance(list.length)];
  const isQuestion = (issue: TrackedTask) => issue.labels.includes("human");
  const has = async (id: string) => (await issues()).some((issue) => issue.id === id);

  const meddle = async (): Promise<string> => {
    const all = await issues();
    const asked = all.filter((issue) => isQuestion(issue) && issue.status !== "closed");
    const tasks = all.filter((issue) => !isQuestion(issue));
    const question = pick(asked);
    if (question !== undefined && chance(2) === 0) {
      if (chance(6) === 0) {
        await person.dismiss(question.id);
        return `dismiss ${question.id}`;
      }
      await person.respond(question.id, `do it (${chance(1000)})`);
      return `answer ${question.id}`;
    }
    const issue = pick(tasks);
    if (issue === undefined) return "nothing";
    const { id, status } = issue;
    const isLeaf = tasks.every((one) => one.parent !== id);
    switch (chance(16)) {
      case 0:
        if (issue.parent === null) return "nothing";
        await person.close(id);
        return `close ${id}`;
      case 1:
      case 2: {
        const closed = pick(tasks.filter((one) => one.status === "closed"));
        if (closed === undefined) return "nothing";
        if (chance(2) === 0) await person.comment(closed.id, `not like this (${chance(1000)})`);
        await person.reopen(closed.id);
        return `reopen ${closed.id}`;
      }
      case 3:
      case 4:
        await person.comment(id, `mind the gap (${chance(1000)})`);
        return `comment ${id}`;
      case 5:
        if (status === "closed") return "nothing";
        await person.defer(id);
        return `defer ${id}`;
      case 6: {
        const parked = pick(tasks.filter((one) => one.status === "deferred"));
        if (parked === undefined) return "nothing";
        await person.reopen(parked.id);
        return `undefer ${parked.id}`;
      }
      case 7:
        if (status === "closed") return "nothing";
        await person.block(id);
        return `block ${id}`;
      case 8:
        if (!isLeaf || issue.parent === null) return "nothing";
        await person.delete(id);
        return `delete ${id}`;
      case 9:
        await person.edit(id, { description: `${issue.description} And more (${chance(1000)}).` });
        return `edit ${id}`;
      case 10:
        await person.setPriority(id, chance(5));
        return `priority ${id}`;
      case 11:
        if (status === "closed") return "nothing";
        await person.take(id, "ann");
        return `take ${id}`;
      case 12: {
        const taken = pick(tasks.filter((one) => one.assignee === "ann"));
        if (taken === undefined) return "nothing";
        await letGo(taken.id);
        return `let go ${taken.id}`;
      }
      case 13: {
        const other = pick(tasks);
        if (other === undefined || other.id === id || issue.dependsOn.includes(other.id)) {
          return "nothing";
        }
        await person.addEdge(id, other.id);
        edges.push([id, other.id]);
        return `edge ${id} → ${other.id}`;
      }
      case 14: {
        const on = pick(issue.dependsOn.filter((one) => tasks.some((task) => task.id === one)));
        if (on === undefined) return "nothing";
        await person.removeEdge(id, on);
        return `no edge ${id} → ${on}`;
      }
      default: {
        if (tasks.length > 25) return "nothing";
        if (chance(3) === 0) return `add ${await person.add(`More ${chance(1000)}`, ["fractal"])}`;
        return `add ${await person.addChild(id, `More ${chance(1000)}`)}`;
      }
    }
  };

  const letGo = async (id: string) => {
    await person.take(id, "");
    await person.reopen(id);
  };

  let times = 0;
  const help = async (state: RunState): Promise<boolean> => {
    let did = false;
    times += 1;
    // What a check of the whole needs was dropped, and no repair may write it: taken as it is.
    if (times > PATIENCE && (await has(state.rootId))) await person.close(state.rootId);
    for (const [id, on] of edges.splice(0)) {
      if (!(await has(id))) continue;
      await person.removeEdge(id, on);
      did = true;
    }
    for (const question of state.questions.values()) {
      if (question.state !== "open" || !(await has(question.id))) continue;
      await person.respond(question.id, "go on");
      did = true;
    }
    for (const task of state.tasks.values()) {
      if (task.deleted || !(await has(task.id))) continue;
      if (task.end === "failed" && task.episode > EPISODES_MAX) {
        // What it needs was dropped, for example: no further episode would help.
        await person.close(task.id);
        did = true;
      } else if (task.end === "failed") {
        await person.comment(task.id, "once more, please");
        await person.reopen(task.id);
        did = true;
      } else if (task.paused && task.end === undefined) {
        await person.reopen(task.id);
        did = true;
      }
      if (task.takenBy !== undefined && task.end === undefined) {
        await letGo(task.id);
        did = true;
      }
    }
    return did;
  };
  return { meddle, help };
}
