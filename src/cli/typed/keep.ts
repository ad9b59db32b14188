/** The commands for what a run made: seen, merged, and cleared away, as they are typed. */
import { type Command, InvalidArgumentError } from "commander";
import type { DiffFlags } from "../commands/diff.ts";
import type { GcFlags } from "../commands/gc.ts";
import type { World } from "../context.ts";
import { examples } from "../help.ts";
import { contextFor, type End } from "./end.ts";

export function addDiff(program: Command, world: World, end: End): void {
  program
    .command("diff [id]")
    .description("what a run changed since it began, or what one task did")
    .option("--stat", "the files and how many lines, not the lines")
    .option("--attempt <n>", "what this attempt left, merged or not", (text) => {
      if (!/^[1-9]\d*$/.test(text))
        throw new InvalidArgumentError("It is the number of an attempt.");
      return Number(text);
    })
    .option("--run <run>", "of this run instead of the open or newest one")
    .addHelpText(
      "after",
      "\nOf a task of which nothing is merged, it shows what its last attempt left.\nPiped, it is a patch for git apply.",
    )
    .addHelpText(
      "after",
      examples([
        ["fractal diff", "all that the open run, or the newest one, changed"],
        ["fractal diff a1.b2 --stat", "the files of one task, and of all below it"],
        ["fractal diff a1.b2 --attempt 1 | git apply", "takes what was rejected all the same"],
      ]),
    )
    .action(async (id: string | undefined, flags: DiffFlags, command: Command) => {
      const { diffCommand } = await import("../commands/diff.ts");
      end(await diffCommand(contextFor(command, world), id, flags));
    });
}

export function addMerge(program: Command, world: World, end: End): void {
  program
    .command("merge [run]")
    .description("take what a run made into the branch you are on")
    .option("--no-ff", "make a merge commit also where a fast-forward would do")
    .option("--anyway", "also when the run is not done, or changed since it was checked")
    .addHelpText(
      "after",
      "\nIt is git merge, with your settings and hooks, whole or not at all. Exit codes:\n0 merged, or merged already; 1 both changed the same lines, or git or a hook of\nyours said no; 2 the run is not done, there are changes in no commit, HEAD is\ndetached, or there is no such run; 6 the run's branch is gone.",
    )
    .addHelpText(
      "after",
      examples([
        ["fractal merge", "the open run, or the newest one"],
        ["fractal merge k3f9x2 --no-ff", "this run, as one merge commit"],
        ["fractal merge --anyway", "what an unfinished run has so far"],
      ]),
    )
    .action(
      async (
        run: string | undefined,
        flags: { anyway?: boolean; ff?: boolean },
        command: Command,
      ) => {
        const { mergeCommand } = await import("../commands/merge.ts");
        end(await mergeCommand(contextFor(command, world), run, flags));
      },
    );
}

export function addGc(program: Command, world: World, end: End): void {
  program
    .command("gc [run...]")
    .description("list what ended runs left, and remove what you choose")
    .option("-n, --dry-run", "only list")
    .option("--branches", "their branches too; one that is merged nowhere needs --unmerged as well")
    .option("--telemetry", "their journals too: what was asked, answered, checked and paid")
    .option("--unmerged", "also what is the only copy of work that was not merged")
    .addHelpText(
      "after",
      "\nWithout flags: workspaces, and attempts whose work is on a branch. A run that is\nopen, or whose journal is damaged, keeps everything; so does one whose journal\nis not here, unless it is named. Of your cache: what no run of yours used for\n30 days, while none is at work. It asks first; -y agrees.\nExit codes: 0 done, 2 nobody was there to be asked, or a run is at work.",
    )
    .addHelpText(
      "after",
      examples([
        ["fractal gc --dry-run", "what there is, whose, how big, how old"],
        ["fractal gc --branches --telemetry", "all but unmerged work; asks first"],
        ["fractal gc k3f9x2 --unmerged -y", "one run, with attempts that did not make it"],
      ]),
    )
    .action(async (runs: string[], flags: GcFlags, command: Command) => {
      const { gcCommand } = await import("../commands/gc.ts");
      end(await gcCommand(contextFor(command, world), runs, flags));
    });
}
