/** The folder of the fractal package, two above this file in the sources and when built; its version. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const PACKAGE = join(import.meta.dirname, "..", "..");

/** As package.json has it. */
export function readVersion(): string {
  const text = readFileSync(join(PACKAGE, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
