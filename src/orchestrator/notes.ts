/** Writes the comments that are owed to issues, each at most once: it looks before it writes. */
import { type Failure, isFailure } from "../domain/failure.ts";
import type { TrackerComment } from "../domain/ports.ts";
import type { Note } from "../domain/run-state.ts";
import { notesOwed, sameWordsUpTo } from "../rules/people/notes.ts";
import { ACTOR, type TrackedWorld } from "./world.ts";

/**
 * Writes what `rules/people/notes.ts` says is owed. An earlier try may have written a comment without being
 * able to say so (a kill, an answer that was lost), so what counts is what can be read. Trouble
 * leaves the rest owed.
 */
export async function writeNotes(world: TrackedWorld): Promise<Failure | undefined> {
  for (const note of notesOwed(world.store.state)) {
    const failure = await writeNote(world, note);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

async function writeNote(world: TrackedWorld, note: Note): Promise<Failure | undefined> {
  const { tracker, store } = world;
  const before = await tracker.comments(note.id);
  if (isFailure(before)) return (await isGone(world, note)) ? end(world, note, "gone") : before;
  const wanted = sameWordsUpTo(store.state, note);
  const isThere = (comments: TrackerComment[]) =>
    comments.filter((one) => one.text.trim() === note.text.trim()).length >= wanted;
  if (isThere(before)) return end(world, note, "found", before);
  const written = await tracker.comment(note.id, note.text);
  const after = await tracker.comments(note.id);
  if (isFailure(after)) return written ?? after;
  if (isThere(after)) return end(world, note, "written", after);
  const detail = `the comment on ${note.id} was not written`;
  return written ?? { failure: "tracker-unavailable", detail };
}

/** Only a look that succeeds can tell that an issue is not there. */
async function isGone(world: TrackedWorld, note: Note): Promise<boolean> {
  const shown = await world.tracker.read();
  return !isFailure(shown) && shown.length > 0 && shown.every((issue) => issue.id !== note.id);
}

function end(
  world: TrackedWorld,
  note: Note,
  how: "written" | "found" | "gone",
  comments: readonly TrackerComment[] = [],
): undefined {
  const read = world.store.state.tasks.get(note.id)?.commentsRead ?? 0;
  // A person's words among them are still to be followed.
  const isOurs = comments.slice(read).every((one) => one.author === ACTOR);
  const counted = isOurs && comments.length > read ? { comments: comments.length } : {};
  const about = { task_id: null, actor: ACTOR } as const;
  world.store.record([{ ...about, event_type: "note.done", key: note.key, how, ...counted }]);
}
