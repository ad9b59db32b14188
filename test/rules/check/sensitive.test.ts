/** What a person is shown before they say yes: raw, whole, and nothing that paints or hides. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { visible } from "../../../src/domain/harmless.ts";
import { consentText, isAskable, sensitiveChanges } from "../../../src/rules/check/sensitive.ts";

describe("a path", () => {
  it.each([
    "package.json",
    "sub/package-lock.json",
    ".github/workflows/a.yml",
    "tsconfig.json",
    "Makefile",
    ".npmrc",
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
      () => text,
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
    "requirements.txt",
    "Gemfile",
    "setup.py",
    "Dockerfile",
    "lefthook.yml",
    "a/.drone.yml",
  ])("is %s", (path) => expect(asked(path, "")).toBe(true));

  it.each([
    ["package.json", '{"scripts":{"test":"x"},"peerDependencies":{}}'],
    ["src/dependencies.ts", ""],
  ])("is not %s with %s", (path, text) => expect(asked(path, text)).toBe(false));
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
