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
  const plain = command.replaceAll(COMPARED, "test it");
  // What is run inside of words is not looked for among them.
  if (/\$\(|`|<\(|>\(/.test(plain)) return true;
  return plain
    .replaceAll(/\\\n/g, " ")
    .replaceAll(/'[^']*'|"(?:\\.|[^"\\])*"/g, "text")
    .replaceAll(/(?<!\d)\d*>>?(?:&\d|\s*[\w./-]+)|<\s*[\w./-]+/g, " ")
    .split(/&&|\|\||[;&|\n]/)
    .map((part) => part.trim().replace(/^(?:!\s+)+/, ""))
    .some((part) => part !== "" && !isJudge(part));
}

function isJudge(part: string): boolean {
  return (
    JUDGES.has(part.split(/\s/, 1)[0] ?? "") || JUDGES_IN_WORDS.some((words) => words.test(part))
  );
}
