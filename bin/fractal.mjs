#!/usr/bin/env node
/** Starts fractal: plain JavaScript, so that an old Node says what is missing instead of crashing. */
import { existsSync, readFileSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const packageDir = new URL("../", import.meta.url);
const isInstalled = packageDir.pathname.includes("/node_modules/");
/** The first release that runs TypeScript sources directly. */
const NODE_NEEDED = [22, 18];
const EXIT_ENVIRONMENT = 6;

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  const { version } = JSON.parse(readFileSync(new URL("package.json", packageDir), "utf8"));
  process.stdout.write(`${version}\n`);
} else if (isNewEnough(process.versions.node)) {
  keepCompiled();
  const { main } = await import(entry());
  process.exitCode = await main(args);
} else {
  await runPinnedNode();
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [majorNeeded = 0, minorNeeded = 0] = NODE_NEEDED;
  return major > majorNeeded || (major === majorNeeded && minor >= minorNeeded);
}

/** Compiled sources are kept in the user's cache: the next start takes half the time. */
function keepCompiled() {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  // What cannot be kept is compiled again.
  module.enableCompileCache(join(cache, "fractal", "compiled"));
}

/** The sources in a clone; what was built from them in an installed package, where Node strips no types. */
function entry() {
  const source = new URL("src/cli/main.ts", packageDir);
  if (!isInstalled && existsSync(source)) return source.href;
  return new URL("dist/cli/main.js", packageDir).href;
}

/** Runs the same command under the Node that comes with the clone, as if it had been called itself. */
async function runPinnedNode() {
  const pinned = new URL("node_modules/node/bin/node", packageDir);
  if (!existsSync(pinned)) {
    process.stderr.write(
      `fractal needs Node ${NODE_NEEDED.join(".")} or newer; this is ${process.versions.node}.\n` +
        (isInstalled ? "" : "`npm ci` in fractal's folder brings one along.\n"),
    );
    process.exitCode = EXIT_ENVIRONMENT;
    return;
  }
  const [{ spawn }, { fileURLToPath }] = await Promise.all([
    import("node:child_process"),
    import("node:url"),
  ]);
  const child = spawn(fileURLToPath(pinned), [fileURLToPath(import.meta.url), ...args], {
    stdio: "inherit",
  });
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(name, (/** @type {NodeJS.Signals} */ signal) => {
      // The terminal gives Ctrl-C to both of us, and a second one would mean "stop now".
      const isFromTerminal = signal !== "SIGTERM" && isTerminalForeground();
      if (!isFromTerminal) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`fractal cannot start ${fileURLToPath(pinned)}: ${error.message}\n`);
    process.exitCode = EXIT_ENVIRONMENT;
  });
  child.on("exit", (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** True when this process group is the one the terminal sends its signals to. */
function isTerminalForeground() {
  try {
    // Linux: after the name in brackets come state, parent, group, session, terminal, its group.
    const facts = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return facts[2] === facts[5];
  } catch {
    return process.stdin.isTTY === true || process.stderr.isTTY === true;
  }
}
