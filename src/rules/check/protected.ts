/** Paths no task may touch unless its plan declares them and they are new: what judges, configures or steers. */
import { foldedPath } from "../../domain/path.ts";
import { MANIFEST_PATHS } from "./manifest.ts";
import { anyOf, patternOf, plainPath } from "./path-pattern.ts";

/** What a task is judged by. */
export const TEST_PATHS: readonly string[] = [
  ...["**/test/**", "**/tests/**", "**/__tests__/**", "**/*.test.*", "**/*.spec.*"],
  ...["**/test_*.py", "**/*_test.py", "**/conftest.py", "**/*_test.go", "**/__snapshots__/**"],
  ...["**/*.snap", "**/__mocks__/**", "**/*_test.rs", "**/*_spec.rb"],
];

/** How tests, types and lint are run. */
const TOOL_PATHS: readonly string[] = [
  ...["**/tsconfig*.json", "**/biome.json*", "**/.eslintrc*", "**/eslint.config.*"],
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
  ...["**/babel.config.*", "**/.babelrc*", "**/.swcrc", "**/bunfig.toml"],
  ...["**/tox.ini", "**/pytest.ini", "**/noxfile.py", "**/Makefile", "**/GNUmakefile"],
  ...["**/justfile", "**/Rakefile"],
  // What a Python or Node loads before, or instead of, what is asked for.
  ...["**/sitecustomize.py", "**/usercustomize.py", "**/*.pth", "**/pyvenv.cfg", "**/.coveragerc"],
  ...["**/node_modules/**", "**/.venv/**", "**/site-packages/**", "**/.cargo/**"],
];

/** Which version of code of others is used, and from where; what runs on machines of others, or in their tools. */
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
  ...["**/packages.lock.json", "**/*.lockfile", "**/Package.resolved", "**/Cartfile.resolved"],
  ...["**/go.work.sum", "**/pylock*.toml", "**/cabal.project.freeze", "**/.terraform.lock.hcl"],
  ...["**/nuget.config", "**/.bundle/**", "**/.gemrc", "**/.condarc", "**/uv.toml", "**/.mvn/**"],
  ...["**/gradle/wrapper/**", "**/gradlew*", "**/mvnw*", "**/.yarn/**", "**/.pnp.*"],
  ...["**/rust-toolchain*", "**/global.json", "**/.tool-versions", "**/mise.toml", "**/.mise.toml"],
];

/** fractal's own, at the top: no task may write them, new or not. Without a wildcard, so that no file or link takes the place of a folder. */
export const FRACTALS_OWN: readonly string[] = [
  ...["fractal.yaml", "fractal", ".beads", ".fractal", "telemetry"],
];

/** Tests and checks, configuration of tools, packages, lock files, CI, git, editors, agents, fractal's own. */
export const PROTECTED_PATHS: readonly string[] = [
  ...[...TEST_PATHS, ...TOOL_PATHS, ...MANIFEST_PATHS, ...RUN_ELSEWHERE, ...FRACTALS_OWN],
];

/**
 * The pattern that protects a path, from the usual ones or those given; undefined when none does.
 */
export function protectedBy(path: string, more: readonly string[] = []): string | undefined {
  const usual = ANY_USUAL.test(foldedPath(plainPath(path))) ? PROTECTED_PATHS : [];
  return patternOf(path, [...usual, ...more]);
}

/** All of the usual ones at once: most paths are none of them. */
const ANY_USUAL = anyOf(PROTECTED_PATHS);
