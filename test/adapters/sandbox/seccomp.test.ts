/** The filter of system calls: played on paper for both processors, and by the kernel for this one. */
import { existsSync, mkdtempSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { removeTree } from "../../../src/adapters/sandbox/remove.ts";
import { createSandbox } from "../../../src/adapters/sandbox/sandbox.ts";
import { REFUSED, systemCallFilter } from "../../../src/adapters/sandbox/seccomp.ts";
import { isFailure } from "../../../src/domain/failure.ts";

const AUDIT = { x64: 0xc000_003e, arm64: 0xc000_00b7, i386: 0x4000_0003 };
const NUMBERS = {
  x64: { clone: 56, socket: 41, ioctl: 16, personality: 135 },
  arm64: { clone: 220, socket: 198, ioctl: 29, personality: 92 },
};

/** What a program of classic BPF returns for one call, as the kernel would play it. */
function verdictOf(program: Buffer, call: { audit: number; number: number; args?: bigint[] }) {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.audit >>> 0, 4);
  for (const [at, value] of (call.args ?? []).entries()) data.writeBigUInt64LE(value, 16 + 8 * at);
  let loaded = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const [code, jt, jf, k] = [
      program.readUInt16LE(at * 8),
      program.readUInt8(at * 8 + 2),
      program.readUInt8(at * 8 + 3),
      program.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x20) loaded = data.readUInt32LE(k);
    else if (code === 0x15) at += loaded === k ? jt : jf;
    else if (code === 0x35) at += loaded >= k ? jt : jf;
    else if (code === 0x45) at += (loaded & k) !== 0 ? jt : jf;
    else if (code === 0x06) return k;
    else throw new Error(`no such instruction: ${code}`);
  }
  throw new Error("it ends without a verdict");
}

const ALLOWED = 0x7fff_0000;
const KILLED = 0x8000_0000;
const errno = (number: number) => 0x0005_0000 | number;

describe.each(["x64", "arm64"] as const)("the filter for %s", (processor) => {
  const program = systemCallFilter(processor) ?? Buffer.alloc(0);
  const audit = AUDIT[processor];
  const numbers = NUMBERS[processor];
  const verdict = (number: number, ...args: bigint[]) =>
    verdictOf(program, { audit, number, args });

  it("refuses every call of the list, and no other without looking at its arguments", () => {
    const listed = new Map(
      REFUSED.flatMap((one) => {
        const number = one[processor];
        return number === undefined ? [] : [[number, errno(one.errno ?? 1)] as const];
      }),
    );
    expect(listed.size).toBeGreaterThanOrEqual(50);
    for (let number = 0; number < 600; number++) {
      // Of address families 0 is none that is known.
      const expected = number === numbers.socket ? errno(97) : (listed.get(number) ?? ALLOWED);
      expect([number, verdict(number, 0n, 0n, 0n)]).toEqual([number, expected]);
    }
  });

  it("lets threads and processes be made, and no namespace", () => {
    // As glibc makes threads, forks and spawns; Go makes threads.
    for (const flags of [0x3d_0f00n, 0x120_0011n, 0x4111n, 0x5_0f00n]) {
      expect(verdict(numbers.clone, flags)).toBe(ALLOWED);
    }
    for (const bit of [
      0x2_0000n,
      0x200_0000n,
      0x400_0000n,
      0x800_0000n,
      0x1000_0000n,
      0x2000_0000n,
      0x4000_0000n,
    ]) {
      expect(verdict(numbers.clone, bit | 0x11n)).toBe(errno(1));
      // What the kernel does not look at does not hide it.
      expect(verdict(numbers.clone, (0xdeadn << 32n) | bit)).toBe(errno(1));
    }
  });

  it("lets sockets of the local and internet families be made, and no other", () => {
    for (const family of [1n, 2n, 10n]) expect(verdict(numbers.socket, family, 1n)).toBe(ALLOWED);
    expect(verdict(numbers.socket, 16n, 3n, 0n)).toBe(ALLOWED);
    expect(verdict(numbers.socket, 16n, 3n, 12n)).toBe(errno(97));
    for (const family of [17n, 29n, 31n, 38n, 40n, 44n, (1n << 32n) | 40n]) {
      expect(verdict(numbers.socket, family)).toBe(errno(97));
    }
  });

  it("lets no character be typed into a terminal, however the request is written", () => {
    expect(verdict(numbers.ioctl, 0n, 0x5412n)).toBe(errno(1));
    expect(verdict(numbers.ioctl, 0n, 0xdead_beef_0000_5412n)).toBe(errno(1));
    expect(verdict(numbers.ioctl, 0n, 0x541cn)).toBe(errno(1));
    expect(verdict(numbers.ioctl, 0n, 0x5413n)).toBe(ALLOWED);
  });

  it("lets a process ask for its personality, not for memory that is all executable", () => {
    for (const value of [0n, 0xffff_ffffn, 0x4_0000n]) {
      expect(verdict(numbers.personality, value)).toBe(ALLOWED);
    }
    expect(verdict(numbers.personality, 0x40_0000n)).toBe(errno(1));
  });

  it("ends what calls as another processor does", () => {
    const other = processor === "x64" ? AUDIT.arm64 : AUDIT.x64;
    for (const audit of [AUDIT.i386, other]) {
      expect(verdictOf(program, { audit, number: 1 })).toBe(KILLED);
    }
  });
});

it("refuses the second set of numbers that x64 has for the same calls", () => {
  const program = systemCallFilter("x64") ?? Buffer.alloc(0);
  for (const number of [0x4000_0000, 0x4000_0000 + 521, 0xffff_ffff]) {
    expect(verdictOf(program, { audit: AUDIT.x64, number })).toBe(errno(1));
  }
});

it("is not there for a processor nobody wrote one for", () => {
  expect(systemCallFilter("riscv64")).toBeUndefined();
});

it("is carried by every command, and the kernel refuses what it names", async ({ skip }) => {
  if (!existsSync("/usr/bin/perl")) skip("there is no perl to make system calls with");
  const cache = mkdtempSync(join(tmpdir(), "fractal-seccomp-"));
  await chmod(cache, 0o755);
  try {
    const sandbox = await createSandbox({
      mode: "contained",
      checkout: cache,
      root: ".",
      runId: "s",
      cache,
    });
    if (isFailure(sandbox)) throw new Error(sandbox.detail);
    const folder = await sandbox.workspace("w");
    const processor = process.arch as "x64" | "arm64";
    const calls = REFUSED.flatMap((one) => {
      const number = one[processor];
      return number === undefined ? [] : [{ ...one, number }];
    });
    const script =
      "for (@ARGV) { my $r = syscall($_, 0, 0, 0, 0, 0, 0); print $_, ' ', ($r == -1 ? $! + 0 : 0), \"\\n\" }";
    const ran = await sandbox.run(
      {
        folder,
        argv: ["perl", "-e", script, ...calls.map((call) => String(call.number))],
        timeoutMs: 20_000,
        outputBytesMax: 100_000,
      },
      new AbortController().signal,
    );
    if (isFailure(ran)) throw new Error(ran.detail);
    const expected = calls.map((call) => `${call.number} ${call.errno ?? 1}`);
    expect(ran.stdout.trim().split("\n")).toEqual(expected);
    await sandbox.close();
  } finally {
    await removeTree(cache);
  }
});
