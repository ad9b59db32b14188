/** Which commands judge the work without running it: nothing in it can turn them green by ending. */

/** They read, compare or compile files. Whatever else a command begins with may run the work. */
const JUDGES = new Set([
  ...["test", "[", "true", "false", "cd", "ls", "cat", "head", "tail", "wc", "sort", "uniq", "tr"],
  ...["grep", "egrep", "fgrep", "rg", "diff", "cmp", "jq", "echo", "printf", "stat", "file"],
  ...["tsc", "eslint", "biome", "prettier", "oxlint", "stylelint", "markdownlint", "shellcheck"],
  ...["ruff", "mypy", "pyright", "flake8", "black", "pylint", "gofmt", "staticcheck", "rustfmt"],
]);

/** The same in several words, each followed by what it is about. */
const JUDGES_IN_WORDS: readonly RegExp[] = [
  /^(?:npx (?:--no-install |--yes |-y )?|npm exec (?:-- )?)(tsc|eslint|biome|prettier|oxlint|pyright)\b/,
  /^cargo (?:check|clippy|fmt|build)\b/,
  /^go (?:vet|build)\b/,
  /^node (?:--check|-c) /,
  /^(?:sh|bash) -n /,
  /^python3? -m (?:py_compile|compileall|mypy|ruff|flake8|black|pylint)\b/,
];

/** What a program prints, compared with a text: as good as an expected output. */
const COMPARED =
  /(?<![\w./-])(?:test|\[)\s+"\$\(([^()`;&|\n]*)\)"\s+={1,2}\s+(?:"[^"$`\\]+"|'[^']+')/g;

/** Whether a command may run the work, in whole or in part. A false alarm costs a closer look. */
export function runsWork(command: string): boolean {
  return programsIn(command).length > 0;
}

/**
 * The programs of the work that a command may run, as they are called, without what they are given:
 * `node cli.mjs`. What is run inside of words is not looked for among them: then it is all of it.
 */
export function programsIn(command: string): string[] {
  const plain = command.replaceAll(COMPARED, "test it");
  if (/\$\(|`|<\(|>\(/.test(plain)) return [command];
  const quoted: string[] = [];
  return plain
    .replaceAll(/\\\n/g, " ")
    .replaceAll(/'[^']*'|"(?:\\.|[^"\\])*"/g, (text) => `\uE000${quoted.push(text) - 1}\uE000`)
    .replaceAll(/(?<!\d)\d*>>?(?:&\d|\s*[\w./-]+)|<\s*[\w./-]+/g, " ")
    .split(/&&|\|\||[;&|\n]/)
    .map((part) => part.trim().replace(/^(?:!\s+)+/, ""))
    .filter((part) => part !== "" && !isJudge(part))
    .map((part) => programOf(part.split(/\s+/)))
    .map((words) => words.replaceAll(/\uE000(\d+)\uE000/g, (_, at) => quoted[Number(at)] ?? ""));
}

function isJudge(part: string): boolean {
  return (
    JUDGES.has(part.split(/\s/, 1)[0] ?? "") || JUDGES_IN_WORDS.some((words) => words.test(part))
  );
}

/** What only runs something else that is named behind it, and words of its own before that. */
const RUNNERS =
  /^(?:node|deno|bun|npx|npm|pnpm|yarn|tsx|ts-node|python[\d.]*|uv|poetry|ruby|perl|php|java|go|cargo|dotnet|sh|bash|env|time|timeout|exec|make)$/;
const OWN_WORDS = /^(?:-.*|\d+s?|\w+=.*|run|exec|start|tool|test|x)$/;

function programOf(words: readonly string[]): string {
  const called = words.filter((word, at) => at > 0 || !/^\w+=/.test(word));
  const program: string[] = [];
  for (const word of called) {
    if (word === "--") break;
    if (!word.startsWith("-")) program.push(word);
    if (!RUNNERS.test(word) && !OWN_WORDS.test(word)) break;
  }
  return program.join(" ");
}
