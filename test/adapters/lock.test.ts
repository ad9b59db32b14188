/** One controller a repository, by real processes: the kernel lets go when one dies. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { takeLock } from "../../src/adapters/lock.ts";

const top = mkdtempSync(join(tmpdir(), "fractal-lock-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let made = 0;
const gitDir = () => {
  made += 1;
  return join(top, `${made}`);
};

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A process that tries to take the lock, says how that went, and holds on. */
async function other(folder: string): Promise<{ said: string; child: ChildProcess }> {
  const script = `
    import { takeLock } from ${JSON.stringify(join(import.meta.dirname, "../../src/adapters/lock.ts"))};
    const lock = takeLock(${JSON.stringify(folder)});
    process.stdout.write(lock === undefined ? "refused" : "held");
    if (lock === undefined) process.exit(0);
    process.stdin.resume().on("end", () => { lock.release(); process.stdout.write("released"); });
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  const [said] = await once(child.stdout as NodeJS.ReadableStream, "data");
  return { said: String(said), child };
}

describe("the lock", () => {
  it("is held by one process; a second is refused, and told at once", async () => {
    const folder = gitDir();
    expect((await other(folder)).said).toBe("held");
    expect(takeLock(folder)).toBeUndefined();
    expect((await other(folder)).said).toBe("refused");
  });

  it("is free again the moment its process was killed", async () => {
    const folder = gitDir();
    for (let round = 0; round < 3; round++) {
      const { said, child } = await other(folder);
      expect(said).toBe("held");
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const mine = takeLock(folder);
    expect(mine).toBeDefined();
    mine?.release();
  });

  it("is free again when it is let go, its process living on", async () => {
    const folder = gitDir();
    const { child } = await other(folder);
    child.stdin?.end();
    const [said] = await once(child.stdout as NodeJS.ReadableStream, "data");
    expect(String(said)).toBe("released");
    const mine = takeLock(folder);
    expect(mine).toBeDefined();
    mine?.release();
  });

  it("is refused a second time within one process too", () => {
    const folder = gitDir();
    const mine = takeLock(folder);
    expect(takeLock(folder)).toBeUndefined();
    mine?.release();
    const again = takeLock(folder);
    expect(again).toBeDefined();
    again?.release();
  });

  it("is another one for another repository, and lies in its git folder", () => {
    const [one, two] = [gitDir(), gitDir()];
    const locks = [takeLock(one), takeLock(two)];
    expect(locks.every((lock) => lock !== undefined)).toBe(true);
    expect(existsSync(join(one, "fractal", "lock.db"))).toBe(true);
    for (const lock of locks) lock?.release();
  });
});
