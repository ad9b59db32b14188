/** Whether the run's branch and refs hold what the journal says, and nothing it does not know. */
import type { RunState, TaskState } from "../../domain/run-state.ts";
import type { Finding } from "./finding.ts";
import type { History } from "./fsck-history.ts";

export interface BranchFacts {
  /** Undefined when there is no branch. */
  tip: string | undefined;
  /** The commits beyond the base, with the `<task> <attempt>` of their trailers. */
  commits: ReadonlyMap<string, readonly string[]>;
  /** What is kept below refs/fractal/<run>/, by name. */
  refs: ReadonlyMap<string, string>;
}

/** The ref that keeps the commit a run started from. */
const BASE_REF = "base";

/** Work that is said to be merged and is not. True at any moment: the branch moves before it is said. */
export function landedFindings(
  state: RunState,
  { doneBy }: History,
  branch: BranchFacts,
): Finding[] {
  const restore = "git reflog and refs/fractal may still have it; do not run git gc";
  const broken = (where: string, detail: string) =>
    ({ severity: "broken", where, detail, remedy: restore }) as const;
  const tasks = [...state.tasks.values()].filter(({ end }) => end === "done");
  if (branch.tip === undefined) {
    if (tasks.every(({ commit }) => commit === undefined)) return [];
    const detail = `the branch is gone, with ${tasks.length} tasks done`;
    return [{ kind: "branch-missing", ...broken(state.branch, detail) }];
  }
  const base = branch.refs.get(BASE_REF);
  return tasks.flatMap(({ id, commit }): Finding[] => {
    if (commit === undefined) return [];
    const trailers = branch.commits.get(commit);
    const attempt = doneBy.get(id)?.at(-1);
    if (trailers === undefined) {
      // A parent whose children changed nothing stands where the run began.
      if (attempt === undefined && (commit === base || commit === state.base)) return [];
      const detail = `it is done with ${commit}, which is not on ${state.branch}`;
      return [{ kind: "commit-missing", ...broken(id, detail) }];
    }
    if (attempt === undefined || trailers.includes(`${id} ${attempt}`)) return [];
    const detail = `${commit} does not say that it is attempt ${attempt} of it`;
    return [{ kind: "trailer-missing", ...broken(id, detail) }];
  });
}

/** The rest, when nobody is at work: what the branch and the refs have that the journal does not know. */
export function branchFindings(
  state: RunState,
  history: History,
  branch: BranchFacts,
  goOn: string,
): Finding[] {
  return [...mergeFindings(state, history, branch, goOn), ...refFindings(state, branch)];
}

function mergeFindings(
  state: RunState,
  { doneBy, mergesBegun }: History,
  branch: BranchFacts,
  goOn: string,
): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const report = "keep this folder, and report it";
  for (const [commit, trailers] of branch.commits) {
    for (const trailer of trailers) {
      const [id = "", number = ""] = trailer.split(" ");
      const task = state.tasks.get(id);
      // Another run's work may have been merged into this branch by a person.
      if (task === undefined && !isOurs(state, id)) continue;
      const about = { where: commit, remedy: report } as const;
      if (seen.has(trailer)) {
        const detail = `attempt ${number} of ${id} is on the branch twice`;
        findings.push({ kind: "merged-twice", severity: "broken", ...about, detail });
      }
      seen.add(trailer);
      if (task !== undefined && doneBy.get(id)?.includes(Number(number))) continue;
      if (task?.merge?.attempt === Number(number)) {
        // Somebody settled the task between its merge and the word that it is done.
        if (task.end !== undefined && task.end !== "failed") continue;
        const detail = `attempt ${number} of ${id} is merged, and the journal does not say yet that it is done`;
        const remedy = `${goOn}   # finds it`;
        findings.push({
          kind: "merge-unfinished",
          severity: "unfinished",
          where: commit,
          detail,
          remedy,
        });
        continue;
      }
      // Killed before it could say so, and a person changed the task: the next one builds upon it.
      if (mergesBegun.get(id)?.includes(Number(number))) continue;
      const detail = `attempt ${number} of ${id} is merged, and the journal knows nothing of that`;
      findings.push({ kind: "merge-unknown", severity: "broken", ...about, detail });
    }
  }
  return findings;
}

function isOurs(state: RunState, id: string): boolean {
  return id === state.rootId || id.startsWith(`${state.rootId}.`);
}

function refFindings(state: RunState, { tip, refs }: BranchFacts): Finding[] {
  const nameOf = (name: string) => `refs/fractal/${state.runId}/${name}`;
  const findings: Finding[] = [];
  if (tip !== undefined && !refs.has(BASE_REF)) {
    findings.push({
      kind: "ref-missing",
      severity: "broken",
      where: nameOf(BASE_REF),
      detail: "nothing keeps the commit that the run started from",
      remedy: `git update-ref ${nameOf(BASE_REF)} ${state.base || "<the first commit of the branch>"}`,
    });
  }
  const known = new Set([BASE_REF]);
  for (const task of state.tasks.values()) {
    for (const attempt of task.attempts) known.add(`${task.id}.${attempt.number}`);
    findings.push(...keptFindings(task, refs, nameOf));
  }
  for (const [name, commit] of refs) {
    if (known.has(name)) continue;
    findings.push({
      kind: "ref-unknown",
      severity: "broken",
      where: nameOf(name),
      detail: `it keeps ${commit}, of an attempt that the journal does not know`,
      remedy: `git show ${nameOf(name)}   # then git update-ref -d ${nameOf(name)}`,
    });
  }
  return findings;
}

/** The work of an attempt that ended is kept, whatever came of it. */
function keptFindings(
  task: TaskState,
  refs: ReadonlyMap<string, string>,
  nameOf: (name: string) => string,
): Finding[] {
  return task.attempts.flatMap(({ number, kept }): Finding[] => {
    const name = `${task.id}.${number}`;
    if (kept === undefined || refs.get(name) === kept) return [];
    return [
      {
        kind: "ref-missing",
        severity: "broken",
        where: nameOf(name),
        detail: `attempt ${number} of ${task.id} left ${kept}, and nothing keeps it`,
        remedy: `git update-ref ${nameOf(name)} ${kept}`,
      },
    ];
  });
}
