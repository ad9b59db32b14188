/** What an event is about, as the first word of its type says. */
import type { RunEvent } from "../event.ts";

/** The events whose types begin with one of these words: `EventAbout<"lease">` is each `lease.…`. */
export type EventAbout<Word extends string> = Extract<
  RunEvent,
  { event_type: `${Word}.${string}` }
>;

/** Whether the type of an event begins with one of these words. */
export function isAbout<Word extends string>(
  event: RunEvent,
  ...words: readonly Word[]
): event is EventAbout<Word> {
  const [word] = event.event_type.split(".", 1);
  return words.some((one) => one === word);
}
