/** Names the prompt a role was given, for the journal. */
import type { Role } from "../domain/conversation.ts";
import { parsePrompt } from "../rules/text/prompt.ts";
import type { World } from "./world.ts";

/** Its version and the beginning of its hash among the blobs. */
export function promptName(world: World, role: Role): string {
  const text = world.prompts[role];
  return `${role} v${parsePrompt(text).version} ${world.store.journal.putBlob(text).slice(0, 12)}`;
}
