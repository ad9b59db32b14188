/** One controller a repository, by real processes: the kernel lets go when one dies. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { sharedFileSystem, sharedFileSystemOf } from "../../src/adapters/file-system.ts";
import { isLockHeld, type Lock, takeLock } from "../../src/adapters/lock.ts";
import { isFailure } from "../../src/domain/failure.ts";

const top = mkdtempSync(join(tmpdir(), "fractal-lock-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let made = 0;
const gitDir = () => {
  made += 1;
  const folder = join(top, `${made}`);
  mkdirSync(folder);
  return folder;
};

/** The lock, or undefined when it is held. */
function take(folder: string): Lock | undefined {
  const lock = takeLock(folder);
  if (isFailure(lock)) throw new Error(lock.detail);
  return lock;
}

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
    expect(take(folder)).toBeUndefined();
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
    const mine = take(folder);
    expect(mine).toBeDefined();
    mine?.release();
  });

  it("is free again when it is let go, its process living on", async () => {
    const folder = gitDir();
    const { child } = await other(folder);
    child.stdin?.end();
    const [said] = await once(child.stdout as NodeJS.ReadableStream, "data");
    expect(String(said)).toBe("released");
    const mine = take(folder);
    expect(mine).toBeDefined();
    mine?.release();
  });

  it("is refused a second time within one process too", () => {
    const folder = gitDir();
    const mine = take(folder);
    expect(take(folder)).toBeUndefined();
    mine?.release();
    const again = take(folder);
    expect(again).toBeDefined();
    again?.release();
  });

  it("is another one for another repository, and lies in its git folder", () => {
    const [one, two] = [gitDir(), gitDir()];
    const locks = [take(one), take(two)];
    expect(locks.every((lock) => lock !== undefined)).toBe(true);
    expect(existsSync(join(one, "fractal", "lock.db"))).toBe(true);
    for (const lock of locks) lock?.release();
  });
});

describe("whether the lock is held", () => {
  it("is told without taking it, and without a trace", async () => {
    const folder = gitDir();
    expect(isLockHeld(folder)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
    const { child } = await other(folder);
    expect(isLockHeld(folder)).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isLockHeld(folder)).toBe(false);
  });

  it("may be asked all the time without anybody being refused the lock for it", async () => {
    const folder = gitDir();
    take(folder)?.release();
    const script = `
      import { isLockHeld } from ${JSON.stringify(join(import.meta.dirname, "../../src/adapters/lock.ts"))};
      process.stdout.write("asking");
      for (;;) isLockHeld(${JSON.stringify(folder)});
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
    children.push(child);
    await once(child.stdout, "data");
    for (let round = 0; round < 200; round++) {
      const mine = take(folder);
      expect(mine, `round ${round}`).toBeDefined();
      mine?.release();
    }
  });
});

describe("a file system shared between machines", () => {
  it("is refused, with what to do, and nothing is made on it", () => {
    const folder = gitDir();
    expect(takeLock(folder, () => "NFS")).toMatchObject({
      failure: "capability-missing",
      detail: expect.stringMatching(/is on NFS.*clone on a local disk/),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ["nfs4", 0x6969, "NFS"],
    ["cifs", 0xff534d42, "CIFS"],
    ["cifs", -0xacb2be, "CIFS"],
    ["smb3", 0xfe534d42, "SMB2"],
    ["9p", 0x01021997, "9P"],
    ["fuse.sshfs", 0x65735546, "sshfs"],
    ["fuse.rclone", 0x65735546, "rclone"],
  ])("is known by its type: %s", (mount, type, name) => {
    expect(sharedFileSystem(type, mount)).toBe(name);
  });

  it.each([
    ["ext4", 0xef53],
    ["xfs", 0x58465342],
    ["btrfs", 0x9123683e],
    ["overlay", 0x794c7630],
    ["tmpfs", 0x01021994],
    ["zfs", 0x2fc12fc1],
    // ntfs-3g and exfat-fuse: a disk of this machine, driven from user space.
    ["fuseblk", 0x65735546],
    ["virtiofs", 0x65735546],
  ])("is not %s", (mount, type) => {
    expect(sharedFileSystem(type, mount)).toBeUndefined();
  });

  it("is not what the tests run on, and any mount can be looked at", () => {
    expect(sharedFileSystemOf(top)).toBeUndefined();
    for (const folder of ["/", "/proc", "/dev"]) {
      expect(sharedFileSystemOf(folder)).toBeUndefined();
    }
  });
});
