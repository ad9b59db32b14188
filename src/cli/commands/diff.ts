/** `fractal diff`: what a run changed, or what one task did. */
import type { Change } from "../../domain/ports.ts";
import { type Piece, pieceOfAttempt, piecesOf } from "../../rules/work/patches.ts";
import { renderPatch, renderStat } from "../../view/diff.ts";
import { count, oneLine } from "../../view/text.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal, type Refusal, refuse } from "../exit.ts";
import { resolveTask } from "../resolve-id.ts";
import type { RunWork } from "../work.ts";

export interface DiffFlags {
  run?: string;
  attempt?: number;
  stat?: boolean;
}

/** A piece with what is in it. */
interface Shown {
  piece: Omit<Piece, "task"> & { task: string | null };
  patch: string;
  changes: Change[];
}

/** Exit 0 whether or not something changed, as with git. */
export async function diffCommand(
  context: Context,
  id: string | undefined,
  flags: DiffFlags,
): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  // A run is named as a task is: by what stands first.
  const isRun = id !== undefined && (await wire.isRun({ dir, run: id }));
  const run = flags.run ?? (isRun ? id : undefined);
  const work = await wire.openRunWork({ dir, run });
  if (isRefusal(work)) return out.refuse(work);
  const pieces = chosen(work, id, flags);
  if (isRefusal(pieces)) return out.refuse(pieces);
  const shown: Shown[] = [];
  for (const piece of pieces) {
    const patch = await work.patch(piece.from, piece.to);
    const kept = piece.patch === undefined ? undefined : work.blob(piece.patch);
    if ((patch ?? kept) === undefined) return out.refuse(refuseGone(work, piece));
    // A patch is all that is left where the commit was collected.
    const changes = patch === undefined ? [] : await work.changes(piece.from, piece.to);
    shown.push({ piece, patch: patch ?? kept ?? "", changes });
  }
  if (out.json) {
    out.show(
      () => diffJson(work, shown),
      () => "",
    );
    return EXIT.done;
  }
  if (shown.every(({ patch }) => patch === "")) {
    out.note(
      shown.length === 0 ? "Nothing is done yet, and nothing was kept." : "Nothing changed.",
    );
    return EXIT.done;
  }
  for (const { piece, changes } of shown.length === 1 ? shown : []) {
    if (!piece.merged) {
      out.note(
        `Not merged: attempt ${piece.attempt} of ${piece.task}, ${count(changes.length, "file")}.`,
      );
    }
  }
  const texts = shown.map(({ piece, patch, changes }) => {
    const head = shown.length === 1 ? [] : [`# ${piece.task} ${oneLine(piece.title)}`];
    const body = flags.stat ? renderStat(changes, out.look.colour) : renderPatch(patch, out.look);
    return [...head, body].join("\n");
  });
  out.show(
    () => undefined,
    () => texts.join("\n"),
  );
  return EXIT.done;
}

function chosen(
  work: RunWork,
  id: string | undefined,
  flags: DiffFlags,
): Shown["piece"][] | Refusal {
  const { state, events, commits } = work;
  if (flags.attempt !== undefined && id === undefined) {
    return refuse(EXIT.usage, "an attempt is one of a task: which?", {
      next: ["fractal diff TASK --attempt 1"],
    });
  }
  if (id === undefined || id === state.runId || id === state.rootId) {
    const whole = { task: null, title: state.spec.title, from: work.base, to: work.tip };
    return [{ ...whole, merged: true }];
  }
  const task = resolveTask(state, id);
  if (isRefusal(task)) return task;
  if (flags.attempt === undefined) return piecesOf(state, events, commits, task);
  const pieces = pieceOfAttempt(state, task, flags.attempt);
  if (pieces.length > 0) return pieces;
  return refuse(EXIT.usage, `attempt ${flags.attempt} of ${task} left nothing`, {
    next: [`fractal show ${task}   # its attempts`],
  });
}

function refuseGone({ state }: RunWork, piece: Shown["piece"]): Refusal {
  return refuse(EXIT.environment, `${piece.to.slice(0, 12)} is not in git any more`, {
    where: [`attempt ${piece.attempt} of ${piece.task}`],
    next: [`fractal fsck ${state.runId}`],
  });
}

function diffJson({ state }: RunWork, shown: Shown[]) {
  return {
    run: state.runId,
    pieces: shown.map(({ piece, patch, changes }) => ({
      task: piece.task,
      title: piece.title,
      attempt: piece.attempt ?? null,
      merged: piece.merged,
      from: piece.from,
      to: piece.to,
      files: changes.map(({ path, kind, linesAdded, linesDeleted }) => ({
        path,
        kind,
        lines_added: linesAdded,
        lines_deleted: linesDeleted,
      })),
      patch,
    })),
  };
}
