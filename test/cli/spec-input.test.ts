/** What may be a specification, and how everything else is refused. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { isRefusal } from "../../src/cli/exit.ts";
import { parseSpecInput, readSpecInput, SPEC_BYTES_MAX } from "../../src/cli/spec-input.ts";

const top = mkdtempSync(join(tmpdir(), "fractal-spec-"));
const dir = join(top, "docs");
mkdirSync(dir);

function read(path: string, stdin: Readable & { isTTY?: boolean } = Readable.from([])) {
  return readSpecInput({ path, dir, top, stdin });
}

describe("reading a specification", () => {
  it("knows it by its path from the top folder and the hash of its bytes", async () => {
    const bytes = "\uFEFF# Ünï\n\n- R1: it works.\n";
    writeFileSync(join(dir, "spec.md"), bytes);
    expect(await read("spec.md")).toEqual({
      path: "docs/spec.md",
      file: join(dir, "spec.md"),
      text: bytes.slice(1),
      hash: createHash("sha256").update(bytes).digest("hex"),
    });
  });

  it("reads `-` from stdin, in pieces that split a character", async () => {
    const bytes = Buffer.from("# Ünï\n");
    const input = await read("-", Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]));
    expect(input).toMatchObject({ path: "-", text: "# Ünï\n" });
  });

  it("keeps the whole path of a file outside the repository", async () => {
    const other = join(mkdtempSync(join(tmpdir(), "fractal-other-")), "spec.md");
    writeFileSync(other, "# Other\n");
    expect(await read(other)).toMatchObject({ path: other });
  });

  it.each([
    ["a file that is not there", "nope.md", /does not exist/],
    ["a folder", ".", /is not a file/],
    ["bytes that are no text", "latin.md", /not UTF-8/],
    ["five megabytes", "huge.md", /larger than 1 MB/],
  ])("refuses %s, exit 2", async (_, path, message) => {
    writeFileSync(join(dir, "latin.md"), Buffer.from([0x23, 0x20, 0xfc, 0x0a]));
    writeFileSync(join(dir, "huge.md"), "x".repeat(5 * SPEC_BYTES_MAX));
    const refusal = await read(path);
    if (!isRefusal(refusal)) throw new Error("it was accepted");
    expect(refusal.exit).toBe(2);
    expect(refusal.what).toMatch(message);
  });

  it("names the file beside a missing one that was probably meant", async () => {
    writeFileSync(join(dir, "price-list.md"), "# Prices\n");
    expect(await read("pricelist.md")).toMatchObject({ next: ["did you mean price-list.md?"] });
    expect(await read("other.md")).toMatchObject({
      next: [expect.stringContaining("fractal run")],
    });
    expect(await read("none/price-list.md")).toMatchObject({
      what: "none/price-list.md does not exist",
    });
  });

  it("does not wait for a terminal, and does not read an endless stdin to its end", async () => {
    const terminal = Object.assign(new Readable({ read() {} }), { isTTY: true });
    expect(await read("-", terminal)).toMatchObject({ refusal: true, exit: 2 });
    const endless = new Readable({
      read() {
        this.push("x".repeat(65_536));
      },
    });
    expect(await read("-", endless)).toMatchObject({ refusal: true, exit: 2 });
  });
});

describe("a text that is no specification", () => {
  it.each([
    ["empty", " \n", "docs/spec.md is empty"],
    ["binary", "# a\u0000b\n", "docs/spec.md is not a text file"],
    [
      "with front matter that does not fit",
      "---\nroot: src\nchekcs: {}\n---\n# A\n\n- R1: x\n",
      "docs/spec.md:3:1 unknown key `chekcs`",
    ],
  ])("is refused when it is %s, with its place", (_, text, message) => {
    const refusal = parseSpecInput({ path: "docs/spec.md", text, hash: "h" });
    if (!isRefusal(refusal)) throw new Error("it was accepted");
    expect(refusal.exit).toBe(2);
    expect(refusal.where.join("\n")).toContain(message);
  });
});
