/** The real bd that set-up found or built. */
import { join } from "node:path";
import { findBd } from "../../src/adapters/beads/binary.ts";
import { isFailure } from "../../src/domain/failure.ts";

const found = await findBd({ env: process.env, packageDir: join(import.meta.dirname, "../..") });
if (isFailure(found)) throw new Error(found.detail);

export const BD = found.path;
