/** What a person is told when a run begins, before the part that takes some seconds. */
import { harmless } from "../domain/harmless.ts";
import type { ConfigFlags } from "./config.ts";
import type { RoleModels } from "./models.ts";
import type { Place } from "./prepare.ts";

/** Uncommitted paths named one by one. */
const PATHS_SHOWN = 3;

/** What the work is based on, and what of the checkout is not part of it. */
export function notesOnPlace({ head, uncommitted }: Place): string[] {
  const base = head === "" ? "the empty tree" : `commit ${head.slice(0, 12)}`;
  const count = uncommitted.length;
  if (count === 0) return [`Based on ${base}.`];
  const shown = uncommitted.slice(0, PATHS_SHOWN).join(", ");
  return [
    `Based on ${base}.`,
    `${count} uncommitted ${count === 1 ? "path is" : "paths are"} not part of it: ${shown}${count > PATHS_SHOWN ? ", …" : ""}`,
  ];
}

/** Which run goes on, and with which model flags, typed now or when it was last at work. */
export function noteOnResuming(runId: string, flags: ConfigFlags): string {
  const { model, models = [], baseUrl } = flags;
  const typed = [
    ...(model === undefined ? [] : [`--model ${model}`]),
    ...models.map((pair) => `--models ${pair}`),
    ...(baseUrl === undefined ? [] : [`--base-url ${baseUrl}`]),
  ].join(" ");
  return harmless(`Going on with run ${runId}${typed === "" ? "." : `, with ${typed}`}`);
}

/** What must be known of models that are none: recordings, and folders that somebody answers in. */
export function notesOnModels(models: RoleModels): string[] {
  const all = Object.values(models);
  const mailboxes = new Set(
    all.filter(({ provider }) => provider === "mailbox").map(({ model }) => model),
  );
  return [
    ...(all.some(({ provider }) => provider === "recorded")
      ? ["Recorded answers are played: no model is asked, nothing is paid."]
      : []),
    ...[...mailboxes].map(
      (folder) => `Each ${folder}/*.request.json waits for an answer, and says in which file.`,
    ),
  ];
}
