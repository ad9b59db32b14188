/** What set-up says: a line when a step starts to take time, and one when it cannot go on. */

const EXIT_ENVIRONMENT = 6;
/** Without a terminal a line of progress is written this often. */
const PROGRESS_MS = 15_000;

/** The machine lacks something; `next` are the commands that help. */
export class CannotGoOn extends Error {
  /**
   * @param {string} what
   * @param {...string} next
   */
  constructor(what, ...next) {
    super(what);
    this.next = next;
  }
}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/** Ends the process with exit code 6 and says why and what to do.
 * @param {CannotGoOn} error */
export function giveUp(error) {
  say(error.message);
  for (const command of error.next) process.stderr.write(`  → ${command}\n`);
  process.exit(EXIT_ENVIRONMENT);
}

/**
 * Shows a line that changes while something long runs.
 * @param {(seconds: number) => string} line
 * @returns {() => void} ends it
 */
export function showProgress(line) {
  const startedAt = Date.now();
  const { isTTY } = process.stderr;
  const text = () => line(Math.round((Date.now() - startedAt) / 1000));
  const show = () => (isTTY ? process.stderr.write(`\r\x1b[Kset-up: ${text()}`) : say(text()));
  const timer = setInterval(show, isTTY ? 1000 : PROGRESS_MS);
  return () => {
    clearInterval(timer);
    if (isTTY) process.stderr.write("\r\x1b[K");
    say(text());
  };
}
