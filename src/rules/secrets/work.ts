/** Whether work brings a secret into the repository: one that its files did not hold before. */
import type { Failure } from "../../domain/failure.ts";
import { type Scrubber, SECRET_MARK } from "./scrubber.ts";

/** A file that was changed, or a link and where it points; `before` is undefined where it is new. */
export interface ChangedText {
  path: string;
  before: string | undefined;
  after: string;
}

const SHOWN_MAX = 20;

/**
 * The failure of work that adds a secret, in a file or link by its line or in the name of a new one;
 * its value is never repeated. `pathsBefore` are the names that were there, which work may go on
 * using. A mark that was added to a text is the trace of a secret: it stands where one was taken out
 * of what the model wrote. A result that is text may speak of marks.
 */
export function judgeSecrets(
  files: readonly ChangedText[],
  pathsBefore: readonly string[],
  { find, scrub }: Scrubber,
): Failure | undefined {
  const places = files.flatMap((file) => {
    const path = scrub(file.path);
    const had = new Set(find(file.before ?? "").map(({ text }) => text));
    const added = find(file.after).filter(({ text }) => !had.has(text));
    const marks = file.path.startsWith(".results/") ? [] : marksAdded(file);
    const inName =
      file.before === undefined
        ? find(file.path).filter(({ text }) => !pathsBefore.some((one) => one.includes(text)))
        : [];
    return [
      ...inName.map(({ name }) => ({ path, name, where: () => ", its name:" })),
      ...[...added, ...marks].map(({ name, at }) => {
        return { path, name, where: () => `:${file.after.slice(0, at).split("\n").length}` };
      }),
    ];
  });
  if (places.length === 0) return undefined;
  const lines = places
    .slice(0, SHOWN_MAX)
    .map(({ path, where, name }) => `- ${path}${where()} ${name}`);
  const rest = places.length - lines.length;
  return {
    failure: "holds-secret",
    detail: [
      "Work may not hold secrets, nor name files or links after them: read them from the environment, and use made-up values with EXAMPLE in them for examples. Found:",
      ...lines,
      ...(rest > 0 ? [`- and ${rest} more`] : []),
    ].join("\n"),
    paths: [...new Set(places.map(({ path }) => path))],
  };
}

/** Marks beyond those the file had before, the last ones. */
function marksAdded({ before = "", after }: ChangedText): { name: string; at: number }[] {
  const had = [...before.matchAll(SECRET_MARK)].length;
  const marks = [...after.matchAll(SECRET_MARK)];
  return marks.slice(had).map(({ 0: mark, index }) => ({ name: mark.slice(1, -1), at: index }));
}
