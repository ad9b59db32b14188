/** Whether work brings a secret into the repository: one that its files did not hold before. */
import type { Failure } from "../../domain/failure.ts";
import { type Scrubber, SECRET_MARK } from "./scrubber.ts";

/** A text that was changed; `before` is undefined where it is new. */
export interface ChangedText {
  path: string;
  before: string | undefined;
  after: string;
}

const SHOWN_MAX = 20;

/**
 * The failure of work that adds a secret, by file and line; its value is never repeated. A mark that
 * was added is the trace of one: it stands where a secret was taken out of what the model wrote. A
 * result that is text may speak of marks.
 */
export function judgeSecrets(
  files: readonly ChangedText[],
  { find }: Scrubber,
): Failure | undefined {
  const places = files.flatMap((file) => {
    const had = new Set(find(file.before ?? "").map(({ text }) => text));
    const added = find(file.after).filter(({ text }) => !had.has(text));
    const marks = file.path.startsWith(".results/") ? [] : marksAdded(file);
    return [...added, ...marks].map(({ name, at }) => ({
      path: file.path,
      line: file.after.slice(0, at).split("\n").length,
      name,
    }));
  });
  if (places.length === 0) return undefined;
  const lines = places
    .slice(0, SHOWN_MAX)
    .map(({ path, line, name }) => `- ${path}:${line} ${name}`);
  const rest = places.length - lines.length;
  return {
    failure: "holds-secret",
    detail: [
      "Work may not hold secrets: read them from the environment, and use made-up values with EXAMPLE in them for examples. Found:",
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
