/** Work that brings a secret into the repository is refused by file and line, and never by value. */
import { describe, expect, it } from "vitest";
import { compileScrubber } from "../../../src/rules/secrets/scrubber.ts";
import { judgeSecrets } from "../../../src/rules/secrets/work.ts";
import { drawer, keyFormats } from "../../support/secret-formats.ts";

const value = drawer(1)(24);
const scrubber = compileScrubber([{ name: "DSN", value }]);
const KEYS = keyFormats(2);
const judge = (before: string | undefined, after: string, path = "src/a.mjs") =>
  judgeSecrets([{ path, before, after }], [], scrubber);

describe("work", () => {
  it.each(KEYS)("that adds a key of the kind $name is refused", ({ name, written, secret }) => {
    const failure = judge("const a = 1;\n", `const a = 1;\nconst b = \`${written}\`;\n`);
    expect(failure).toMatchObject({ failure: "holds-secret", paths: ["src/a.mjs"] });
    expect(failure?.detail).toContain(`- src/a.mjs:2 ${name}`);
    expect(failure?.detail).not.toContain(secret.slice(0, 20));
  });

  it("that adds a known value is refused, also in a new file", () => {
    expect(judge(undefined, `x\n\n${value}`)?.detail).toContain("- src/a.mjs:3 DSN");
    expect(judge(undefined, Buffer.from(value).toString("base64"))?.detail).toContain(":1 DSN");
  });

  it("may leave, move or delete what the file held already", () => {
    expect(judge(`a ${value}\n`, `b\nc ${value}\n`)).toBeUndefined();
    expect(judge(`a ${value}\n`, "a\n")).toBeUndefined();
  });

  it("with a mark where a secret was taken out of the model's words is refused", () => {
    const failure = judge("a [secret DSN]\n", "a [secret DSN]\nb [secret github-token]\n");
    expect(failure?.detail).toContain("- src/a.mjs:2 secret github-token");
    expect(judge("a [secret DSN]\n", "c\na [secret DSN]\n")).toBeUndefined();
  });

  it("that is a text may speak of marks, and still hold no secret", () => {
    expect(judge(undefined, "[secret DSN] is used", ".results/a.md")).toBeUndefined();
    expect(judge(undefined, value, ".results/a.md")).toMatchObject({ failure: "holds-secret" });
  });

  it.each(KEYS)("that names a new file after a key of the kind $name is refused", (key) => {
    const path = `src/${key.written}.mjs`;
    const failure = judge(undefined, "x", path);
    expect(failure?.failure).toBe("holds-secret");
    expect(failure?.detail).toContain(`, its name: ${key.name}`);
    expect(JSON.stringify(failure)).not.toContain(key.secret.slice(0, 20));
  });

  it("may use a name that was there: change the file, move it, add another beside it", () => {
    const [before, beside] = [`a/${value}/b.mjs`, `a/${value}/c.mjs`];
    expect(judgeSecrets([{ path: before, before: "x", after: "y" }], [], scrubber)).toBeUndefined();
    const added = { path: beside, before: undefined, after: "y" };
    expect(judgeSecrets([added], [before], scrubber)).toBeUndefined();
    expect(judgeSecrets([added], ["a/b.mjs"], scrubber)).toMatchObject({
      failure: "holds-secret",
      paths: ["a/[secret DSN]/c.mjs"],
    });
  });

  it("is judged in one look, however many places there are", () => {
    const marks = "[secret DSN]\n".repeat(100_000);
    expect(judge(undefined, marks)?.detail).toContain("- src/a.mjs:20 secret DSN");
  });

  it("names every place, up to a bound", () => {
    const lines = Array.from({ length: 30 }, (_, at) => `ghp_${drawer(100 + at)(36)}`);
    expect(judge(undefined, lines.join("\n"))?.detail).toContain("- and 10 more");
  });
});
