/** The lines in conflict, as the next attempt is shown them. */

/** Lines shown before and after each conflict. */
const AROUND = 3;
/** Of all conflicts of one merge. */
const CHARS_MAX = 6_000;

/** The hunks of files that git left its marks in; a file without marks has no lines to show. */
export function conflictHunks(
  files: readonly { path: string; text: string | undefined }[],
): string {
  const shown = files.map(({ path, text }) => {
    const hunks = text === undefined ? [] : hunksIn(text.split("\n"));
    if (hunks.length > 0) return `${path}:\n${hunks.join("\n…\n")}`;
    return `${path}: one side has no such lines (deleted, added twice, or not text)`;
  });
  const all = shown.join("\n\n");
  return all.length <= CHARS_MAX ? all : `${all.slice(0, CHARS_MAX)}\n… (cut)`;
}

function hunksIn(lines: readonly string[]): string[] {
  const hunks: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!lines[at]?.startsWith("<<<<<<< ")) continue;
    const end = lines.findIndex((line, index) => index > at && line.startsWith(">>>>>>> "));
    if (end < 0) break;
    const inside = lines.slice(at + 1, end);
    hunks.push(
      [
        ...lines.slice(Math.max(0, at - AROUND), at),
        "<<<<<<< as it is now",
        ...inside,
        ">>>>>>> as the last try had it",
        ...lines.slice(end + 1, end + 1 + AROUND),
      ].join("\n"),
    );
    at = end;
  }
  return hunks;
}
