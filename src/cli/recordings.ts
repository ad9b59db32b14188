/** The recorded answers that come with the bundled specification. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE } from "./package-folder.ts";
import type { SpecInput } from "./spec-input.ts";

/** The folder of recordings, when the input is the bundled specification, byte for byte. */
export function bundledRecordings(input: SpecInput): string | undefined {
  const spec = join(PACKAGE, "spec.md");
  const folder = join(PACKAGE, "recordings");
  if (!existsSync(spec) || !existsSync(folder)) return undefined;
  const hash = createHash("sha256").update(readFileSync(spec)).digest("hex");
  return hash === input.hash ? folder : undefined;
}
