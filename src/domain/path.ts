/** Which file names may enter a tree: the ones that mean the same on every machine and hide nothing. */

const PATH_LENGTH_MAX = 400;

/** Case and invisible characters folded away, as some file systems do. */
export function foldedPath(path: string): string {
  return path
    .normalize("NFC")
    .replace(/\p{Cf}/gu, "")
    .toLowerCase();
}

/**
 * Why a path relative to some folder must not be written or merged, in words a model can act on;
 * undefined when it may.
 */
export function pathProblem(path: string): string | undefined {
  if (path === "") return "is empty";
  if (path.length > PATH_LENGTH_MAX) return `is longer than ${PATH_LENGTH_MAX} characters`;
  if (path.startsWith("/") || /^[a-z]:/i.test(path)) return "is not relative";
  if (path.includes("\\")) return "has a backslash";
  if (/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(path)) return "has control or invisible characters";
  for (const segment of path.split("/")) {
    if (segment === "") return "has an empty segment";
    if (segment === "." || segment === "..") return `has a segment \`${segment}\``;
    if (/[. ]$/.test(segment)) return "has a segment that ends in a dot or a space";
    // `git~1` is how Windows may spell `.git`, and behind a colon it names a stream of the same file.
    if ([".git", "git~1"].includes(foldedPath(segment).split(":")[0] ?? "")) {
      return "goes through .git";
    }
  }
  return undefined;
}
