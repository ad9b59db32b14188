/** `fractal gc`: lists what ended runs left, and takes away what is chosen. */
import { flagMissing, type Wanted } from "../../rules/work/garbage.ts";
import { bytesText, renderGarbage } from "../../view/garbage.ts";
import { count } from "../../view/text.ts";
import type { GarbageFound } from "../collecting.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal, refuse } from "../exit.ts";

export interface GcFlags {
  dryRun?: boolean;
  unmerged?: boolean;
  branches?: boolean;
  telemetry?: boolean;
}

/** Asks first where somebody is there; without anybody and without --yes nothing is taken away. */
export async function gcCommand(
  context: Context,
  runs: string[],
  flags: GcFlags,
): Promise<ExitCode> {
  const { out, dir } = context;
  const wire = await context.wire();
  const human = wire.openHuman({ mayAsk: context.mayAsk, colour: out.noteLook.colour });
  const mayAsk = human.present && !out.json;
  const onlyLooks = flags.dryRun === true || (!context.yes && !mayAsk);
  const found = await wire.collectGarbage({ dir, runs, onlyLooks, now: context.now() });
  if (isRefusal(found)) return out.refuse(found);
  try {
    const wanted: Wanted = {
      unmerged: flags.unmerged === true,
      branches: flags.branches === true,
      journals: flags.telemetry === true,
    };
    const rows = found.garbage.map((one) => ({ ...one, needs: flagMissing(one, wanted) }));
    const going = rows.filter(({ needs }) => needs === undefined);
    const look = { ...out.look, now: context.now() };
    const { keptCache } = found;
    const cache = keptCache === undefined ? [] : [{ runId: "cache", why: keptCache }];
    const list = () => renderGarbage(rows, [...found.kept, ...cache], look);
    const data = (removed: GarbageFound[]) => ({
      removed: removed.map(plain),
      left: rows
        .filter((row) => !removed.some((one) => isSame(one, row)))
        .map((row) => ({ ...plain(row), needs: row.needs ?? null })),
      kept_runs: found.kept.map(({ runId, why }) => ({ run: runId, why })),
      kept_cache: keptCache ?? null,
    });
    const sum = sumOf(going);
    if (flags.dryRun === true || going.length === 0) {
      out.show(() => data([]), list);
      out.note(going.length === 0 ? "Nothing to remove." : `Would remove ${sum}.`);
      return EXIT.done;
    }
    if (!context.yes) {
      if (!mayAsk) {
        out.show(() => data([]), list);
        return out.refuse(
          refuse(EXIT.usage, "nothing was removed: nobody is there to be asked", {
            next: ["fractal gc --yes   # removes what is marked so", "fractal gc --dry-run"],
          }),
        );
      }
      out.note(list());
      const lost = going.filter(({ onlyCopy }) => onlyCopy !== undefined);
      const warning =
        lost.length === 0
          ? ""
          : ` With it goes, for good: ${lost.map(({ runId, onlyCopy }) => `${onlyCopy} (${runId})`).join("; ")}.`;
      const agreed = await human.confirm(`Remove ${sum}?${warning}`, context.signal);
      if (agreed !== true) {
        out.note("Nothing was removed.");
        return context.signal.aborted ? EXIT.interrupted : EXIT.done;
      }
    }
    const gone = await found.remove(going);
    out.show(
      () => data(gone),
      () =>
        [
          ...gone.map(
            (one) =>
              `Removed ${one.runId ?? "cache"} ${one.kind}${one.onlyCopy === undefined ? "" : ` (${one.onlyCopy})`}`,
          ),
          `${sumOf(gone)}. What was in git is freed by git gc.`,
        ].join("\n"),
    );
    if (gone.length < going.length) out.note("What a run began to use meanwhile was left.");
    return EXIT.done;
  } finally {
    found.close();
  }
}

/** A thing is told by its run and kind. */
function isSame(one: GarbageFound, other: GarbageFound): boolean {
  return one.runId === other.runId && one.kind === other.kind;
}

function sumOf(rows: readonly GarbageFound[]): string {
  return `${count(rows.length, "thing")}, ${bytesText(total(rows))}`;
}

function total(rows: readonly GarbageFound[]): number {
  return rows.reduce((sum, { bytes }) => sum + bytes, 0);
}

function plain({ runId, kind, count: n, refs, bytes, lastMs, onlyCopy, paths }: GarbageFound) {
  return {
    run: runId,
    kind,
    count: n,
    refs,
    ...(paths === undefined ? {} : { paths }),
    bytes,
    last: lastMs === undefined ? null : new Date(lastMs).toISOString(),
    only_copy_of: onlyCopy ?? null,
  };
}
