/** Makes a clone ready to run: packages, the pinned Node, git, the sandbox, bd. Instant when all is there. */
import { existsSync, lstatSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isAtLeast, outputOf, runLong } from "./commands.mjs";
import { CannotGoOn, giveUp, say, showProgress } from "./console.mjs";

const packageDir = fileURLToPath(new URL("../", import.meta.url));
const inPackage = (/** @type {string} */ path) => join(packageDir, path);
const GIT_NEEDED = "2.38";
const NODE_NEEDED = "22.18";

try {
  await setUp();
} catch (error) {
  if (error instanceof CannotGoOn) giveUp(error);
  throw error;
}

async function setUp() {
  needGit();
  await needSandbox();
  const node = await needPackages();
  await needBd(node);
}

function needGit() {
  const version = outputOf("git", ["--version"])?.match(/\d+(\.\d+)+/)?.[0];
  if (version === undefined) throw new CannotGoOn("git is missing", `install git ${GIT_NEEDED}`);
  if (isAtLeast(version, GIT_NEEDED)) return;
  throw new CannotGoOn(`git ${version} is too old`, `install git ${GIT_NEEDED} or newer`);
}

/** bubblewrap contains what models write; without it nothing of theirs is run. */
async function needSandbox() {
  if (process.platform !== "linux" || outputOf("bwrap", ["--version"]) !== undefined) return;
  const isRoot = process.getuid?.() === 0;
  const apt = outputOf("apt-get", ["--version"]) !== undefined;
  if (isRoot && apt) {
    say("installing bubblewrap, the sandbox, with apt-get");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const install = () => runLong("apt-get", ["install", "-y", "-qq", "bubblewrap"], { env });
    let done = await install();
    if (!done.ok) {
      await runLong("apt-get", ["update", "-qq"], { env });
      done = await install();
    }
    if (outputOf("bwrap", ["--version"]) !== undefined) return;
    process.stderr.write(`${done.lines.map((line) => `  ${line}`).join("\n")}\n`);
  }
  throw new CannotGoOn("bubblewrap, the sandbox, is missing", installCommand(apt));
}

/** @param {boolean} apt */
function installCommand(apt) {
  if (apt) return "sudo apt-get install -y bubblewrap";
  if (outputOf("dnf", ["--version"]) !== undefined) return "sudo dnf install -y bubblewrap";
  if (outputOf("pacman", ["--version"]) !== undefined) return "sudo pacman -S bubblewrap";
  return "install the package `bubblewrap` of your system";
}

/** Installs what package-lock.json says when node_modules is missing or older. Returns a Node that fits. */
async function needPackages() {
  // An installed package has its packages from npm already.
  const isClone = !packageDir.includes("/node_modules/");
  if (isClone && !isInstalled()) {
    say("installing packages with npm ci");
    const stop = showProgress((seconds) => `packages: ${seconds} s`);
    const npm = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    const { ok, lines } = await runLong("npm", npm, { cwd: packageDir });
    stop();
    if (!ok) {
      process.stderr.write(`${lines.map((line) => `  ${line}`).join("\n")}\n`);
      throw new CannotGoOn("the packages could not be installed, see above", "npm ci");
    }
  }
  if (isClone) linkOwnCommand();
  const pinned = inPackage("node_modules/node/bin/node");
  if (existsSync(pinned) && outputOf(pinned, ["--version"]) !== undefined) return pinned;
  if (isAtLeast(process.versions.node, NODE_NEEDED)) return process.execPath;
  throw new CannotGoOn(
    `fractal needs Node ${NODE_NEEDED} or newer; this is ${process.versions.node}`,
    isClone ? "npm rebuild node --ignore-scripts=false" : `install Node ${NODE_NEEDED} or newer`,
  );
}

function isInstalled() {
  const installed = inPackage("node_modules/.package-lock.json");
  if (!existsSync(installed)) return false;
  return statSync(installed).mtimeMs >= statSync(inPackage("package-lock.json")).mtimeMs;
}

/** npm links the commands of other packages only; this makes `npx fractal` work in the clone. */
function linkOwnCommand() {
  const link = inPackage("node_modules/.bin/fractal");
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(inPackage("node_modules/.bin"), { recursive: true });
  symlinkSync("../../bin/fractal.mjs", link);
}

/** @param {string} node */
async function needBd(node) {
  const look = (env = process.env) => {
    const text = outputOf(node, [fileURLToPath(new URL("find-bd.mjs", import.meta.url))], env);
    if (text === undefined) throw new CannotGoOn("setup/find-bd.mjs did not run");
    return JSON.parse(text);
  };
  const { path, detail, cached } = look();
  if (path !== undefined) return;
  const { FRACTAL_BD } = process.env;
  if (FRACTAL_BD) throw new CannotGoOn(detail, "unset FRACTAL_BD, or correct it");
  const { makeBd } = await import("./make-bd.mjs");
  await makeBd(cached, (made) => look({ ...process.env, FRACTAL_BD: made }).detail);
  say(`bd is at ${cached}`);
}
