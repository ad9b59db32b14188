/** Deaths of a small run, and what it does after them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectNoChange, expectWhole, type Outcome, outcomeOf } from "./judge.ts";
import { aSmallRun, type How, KILLED, stepsIn, tellingSteps } from "./small-run.ts";
import type { Story } from "./stories.ts";

/** A story as it goes when nobody disturbs it. */
export interface Undisturbed {
  outcome: Outcome;
  /** The steps of its first process, its second, … */
  steps: string[][];
}

const told = new Map<Story, Promise<Undisturbed>>();

/** Tells a story once, undisturbed; the same promise for the same story. */
export function undisturbed(story: Story): Promise<Undisturbed> {
  const known = told.get(story) ?? tell(story, false);
  told.set(story, known);
  return known;
}

/** Tells a story, `isBare` on a repository where bd has not been. */
export async function tell(story: Story, isBare: boolean): Promise<Undisturbed> {
  using small = await aSmallRun(story, { isBare });
  const notes = mkdtempSync(join(tmpdir(), "fractal-steps-"));
  try {
    const files: string[] = [];
    const ended = await small.finish((process) => {
      files.push(join(notes, `${process}`));
      return tellingSteps(join(notes, `${process}`));
    });
    if (ended.exitCode !== 0) throw new Error(`undisturbed it does not end:\n${ended.all}`);
    const outcome = outcomeOf(small.rig, small.begun()[0] ?? "");
    await expectWhole(small, outcome, 0);
    return { outcome, steps: files.map(stepsIn) };
  } finally {
    rmSync(notes, { recursive: true, force: true });
  }
}

export interface Death {
  story: Story;
  isBare?: boolean;
  /** How the story's processes are started, by their number from 1; the others are left alone. */
  hows: ReadonlyMap<number, How>;
}

/**
 * Tells the story with these deaths in it, and throws unless it ends as if nothing had been and does
 * nothing when it is resumed once more. Returns how many of them really came.
 */
export async function survive({ story, isBare = false, hows }: Death): Promise<number> {
  const { outcome } = await undisturbed(story);
  using small = await aSmallRun(story, { isBare });
  let died = 0;
  const ended = await small.finish(
    (process) => hows.get(process) ?? {},
    (ran) => {
      if (ran.exitCode === KILLED) died += 1;
    },
  );
  if (ended.exitCode !== 0) throw new Error(`it does not go on:\n${ended.all}`);
  await expectWhole(small, outcome, died);
  await expectNoChange(small);
  return died;
}
