/** Tells from what a program said at its end that it crashed: an error that nobody caught. */

/** How runtimes and shells show that, and where the error itself stands in other lines. */
const CRASHES: readonly { sign: RegExp; error?: RegExp }[] = [
  // Node says at the very end who it was.
  {
    sign: /^Node\.js v\d[^\n]*$/m,
    error: /^(?:Uncaught:? )?(?:[A-Z]\w*)?(?:Error|Exception)\b[^\n]*/gm,
  },
  // Python, also where it could not even be compiled.
  {
    sign: /^Traceback \(most recent call last\):|^ {2}File "[^"\n]*", line \d+$/m,
    error: /^[\w.]*(?:Error|Exception|Interrupt)\b[^\n]*/gm,
  },
  { sign: /can't open file [^\n]*No such file or directory/ },
  { sign: /^panic: [^\n]*/m },
  { sign: /^thread '[^'\n]*' (?:\(\d+\) )?panicked at [^\n]*/m },
  { sign: /^Exception in thread "[^"\n]*" [^\n]*/m },
  { sign: /^\S+\.rb:\d+:in [^\n]*\([\w:]*(?:Error|Exception)\)/m },
  { sign: /^Unhandled exception[.:][^\n]*/m },
  // A shell that did not find what it was to start, or could not read it.
  {
    sign: /^[^\n]{0,80}\b(?:ba|da|z|k)?sh: [^\n]*(?:not found|[Ss]yntax error|Permission denied)/m,
  },
];

/** Whether nothing is asked of a command but that it ends badly: then a crash is no answer. */
export function onlyFails(asked: { exit?: number | undefined; stdout?: string | undefined }) {
  return (asked.exit ?? 0) !== 0 && asked.stdout === undefined;
}

const SHOWN_CHARS_MAX = 200;
/** The end is what counts, and looking is quick, whatever was printed. */
const READ_CHARS_MAX = 16_000;

/** The first words of the error; undefined where the program ended of its own will. */
export function crashIn(stderr: string): string | undefined {
  const end = stderr.slice(-READ_CHARS_MAX);
  for (const { sign, error } of CRASHES) {
    const found = sign.exec(end)?.[0];
    if (found === undefined) continue;
    const said = error === undefined ? undefined : end.match(error)?.at(-1);
    return (said ?? found).trim().slice(0, SHOWN_CHARS_MAX);
  }
  return undefined;
}
