/** A disk that is really full: a file system of 64 KB, and a limit on the size of files. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "fractal-full-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const child = join(import.meta.dirname, "fill-disk.ts");

function run(...argv: string[]) {
  const [command = "", ...args] = argv;
  return spawnSync(command, args, { encoding: "utf8", timeout: 60_000 });
}

/** A namespace of its own for mounts, as root or by a user namespace; undefined where neither may be. */
function unshareOf(): string[] | undefined {
  return [
    ["unshare", "-m"],
    ["unshare", "-rm"],
  ].find((unshare) => run(...unshare, "mount", "-t", "tmpfs", "tmpfs", folder).status === 0);
}
const unshare = unshareOf();
if (unshare === undefined)
  process.stderr.write("skipped: a small file system cannot be mounted here\n");
const hasPrlimit = run("prlimit", "--version").status === 0;
if (!hasPrlimit) process.stderr.write("skipped: there is no prlimit here\n");

describe("a full disk", () => {
  it.skipIf(unshare === undefined)(
    "leaves a good journal, and a run goes on when there is room",
    () => {
      const script = `mount -t tmpfs -o size=64k tmpfs "$1" && exec "$2" "$3" "$1"`;
      const ran = run(
        ...(unshare ?? []),
        "sh",
        "-c",
        script,
        "sh",
        folder,
        process.execPath,
        child,
      );
      expect(ran.stderr).toBe("");
      const found = JSON.parse(ran.stdout);
      expect(found.appended).toBeGreaterThan(5);
      expect(found).toMatchObject({
        isDiskTrouble: true,
        message: expect.stringMatching("ENOSPC"),
        isBlobTrouble: true,
        read: found.appended,
        left: [],
        resumed: true,
      });
    },
  );

  it.skipIf(!hasPrlimit)("and a file that may not grow, leave a good journal too", () => {
    const ran = run("prlimit", "--fsize=40000", process.execPath, child, folder);
    expect(ran.stderr).toBe("");
    const found = JSON.parse(ran.stdout);
    expect(found.appended).toBeGreaterThan(5);
    expect(found).toMatchObject({
      isDiskTrouble: true,
      message: expect.stringMatching("EFBIG"),
      isBlobTrouble: true,
      read: found.appended,
      left: [],
    });
  });
});
