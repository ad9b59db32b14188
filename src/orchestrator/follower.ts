/** Keeps Beads and the journal of one mind: follows a person's edits, mirrors statuses. */
import { type Failure, isFailure } from "../domain/failure.ts";
import type { TrackedTask, TrackerComment, TrackerLine } from "../domain/ports.ts";
import { commentsWanted, detectDrift } from "../rules/people/drift.ts";
import { anotherTracker, isOurs } from "../rules/people/drift-lost.ts";
import { type MirrorLine, mirrorLines } from "../rules/people/mirror.ts";
import { asSet, unheardLines } from "../rules/people/overwritten.ts";
import { writeNotes } from "./notes.ts";
import { serial } from "./serial.ts";
import { ACTOR, type TrackedWorld } from "./world.ts";

export interface Follower {
  /**
   * Journals what a person did in the tracker. Reads it only when somebody wrote there since it was
   * last read, or when `isDue` says to look all the same.
   */
  follow(isDue?: boolean): Promise<Failure | undefined>;
  /**
   * Writes the comments that are owed and brings the statuses to what they should be. What a person
   * changed meanwhile is followed first, so that it is not written over; and what crossed the write
   * is followed after it.
   */
  mirror(): Promise<Failure | undefined>;
}

export function openFollower(world: TrackedWorld): Follower {
  const { tracker, store } = world;
  /** The version that was read last. */
  let seen = "";

  const follow = async (isDue = false): Promise<Failure | undefined> => {
    const version = await tracker.version();
    if (version === seen && !isDue) return undefined;
    const knownBefore = knownNow(world);
    const shown = await readOurs();
    if (isFailure(shown)) return shown;
    // What was written and not acknowledged may have crossed a person's edit as well.
    const overwritten = await tracker.overwritten(unheardLines(store.state, shown));
    if (isFailure(overwritten)) return overwritten;
    const failure = await note(asSet(shown, overwritten), knownBefore);
    if (failure === undefined) seen = version;
    return failure;
  };

  /** What cannot be a person's edits is looked at twice before it is believed. */
  const readOurs = async (): Promise<TrackedTask[] | Failure> => {
    const shown = await tracker.read();
    if (isFailure(shown) || isOurs(store.state, shown)) return shown;
    const again = await tracker.read();
    if (isFailure(again) || isOurs(store.state, again)) return again;
    return anotherTracker(store.state);
  };

  /** Journals what these issues show that fractal did not write. */
  const note = async (
    shown: TrackedTask[],
    knownBefore: Map<string, unknown>,
  ): Promise<Failure | undefined> => {
    if (!isOurs(store.state, shown)) return anotherTracker(store.state);
    const comments = await readComments(world, shown);
    if (isFailure(comments)) return comments;
    // What fractal itself wrote while it was reading is not yet in what it read.
    const knownAfter = knownNow(world);
    const isComparable = (id: string) => knownBefore.get(id) === knownAfter.get(id);
    const events = detectDrift(store.state, shown, comments, ACTOR, isComparable);
    if (events.length > 0) store.record(events);
    return undefined;
  };

  const mirror = async (): Promise<Failure | undefined> => {
    // Comments may take a while: whoever wrote meanwhile is heard.
    const trouble = (await follow()) ?? (await writeNotes(world)) ?? (await follow());
    if (trouble !== undefined) return trouble;
    const about = { task_id: null, actor: ACTOR } as const;
    const lines: MirrorLine[] = [];
    /** Announces what is due now, each issue once: of two writes a look could not tell which was done. */
    const announce = (): TrackerLine[] => {
      const due = mirrorLines(store.state).filter(({ id }) =>
        lines.every((line) => line.id !== id),
      );
      if (due.length === 0) return [];
      lines.push(...due);
      store.record([{ ...about, event_type: "mirror.started", lines: due.map(plain) }]);
      return due.map((line) => ({ ...line, was: store.state.tasks.get(line.id)?.mirror }));
    };
    const first = announce();
    if (first.length === 0) return undefined;
    const known = knownNow(world);
    const written = await tracker.mirror(first, announce);
    if (isFailure(written)) return written;
    const applied = new Set(written.applied);
    const { overwritten } = written;
    const done = lines.filter(({ id }) => applied.has(id) && !overwritten.has(id)).map(plain);
    if (done.length > 0) store.record([{ ...about, event_type: "mirror.done", lines: done }]);
    // What was read to confirm the write shows also what a person did meanwhile. Of what became
    // known while it went on only these lines are sure to be in it.
    const knownByNow = knownNow(world);
    for (const { id } of done) known.set(id, knownByNow.get(id));
    const failure = await note(asSet(written.shown, overwritten), known);
    if (failure === undefined) seen = written.version;
    if (failure !== undefined || done.length === lines.length) return failure;
    const left = lines.filter((line) => !applied.has(line.id) && isWanted(line));
    if (left.length === 0) return undefined;
    noteReverted(left, written.shown);
    const ids = left.map((line) => line.id).join(", ");
    return { failure: "tracker-unavailable", detail: `the tracker did not take ${ids}` };
  };

  /**
   * What bd said it wrote and does not show was put back at once, or never written: the same so often
   * is asked about, as any drift is.
   */
  const noteReverted = (left: MirrorLine[], shown: TrackedTask[]) => {
    for (const { id } of left) {
      const issue = shown.find((one) => one.id === id);
      if (issue === undefined || !store.state.tasks.has(id)) continue;
      const { status, assignee } = issue;
      const about = { task_id: id, actor: ACTOR, event_type: "drift.seen" } as const;
      const detail = `${status}, ${assignee || "nobody"}, right after it was written`;
      store.record([{ ...about, kind: "overwritten", seen: { status, assignee }, detail }]);
    }
  };

  /** False once a person's edit made the line moot. */
  const isWanted = (line: MirrorLine) =>
    mirrorLines(store.state).some((now) => now.id === line.id && now.status === line.status);

  // One at a time: of two that read at once the older reading could be taken for an edit.
  const inTurn = serial();
  return { follow: (isDue) => inTurn(() => follow(isDue)), mirror: () => inTurn(mirror) };
}

const plain = ({ id, status, assignee }: MirrorLine) => ({ id, status, assignee });

/** What the tracker is known to hold, by id; a new value is a new object. */
function knownNow(world: TrackedWorld): Map<string, unknown> {
  const { tasks, questions } = world.store.state;
  return new Map([...tasks.values(), ...questions.values()].map((one) => [one.id, one.mirror]));
}

async function readComments(
  world: TrackedWorld,
  shown: TrackedTask[],
): Promise<Map<string, TrackerComment[]> | Failure> {
  const comments = new Map<string, TrackerComment[]>();
  for (const id of commentsWanted(world.store.state, shown)) {
    const read = await world.tracker.comments(id);
    if (isFailure(read)) return read;
    comments.set(id, read);
  }
  return comments;
}
