/** The written specification: its requirements with their lines, and what its front matter says. */
import type { Budgets } from "./budget.ts";
import type { Check } from "./check.ts";

export type RequirementId = string;

/** One requirement: a heading's own text, a list item or a paragraph, known by a stable id. */
export interface Requirement {
  /** Explicit (`R2.3:`) or heading-and-position (`s2.3`). */
  id: RequirementId;
  text: string;
  /** Heading texts from the title down. */
  headings: string[];
  /** First and last line in the file, from 1. */
  line: number;
  lineEnd: number;
}

/** A heading and what stands under it: the outline a long document is planned on first. */
export interface Section {
  title: string;
  depth: number;
  line: number;
  requirements: RequirementId[];
  sections: Section[];
}

export interface Spec {
  /** As the user named it; `-` for stdin. */
  path: string;
  /** The Markdown without front matter. */
  text: string;
  /** SHA-256 of the bytes. */
  hash: string;
  title: string;
  /** The folder the work is confined to, relative to the repository; `.` for all of it. */
  root: string;
  language: string | undefined;
  checks: Check[];
  /** Path patterns no task may touch. */
  protectedPaths: string[];
  /** Ignored dependency folders to show read-only in the sandbox. */
  mounts: string[];
  /** What its tasks need from outside the sandbox. */
  needs: string[];
  /** What a run of it may use up, at most. */
  budget: Budgets;
  requirements: Requirement[];
  outline: Section;
}

/** A problem with an input file, with the line (from 1) and column where known. */
export interface InputProblem {
  file: string;
  line?: number;
  column?: number;
  message: string;
}
