/** Where a file system can be told to keep folders apart, it is told. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openQuarters } from "../../../src/adapters/sandbox/quarters.ts";
import { spreadBelow } from "../../../src/adapters/sandbox/spread.ts";
import { isFailure } from "../../../src/domain/failure.ts";

const text = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fractal-spread-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it("gives each workspace of a run a part of the disk of its own, on ext4", async ({ skip }) => {
  const cache = aFolder();
  const system = process.platform === "linux" ? text("stat", "-f", "-c", "%T", cache) : "none";
  skip(system !== "ext2/ext3", `${cache} is on ${system}, which has no such mark`);
  execFileSync("chmod", ["755", cache]);
  const quarters = await openQuarters({ runId: "r", cache });
  if (isFailure(quarters)) throw new Error(quarters.detail);
  const marks = text("lsattr", "-d", dirname(await quarters.workspace("a"))).split(" ")[0];
  expect(marks).toContain("T");
  await quarters.close();
});

it("lets a folder that cannot be marked be", async () => {
  await spreadBelow(join(aFolder(), "none"));
});
