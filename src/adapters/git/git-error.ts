/** What git could not do, as an error; where the disk was in the way, with the code Node gives such. */
import { harmless } from "../../domain/harmless.ts";
import type { LivingGit } from "./living-git.ts";

/** The C library's words, which git ends its own with; its messages are asked for in English. */
const DISK_WORDS: readonly (readonly [words: string, code: string])[] = [
  ["No space left on device", "ENOSPC"],
  ["Disk quota exceeded", "EDQUOT"],
  ["Input/output error", "EIO"],
  ["Read-only file system", "EROFS"],
  ["Permission denied", "EACCES"],
];

/** A git command that did not do what was asked. */
export class GitError extends Error {
  /** Node's code where the disk was in the way. */
  readonly code?: string;
  /** Undefined where git was killed, or did not start. */
  readonly exitCode: number | undefined;
  /** What it wrote to standard error. */
  readonly stderr: string;

  constructor(what: string, stderr: string, exitCode?: number) {
    super(`${what}: ${stderr}`);
    const code = DISK_WORDS.find(([words]) => stderr.includes(words))?.[1];
    if (code !== undefined) this.code = code;
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** `update-ref` of `-c a=b update-ref …`: what a git command is called in a message. */
export function verbIn(args: readonly string[]): string {
  return args.find((arg, at) => !arg.startsWith("-") && args[at - 1] !== "-c") ?? "";
}

/** Locks of git stand in the way that are not ours to remove: the environment, and not a bug. */
export class GitLocked extends Error {
  /** Absolute paths. */
  readonly paths: readonly string[];

  /** `by` are the processes that may have them, as far as they are known. */
  constructor(paths: readonly string[], by: readonly LivingGit[] = []) {
    const who = by.map(({ pid, command }) => `process ${pid} (${harmless(command)})`);
    const holder = who.length === 0 ? "" : `, which ${who.join(" or ")} may have`;
    super(`git is locked by ${paths.join(" and ")}${holder}`);
    this.paths = paths;
  }
}
