/** Paths no task may touch unless its plan declares them and they are new: what judges, configures or steers. */
import { foldedPath } from "../../domain/path.ts";

/** What a task is judged by. */
export const TEST_PATHS: readonly string[] = [
  ...["**/test/**", "**/tests/**", "**/__tests__/**", "**/*.test.*", "**/*.spec.*"],
  ...["**/test_*.py", "**/*_test.py", "**/conftest.py", "**/*_test.go", "**/__snapshots__/**"],
  ...["**/*.snap", "**/__mocks__/**", "**/*_test.rs", "**/*_spec.rb"],
];

/** How tests, types and lint are run. */
const TOOL_PATHS: readonly string[] = [
  ...[
    "**/package.json",
    "**/tsconfig*.json",
    "**/biome.json*",
    "**/.eslintrc*",
    "**/eslint.config.*",
  ],
  ...[
    "**/vitest.config.*",
    "**/vite.config.*",
    "**/jest.config.*",
    "**/.mocharc*",
    "**/playwright.config.*",
  ],
  ...[
    "**/vitest.workspace.*",
    "**/vitest.setup.*",
    "**/jest.setup.*",
    "**/ava.config.*",
    "**/.taprc",
  ],
  ...["**/cypress.config.*", "**/karma.conf.*", "**/.nycrc*", "**/.c8rc*", "**/jsconfig.json"],
  ...["**/babel.config.*", "**/.babelrc*", "**/.swcrc", "**/deno.json*", "**/bunfig.toml"],
  ...["**/pyproject.toml", "**/setup.cfg", "**/tox.ini", "**/pytest.ini", "**/noxfile.py"],
  ...["**/Makefile", "**/GNUmakefile", "**/justfile", "**/Cargo.toml", "**/go.mod"],
  // What a Python or Node loads before, or instead of, what is asked for.
  ...["**/sitecustomize.py", "**/usercustomize.py", "**/*.pth", "**/pyvenv.cfg", "**/.coveragerc"],
  ...["**/node_modules/**", "**/.venv/**", "**/site-packages/**", "**/.cargo/**", "**/build.rs"],
];

/** Which code of others is used and from where; what runs on machines of others, or in their tools. */
export const RUN_ELSEWHERE: readonly string[] = [
  ...[
    "**/*.lock",
    "**/*.lockb",
    "**/package-lock.json",
    "**/npm-shrinkwrap.json",
    "**/pnpm-lock.yaml",
  ],
  ...["**/go.sum", "**/.npmrc", "**/.yarnrc*", "**/.pnpmfile.cjs", "**/pip.conf"],
  ...["**/.git*", "**/.git*/**", "**/.gitlab/**", "**/.circleci/**", "**/.ci/**", "**/Jenkinsfile"],
  ...["**/azure-pipelines.yml", "**/.travis.yml", "**/.husky/**", "**/.pre-commit-config.yaml"],
  ...["**/.envrc", "**/.env", "**/.env.*", "**/.vscode/**", "**/.idea/**", "**/.devcontainer/**"],
  ...[
    "**/.claude/**",
    "**/CLAUDE.md",
    "**/AGENTS.md",
    "**/.cursor/**",
    "**/.cursorrules",
    "**/.aider*",
  ],
  ...["**/.mcp.json", "**/.codex/**", "**/.gemini/**", "**/.windsurf*", "**/.clinerules"],
  ...["**/.clinerules/**", "**/.zed/**", "**/lefthook*.yml", "**/.lefthook*", "**/.lefthook/**"],
  ...["**/bitbucket-pipelines.yml", "**/.drone.yml", "**/.buildkite/**"],
  ...["**/appveyor.yml", "**/.appveyor.yml", "**/Dockerfile*", "**/*.Dockerfile"],
  ...["**/docker-compose*", "**/compose.yml", "**/compose.yaml", "**/pnpm-workspace.yaml"],
  ...["**/requirements*.txt", "**/Pipfile", "**/setup.py", "**/Gemfile", "**/composer.json"],
  ...["**/pom.xml", "**/build.gradle*", "**/settings.gradle*"],
];

/** fractal's own, at the top: no task may write them, new or not. Without a wildcard, so that no file or link takes the place of a folder. */
export const FRACTALS_OWN: readonly string[] = [
  ...["fractal.yaml", "fractal", ".beads", ".fractal", "telemetry"],
];

/** Tests and checks, configuration of tools, lock files, CI, git, editors, agents, fractal's own. */
export const PROTECTED_PATHS: readonly string[] = [
  ...[...TEST_PATHS, ...TOOL_PATHS, ...RUN_ELSEWHERE, ...FRACTALS_OWN],
];

/**
 * The pattern that protects a path, from the usual ones or those given; undefined when none does.
 * `*` is any part of a name, `**` any folders; a pattern without wildcard also protects what is below.
 */
export function protectedBy(path: string, more: readonly string[] = []): string | undefined {
  const folded = foldedPath(plainPath(path));
  const usual = ANY_USUAL.test(folded) ? PROTECTED_PATHS : [];
  return [...usual, ...more].find((pattern) => matcherOf(pattern).test(folded));
}

/** True for a path that one of these patterns matches. */
export function isUnder(path: string, patterns: readonly string[]): boolean {
  const folded = foldedPath(plainPath(path));
  return patterns.some((pattern) => matcherOf(pattern).test(folded));
}

/** A path as trees have it: without `./` before and `/` behind. */
export function plainPath(path: string): string {
  return path.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
}

const matchers = new Map<string, RegExp>();

function matcherOf(pattern: string): RegExp {
  const known = matchers.get(pattern);
  if (known) return known;
  const matcher = new RegExp(sourceOf(pattern), "su");
  matchers.set(pattern, matcher);
  return matcher;
}

function sourceOf(pattern: string): string {
  const source = foldedPath(plainPath(pattern))
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => WILDCARDS[part] ?? part.replace(/[\\^$.|+()[\]{}]/g, "\\$&"))
    .join("");
  const below = /[*?]/.test(pattern) ? "" : "(?:/.*)?";
  return `^${source}${below}$`;
}

const WILDCARDS: Record<string, string> = {
  "**/": "(?:.*/)?",
  "**": ".*",
  "*": "[^/]*",
  "?": "[^/]",
};

/** All of the usual ones at once: most paths are none of them. */
const ANY_USUAL = new RegExp(PROTECTED_PATHS.map(sourceOf).join("|"), "su");
