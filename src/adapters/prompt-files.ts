/** Loads prompts/*.md, one file per role. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROLES, type Role } from "../domain/conversation.ts";

export interface PromptText {
  text: string;
  /** SHA-256 of the text, hex: names in the journal which prompt was used. */
  hash: string;
}

/** Two folders up from here both in the sources and in the built package. */
const PROMPTS = join(import.meta.dirname, "..", "..", "prompts");

/** Every role's prompt. Throws when one cannot be read: without its prompts the package is broken. */
export async function readPrompts(folder: string = PROMPTS): Promise<Record<Role, PromptText>> {
  const entries = await Promise.all(
    ROLES.map(async (role) => {
      const text = await readFile(join(folder, `${role}.md`), "utf8");
      return [role, { text, hash: createHash("sha256").update(text).digest("hex") }] as const;
    }),
  );
  return Object.fromEntries(entries) as Record<Role, PromptText>;
}
