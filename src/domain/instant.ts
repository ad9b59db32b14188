/** Instants: milliseconds since 1970 in code, ISO 8601 in the journal. */

/** Milliseconds since 1970, UTC. */
export type Instant = number;

// biome-ignore lint/style/noRestrictedGlobals: turning text into a number reads no clock
const ISO = Date;

export function parseInstant(iso: string): Instant {
  return ISO.parse(iso);
}

export function renderInstant(instant: Instant): string {
  return new ISO(instant).toISOString();
}
