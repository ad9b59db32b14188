/** Whether Beads shows what the journal has: every task and question, where it stands, and no other. */
import type { TrackedTask } from "../../domain/ports.ts";
import type { RunState } from "../../domain/run-state.ts";
import { commentsWanted, detectDrift } from "../people/drift.ts";
import { mirrorLines } from "../people/mirror.ts";
import { notesOwed } from "../people/notes.ts";
import { unpublished } from "../people/tracked.ts";
import type { Finding } from "./finding.ts";

/** When nobody is at work: all that is not written there yet, not followed yet, or known to one side alone. */
export function beadsFindings(
  state: RunState,
  beads: readonly TrackedTask[],
  goOn: string,
): Finding[] {
  return [
    ...strangers(state, beads, goOn),
    ...behind(state, beads, goOn),
    ...unfollowed(state, beads, goOn),
  ];
}

/** Issues that say they are of this run, and the journal does not know them, or knows others. */
function strangers(state: RunState, beads: readonly TrackedTask[], goOn: string): Finding[] {
  return beads.flatMap((issue): Finding[] => {
    const { id, meta } = issue;
    const known = state.tasks.get(id) ?? state.questions.get(id);
    if (known !== undefined) {
      const key = "key" in known ? known.key : known.id;
      const isPersons = meta === undefined;
      if (isPersons || (meta.run === state.runId && meta.key === key)) return [];
      const detail = `the issue is ${meta.key} of run ${meta.run}, the journal has it as ${key}`;
      const remedy = "keep this folder, and report it";
      return [{ kind: "beads-foreign", severity: "broken", where: id, detail, remedy }];
    }
    if (meta?.run !== state.runId) return [];
    // The journal of a run that goes on was read a moment before.
    const isUnderWay = state.stopped === undefined;
    return [
      {
        kind: "beads-orphan",
        severity: isUnderWay ? "unfinished" : "broken",
        where: id,
        detail: `Beads has "${issue.title}" of this run, and the journal does not know it`,
        remedy: isUnderWay ? `${goOn}   # takes it up` : `bd delete ${id}`,
      },
    ];
  });
}

/** What fractal has still to write there. */
function behind(state: RunState, beads: readonly TrackedTask[], goOn: string): Finding[] {
  const remedy = `${goOn}   # writes it`;
  const finding = (where: string, detail: string): Finding => ({
    ...{ kind: "beads-behind", severity: "unfinished", where, detail, remedy },
  });
  const shown = new Map(beads.map((issue) => [issue.id, issue]));
  return [
    ...unpublished(state).map((id) =>
      finding(id, shown.has(id) ? "created, and not acknowledged" : "not created in Beads yet"),
    ),
    ...mirrorLines(state).map(({ id, status }) => {
      const now = shown.get(id)?.status ?? "nothing";
      return finding(id, `Beads is to show ${status}, and shows ${now}`);
    }),
    ...notesOwed(state).map(({ id, key }) => finding(id, `a comment is not written yet: ${key}`)),
  ];
}

/** What somebody did there that the journal has not followed. */
function unfollowed(state: RunState, beads: readonly TrackedTask[], goOn: string): Finding[] {
  const remedy = `${goOn}   # follows it`;
  const finding = (where: string, detail: string): Finding => ({
    ...{ kind: "beads-unfollowed", severity: "unfinished", where, detail, remedy },
  });
  const drift = detectDrift(state, beads, new Map(), "fractal").flatMap((event): Finding[] => {
    switch (event.event_type) {
      case "drift.seen":
        return [finding(event.task_id ?? "", `${event.kind}: ${event.detail}`)];
      case "question.closed":
        return [finding(event.question, "closed in Beads")];
      default:
        return [];
    }
  });
  const said = commentsWanted(state, beads)
    .filter((id) => state.tasks.has(id))
    .map((id) => finding(id, "it has comments that were not read"));
  return [...drift, ...said];
}
