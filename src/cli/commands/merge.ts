/** `fractal merge`: takes what a run made into the branch the user is on. */
import { totalText } from "../../view/diff.ts";
import { count } from "../../view/text.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal } from "../exit.ts";
import type { MergeEnd } from "../merging.ts";

/** Nothing is asked: what it does is told with the command that undoes it. */
export async function mergeCommand(
  context: Context,
  run: string | undefined,
  flags: { anyway?: boolean; ff?: boolean },
): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  const end = await wire.mergeRun({
    dir,
    ...(run === undefined ? {} : { run }),
    // Commander turns --no-ff into `ff: false`.
    commits: flags.ff === false,
    anyway: flags.anyway === true,
    by: context.person,
    secrets: context.secrets,
  });
  if (isRefusal(end)) return out.refuse(end);
  if (end.earlier === "undone") {
    out.note("An earlier merge was cut off; what it had begun was put back first.");
  }
  if (end.untold !== undefined) {
    out.note(
      `This is not in the run's journal: ${end.untold}\nfractal merge writes it when it can.`,
    );
  }
  const { work, into, how, before, after } = end;
  const { state, commits, tip } = work;
  const changes =
    how === "already" ? [] : await work.changes(before === "" ? work.base : before, after);
  const undo = undoOf(end);
  out.show(
    () => ({
      run: state.runId,
      branch: state.branch,
      into,
      how,
      before: before || null,
      after,
      tip,
      journaled: end.untold === undefined,
      undo,
    }),
    () =>
      how === "already"
        ? `${state.branch} is merged into ${into} already.`
        : [
            `Merged ${state.branch} into ${into}: ${count(commits.size, "commit")}, ${totalText(changes)}${how === "merge" ? ", by a merge commit" : ", fast-forward"}.`,
            `  → ${undo}   # undoes it`,
          ].join("\n"),
  );
  return EXIT.done;
}

/** Changes made since stay, and where they are in the way git says so. */
function undoOf({ how, before }: MergeEnd): string | null {
  if (how === "already") return null;
  return before === ""
    ? "git update-ref -d HEAD && git rm -r --cached --quiet ."
    : `git reset --keep ${before.slice(0, 12)}`;
}
