/**
 * What a worker or fixer is given for one attempt. Nothing in it depends on time, absolute paths,
 * run ids or the order of siblings: the same task gives the same pack in every run.
 */
import type { AttemptStyle } from "./limits.ts";
import type { Contract } from "./task.ts";

export interface PackFile {
  path: string;
  /** Undefined for a file that does not exist yet. */
  text: string | undefined;
}

export interface Pack {
  key: string;
  contract: Contract;
  /** The requirements it owns, in the words of the spec. */
  requirements: { id: string; text: string }[];
  /** The parts of the spec it needs besides: the title, and definitions it refers to. */
  context: string;
  language: string | undefined;
  /** Its declared files as they stand on the run's branch. */
  files: PackFile[];
  /** What it may build on: each dependency's title, signatures, and result text of a text task. */
  dependencies: { key: string; title: string; declarations: string[]; result?: string }[];
  /** Package names it may import; nothing else is installed. */
  packages: string[];
  /** Answers and advice so far, oldest first. */
  guidance: { from: string; text: string }[];
  /** The attempt before this one in the same episode, when it failed. */
  last?: {
    number: number;
    style: AttemptStyle;
    /** Distilled: the failing cases, not a log. */
    reason: string;
    /** What it had written; a file that others changed since is shown as it is now instead. */
    files: PackFile[];
    /** It met with the others' work: the lines in conflict. */
    conflict?: string;
  };
  /** All failed attempts of the task, a line each, for the fixer and for people. */
  tried: string[];
}
