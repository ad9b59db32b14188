/** Builds `dist` from `src`: for an installed package, where Node does not strip types. */
import { spawnSync } from "node:child_process";
import { cpSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const packageDir = fileURLToPath(new URL("../", import.meta.url));
process.chdir(packageDir);

rmSync("dist", { recursive: true, force: true });
const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
// What runs inside the sandbox is plain JavaScript already.
const isPlain = (/** @type {string} */ path) =>
  path.endsWith(".mjs") || statSync(path).isDirectory();
cpSync("src", "dist", { recursive: true, filter: isPlain });
process.exitCode = status ?? 1;
