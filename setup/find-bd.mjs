/** Says which bd fractal would use, as one line of JSON; runs on a Node that strips types. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const packageDir = new URL("../", import.meta.url);
const source = new URL("src/adapters/beads/binary.ts", packageDir);
const built = new URL("dist/adapters/beads/binary.js", packageDir);
const { cachedBd, findBd } = await import((existsSync(source) ? source : built).href);

const found = await findBd({ env: process.env, packageDir: fileURLToPath(packageDir) });
const facts = { ...found, cached: cachedBd(process.env) };
process.stdout.write(JSON.stringify(facts));
