/** The folder of the fractal package: two above this file, in the sources and when built. */
import { join } from "node:path";

export const PACKAGE = join(import.meta.dirname, "..", "..");
