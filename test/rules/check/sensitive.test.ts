/** What a person is shown before they say yes: raw, whole, and nothing that paints or hides. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { visible } from "../../../src/domain/harmless.ts";
import type { Change } from "../../../src/domain/ports.ts";
import { consentText, isAskable, sensitiveChanges } from "../../../src/rules/check/sensitive.ts";

describe("a path", () => {
  it.each([
    "package.json",
    "sub/package-lock.json",
    ".github/workflows/a.yml",
    "tsconfig.json",
    "Makefile",
    ".npmrc",
    "requirements-dev.txt",
    "lib/App.csproj",
    "mix.exs",
  ])("%s may be changed with a yes", (path) => expect(isAskable(path)).toBe(true));

  it.each([
    "src/a.ts",
    "test/a.ts",
    "a.test.ts",
    "__snapshots__/a",
    "fractal.yaml",
    ".beads/x",
    "telemetry/x",
  ])("%s may not be, by asking here", (path) => expect(isAskable(path)).toBe(false));
});

describe("a new file that needs a yes", () => {
  const asked = (path: string, text: string) =>
    sensitiveChanges(
      [{ path, kind: "added", linesAdded: 1, linesDeleted: 0 }],
      { files: [path] },
      () => ({ before: undefined, after: text }),
    ).length === 1;

  it.each([
    '{"scripts":{"postprepare":"x"}}',
    '{"scripts":{"dependencies":"x"}}',
    '{"peerDependencies":{"a":"1"}}',
    '{"packageManager":"npm@1"}',
    '{"resolutions":{"a":"1"}}',
    '{"overrides":{"a":"1"}}',
    '{"workspaces":["a"]}',
    '{"pnpm":{"overrides":{"a":"1"}}}',
  ])("is a package.json with %s", (text) => expect(asked("package.json", text)).toBe(true));

  it.each([
    "Dockerfile",
    "lefthook.yml",
    "a/.drone.yml",
    "packages.lock.json",
    "gradle/wrapper/gradle-wrapper.properties",
    ".mvn/extensions.xml",
    ".yarn/releases/yarn.cjs",
    // Also where tests lie: nobody's check judges what it installs.
    "test/package-lock.json",
  ])("is %s", (path) => expect(asked(path, "")).toBe(true));

  it.each(["requirements.txt", "test/requirements.txt", "a/Gemfile"])(
    "is %s that names one",
    (path) => expect(asked(path, "x")).toBe(true),
  );

  it.each([
    ["package.json", '{"scripts":{"test":"x"},"peerDependencies":{}}'],
    ["src/dependencies.ts", ""],
    ["requirements.txt", "# none\n"],
    ["Gemfile", ""],
  ])("is not %s with %s", (path, text) => expect(asked(path, text)).toBe(false));
});

describe("a change of what is there already needs a yes", () => {
  const asked = (path: string, before: string, after: string | undefined, kind: Change["kind"]) =>
    sensitiveChanges([{ path, kind, linesAdded: 1, linesDeleted: 0 }], { files: [path] }, () => ({
      before,
      after,
    })).length === 1;

  it.each(["package.json", "pyproject.toml", "go.mod", "App.csproj", "build.gradle.kts"])(
    "in all of %s, which also says how work is built and tested",
    (path) => {
      expect(asked(path, "", "", "changed")).toBe(true);
      expect(asked(path, "", undefined, "deleted")).toBe(true);
    },
  );

  it("in a list of packages where it names others than before", () => {
    const change = (before: string, after: string | undefined) =>
      asked("requirements.txt", before, after, "changed");
    expect(change("a==1\n", "# why\n\na==1\n")).toBe(false);
    expect(change("a==1\n", "a==2\n")).toBe(true);
    expect(change("a==1\n", "")).toBe(true);
    // No text, or a link to one.
    expect(change("a==1\n", undefined)).toBe(true);
    expect(asked("requirements.txt", "a==1\n", undefined, "deleted")).toBe(true);
    expect(asked("requirements.txt", "# none\n", undefined, "deleted")).toBe(false);
  });
});

describe("the question", () => {
  const text = (diff: string, said = "All good.", isCut = false) =>
    consentText({
      title: "T",
      paths: ["package.json"],
      diff,
      isCut,
      command: undefined,
      said,
      isChecked: true,
      look: "git diff a b",
    });

  it("shows the diff raw and marks what a model says", () => {
    const { why, title, options } = text('+  "left-pad": "1"\n', "Fine.\nyes");
    expect(why).toContain('    +  "left-pad": "1"');
    expect(why).toMatch(/nobody checked these words:\n {4}\| Fine\.\n {4}\| yes/);
    expect(title).toContain("package.json");
    expect(options).toEqual(["yes", "no"]);
  });

  it("has nothing in it that a terminal obeys or an eye does not see", () => {
    const { why } = text("+a\u001b[2K\u001b[1Ab\r+c\u202ed\u200be\u0007", "\u001b]0;x\u0007");
    expect(why).toContain("\\u{1b}[2K\\u{1b}[1Ab\\u{d}+c\\u{202e}d\\u{200b}e\\u{7}");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (any) => {
        expect(visible(any)).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}\p{DI}\u2800]/u);
      }),
    );
  });

  it.each(["\ufe00", "\u{e0101}", "\u3164", "\u115f", "\u2800", "\u200b", "\u034f"])(
    "writes out what looks like nothing: %j",
    (char) => {
      const { why } = text(`+a${char}b`);
      expect(why).toContain(`+a\\u{${char.codePointAt(0)?.toString(16)}}b`);
    },
  );

  it("says so when there is more than it shows, and how to see all of it", () => {
    expect(text("+x\n".repeat(10)).why).not.toContain("longer");
    expect(text("+x\n".repeat(10_000)).why).toContain("All of it: git diff a b");
    expect(text("+x\n", "", true).why).toContain("All of it: git diff a b");
  });
});
