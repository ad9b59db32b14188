/** Scope: only declared files, none that is protected, and not too much at once. */
import { describe, expect, it } from "vitest";
import type { Change } from "../../../src/domain/ports.ts";
import { judgeScope } from "../../../src/rules/check/scope.ts";
import { aContract } from "../../support/builders.ts";

const change = (path: string, over: Partial<Change> = {}): Change => ({
  path,
  kind: "changed",
  linesAdded: 1,
  linesDeleted: 0,
  ...over,
});
const judge = (changes: Change[], files: string[], more: string[] = [], linesMax = 100) =>
  judgeScope(changes, aContract("Task", { files }), more, linesMax);

describe("judgeScope", () => {
  it("lets declared files change, however the contract spells them", () => {
    expect(judge([change("src/a.ts"), change("b.ts")], ["./src/a.ts", "b.ts"])).toBeUndefined();
  });

  it("names every file that was not declared, and the ones that were", () => {
    const failure = judge([change("a.ts"), change("b.ts"), change("c.ts")], ["a.ts"]);
    expect(failure).toMatchObject({ failure: "out-of-scope", paths: ["b.ts", "c.ts"] });
    expect(failure?.detail).toContain("a.ts");
  });

  it("refuses a change of more lines than the limit, and allows one of exactly as many", () => {
    const lines = change("a.ts", { linesAdded: 60, linesDeleted: 40 });
    expect(judge([lines], ["a.ts"])).toBeUndefined();
    expect(judge([lines], ["a.ts"], [], 99)).toMatchObject({ failure: "out-of-scope" });
  });

  const NOBODYS = [
    ...["test/a.test.mjs", "src/deep/a.spec.ts", "tests/conftest.py", "TEST/A.TEST.MJS"],
    ...["fractal.yaml", ".beads/issues.jsonl"],
  ];
  const ASKABLE = [
    ...["package.json", "packages/x/package-lock.json", "Cargo.lock", "tsconfig.build.json"],
    ...[".github/workflows/ci.yml", ".gitlab-ci.yml", ".gitattributes", "sub/.gitmodules"],
    ...[".vscode/settings.json", ".claude/settings.json", "AGENTS.md", ".npmrc", ".envrc"],
    ...["requirements-dev.txt", "sub/Pipfile", "Gemfile", "composer.json", "pom.xml", "setup.py"],
    ...["build.gradle.kts", "lefthook.yml", "bitbucket-pipelines.yml", ".drone.yml", ".zed/x.json"],
    ...[".buildkite/x.yml", "appveyor.yml", "pnpm-workspace.yaml", ".clinerules", "x/Dockerfile"],
    ...["docker-compose.dev.yml", "compose.yaml"],
  ];
  const FRACTALS = [
    ...[".beads/config.yaml", ".beads/hooks/x", ".Beads", ".fractal/x", "telemetry/r/events.jsonl"],
    ...["telemetry", "fractal.yaml", "fractal/policies/a.md", "fractal"],
  ];

  it.each(FRACTALS)("lets nobody write %s, new, declared or not", (path) => {
    for (const kind of ["added", "changed", "deleted"] as const) {
      expect(judge([change(path, { kind })], [path])).toMatchObject({
        failure: "protected-path",
        detail: expect.stringContaining("no task may write them, new or not"),
        paths: [path],
      });
    }
  });

  it.each(NOBODYS)("protects %s from change and deletion, declared or not", (path) => {
    for (const kind of ["changed", "deleted"] as const) {
      expect(judge([change(path, { kind })], [path])).toMatchObject({
        failure: "protected-path",
        paths: [path],
      });
    }
  });

  it.each([...NOBODYS, ...ASKABLE])("protects %s where it is not declared", (path) => {
    for (const kind of ["added", "changed", "deleted"] as const) {
      expect(judge([change(path, { kind })], [])).toMatchObject({ failure: "protected-path" });
    }
  });

  it.each(ASKABLE)(
    "leaves %s, declared, to a person's yes, unless the spec protects it",
    (path) => {
      for (const kind of ["changed", "deleted"] as const) {
        expect(judge([change(path, { kind })], [path])).toBeUndefined();
        expect(judge([change(path, { kind })], [path], [path])).toMatchObject({
          failure: "protected-path",
        });
      }
    },
  );

  it("lets a task make a protected file that it declares and that is new", () => {
    const added = change("test/a.test.mjs", { kind: "added" });
    expect(judge([added], ["test/a.test.mjs"])).toBeUndefined();
  });

  it.each([
    ["docs", "docs/a.md"],
    ["docs/", "docs/deep/a.md"],
    ["*.sql", "schema.sql"],
    ["db/**", "db/x/y.sql"],
    ["**/secret?.txt", "a/b/secret1.txt"],
  ])("protects what the specification names by %s", (pattern, path) => {
    expect(judge([change(path)], [path], [pattern])).toMatchObject({ failure: "protected-path" });
  });

  it.each([
    ["*.sql", "db/schema.sql"],
    ["docs", "docs2/a.md"],
    ["a.c", "abc"],
    ["src/(x)", "src/x"],
  ])("does not protect by %s what it does not name: %s", (pattern, path) => {
    expect(judge([change(path)], [path], [pattern])).toBeUndefined();
  });

  it.each([
    "src/contest.ts",
    "src/latest/a.ts",
    "src/environment.ts",
    "src/gitlab.ts",
    "git/a.ts",
    "src/telemetry/a.ts",
    "fractals/a.ts",
  ])("leaves %s alone", (path) => expect(judge([change(path)], [path])).toBeUndefined());
});
