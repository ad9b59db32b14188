/** Reads what git says about the difference of two trees. */
import type { Change } from "../../domain/ports.ts";

/** Reads `diff-tree -z --raw --numstat`: first what became of each path, then its lines. */
export function parseChanges(text: string): Change[] {
  const fields = text.split("\0").filter((field) => field !== "");
  const changes = new Map<string, Change>();
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at] ?? "";
    if (field.startsWith(":")) {
      const path = fields[++at] ?? "";
      const letter = field.at(-1);
      const gone = letter === "D" ? "deleted" : "changed";
      const kind = letter === "A" ? "added" : gone;
      changes.set(path, { path, kind, linesAdded: 0, linesDeleted: 0 });
    } else {
      const [added, deleted, ...path] = field.split("\t");
      // A name may hold a tab itself.
      const change = changes.get(path.join("\t"));
      // Binary files show `-`.
      if (change) {
        change.linesAdded = Number(added) || 0;
        change.linesDeleted = Number(deleted) || 0;
      }
    }
  }
  return [...changes.values()];
}
