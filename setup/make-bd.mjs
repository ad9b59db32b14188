/** Gets a bd for the user's cache: built from the pinned module, or the release where nothing can build. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isAtLeast, outputOf, runLong } from "./commands.mjs";
import { CannotGoOn, say, showProgress } from "./console.mjs";

const moduleDir = fileURLToPath(new URL("bd/", import.meta.url));
const GO_NEEDED = "1.21";
const DOWNLOAD_TIMEOUT_MS = 300_000;

/**
 * Puts a working bd at `path`, whole or not at all.
 * @param {string} path
 * @param {(path: string) => string | undefined} problemOf why a program at a path will not do
 */
export async function makeBd(path, problemOf) {
  const version = pinnedVersion();
  mkdirSync(dirname(path), { recursive: true });
  const folder = mkdtempSync(join(dirname(path), "new-"));
  try {
    const missing = missingForBuild();
    const made = join(folder, "bd");
    if (missing === undefined) await buildBd(made, version);
    else await downloadBd(folder, made, version, missing);
    const problem = problemOf(made);
    if (problem !== undefined) throw new CannotGoOn(`the new bd does not work: ${problem}`);
    renameSync(made, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The release that the pinned module asks for. */
function pinnedVersion() {
  const text = readFileSync(join(moduleDir, "go.mod"), "utf8");
  return /^require github\.com\/steveyegge\/beads v(\S+)$/m.exec(text)?.[1] ?? "";
}

/** What a build would need and is not there. */
function missingForBuild() {
  const go = outputOf("go", ["env", "GOVERSION"])?.replace(/^go/, "");
  if (go === undefined) return `Go ${GO_NEEDED} or newer`;
  if (!isAtLeast(go, GO_NEEDED)) return `Go ${GO_NEEDED} or newer (this is ${go})`;
  const [compiler = "cc"] = outputOf("go", ["env", "CC"])?.split(" ") ?? [];
  if (outputOf(compiler, ["--version"]) === undefined) return "a C compiler";
  return undefined;
}

/**
 * @param {string} made
 * @param {string} version
 */
async function buildBd(made, version) {
  say(`building bd ${version}, once, from the pinned module setup/bd (a few minutes)`);
  let modules = 0;
  let packages = 0;
  const stop = showProgress(
    (seconds) => `bd: ${seconds} s, ${modules} modules downloaded, ${packages} packages compiled`,
  );
  const flags = ["-v", "-buildvcs=false", "-tags", "gms_pure_go", "-ldflags", "-s -w"];
  const { ok, lines } = await runLong(
    "go",
    ["build", ...flags, "-o", made, "github.com/steveyegge/beads/cmd/bd"],
    {
      cwd: moduleDir,
      env: { ...process.env, CGO_ENABLED: "1", GOFLAGS: "-mod=readonly", GOWORK: "off" },
      onLine: (line) => {
        if (line.startsWith("go: downloading ")) modules += 1;
        else packages += 1;
      },
    },
  );
  stop();
  if (ok) return;
  process.stderr.write(`${lines.map((line) => `  ${line}`).join("\n")}\n`);
  throw new CannotGoOn(
    `bd ${version} could not be built, see above`,
    `install bd ${version} yourself and name it: export FRACTAL_BD=/path/to/bd`,
  );
}

/**
 * @param {string} folder
 * @param {string} made
 * @param {string} version
 * @param {string} missing
 */
async function downloadBd(folder, made, version, missing) {
  say(`bd ${version} cannot be built without ${missing}; trying its makers' release instead`);
  const { CI: _, ...env } = process.env;
  const install = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
  const fetched = await runLong("npm", [...install, `@beads/bd@${version}`], { env });
  const home = join(folder, "node_modules/@beads/bd");
  // The package's own download step, called by name: npm skips such steps unless they are approved.
  const loaded = fetched.ok
    ? await runLong(process.execPath, [join(home, "scripts/postinstall.js")], {
        env,
        timeoutMs: DOWNLOAD_TIMEOUT_MS,
      })
    : fetched;
  if (loaded.ok) {
    copyFileSync(join(home, "bin/bd"), made);
    chmodSync(made, 0o755);
    return;
  }
  throw new CannotGoOn(
    `no bd: ${missing} is missing, and the release of bd ${version} could not be downloaded`,
    `install ${missing} and run this again`,
    `or install bd ${version} yourself and name it: export FRACTAL_BD=/path/to/bd`,
  );
}
