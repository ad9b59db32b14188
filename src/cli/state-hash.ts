/** A run's state as one hash, so that two replays can be compared. */
import { createHash } from "node:crypto";
import type { RunState } from "../domain/run-state.ts";
import { canonicalText } from "../rules/text/canonical.ts";

/** Hex SHA-256 of the canonical text of the whole state. */
export function stateHash(state: RunState): string {
  return createHash("sha256").update(canonicalText(state)).digest("hex");
}
