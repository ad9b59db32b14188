/** Running other programs during set-up. */
import { spawn, spawnSync } from "node:child_process";

/**
 * The standard output of a quick command; undefined when it is missing or fails.
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function outputOf(program, args, env) {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8", env, stdio: "pipe" });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Runs a long command; each line it prints goes to `onLine`.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, timeoutMs?: number }} [options]
 * @returns {Promise<{ ok: boolean, lines: string[] }>} its last lines, for the reader of a failure
 */
export function runLong(program, args, { cwd, env, onLine, timeoutMs } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const timer = timeoutMs && setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    /** @type {string[]} */
    let lines = [];
    const take = (/** @type {string} */ text) => {
      for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
        onLine?.(line);
        lines = [...lines.slice(-19), line];
      }
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", (error) => take(error.message));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ ok: code === 0, lines });
    });
  });
}

/**
 * Compares dotted versions.
 * @param {string} version such as `2.39.5`
 * @param {string} least such as `2.38`
 */
export function isAtLeast(version, least) {
  const have = version.split(".").map(Number);
  for (const [at, need] of least.split(".").map(Number).entries()) {
    if ((have[at] ?? 0) !== need) return (have[at] ?? 0) > need;
  }
  return true;
}
