/** Which changes need a person's yes before they are merged, and how they are shown to one. */
import { visible } from "../../domain/harmless.ts";
import type { Change } from "../../domain/ports.ts";
import type { Contract } from "../../domain/task.ts";
import { changesPackages, isPackageList, MANIFEST_PATHS } from "./manifest.ts";
import { isUnder, plainPath } from "./path-pattern.ts";
import { FRACTALS_OWN, protectedBy, RUN_ELSEWHERE, TEST_PATHS } from "./protected.ts";

/** What a question shows of a diff, at most; the command that shows all of it stands beside it. */
const DIFF_CHARS_MAX = 16_000;

/**
 * True for a path that may be changed at all, but only with a person's yes: configuration, packages,
 * lock files, CI, editors and agents. Tests are judged by checks, and fractal's own files are nobody's.
 */
export function isAskable(path: string): boolean {
  return (
    protectedBy(path) !== undefined && !isUnder(path, TEST_PATHS) && !isUnder(path, FRACTALS_OWN)
  );
}

/** What a file held before the work and holds after it; undefined where that is no text. */
export interface Texts {
  before: string | undefined;
  after: string | undefined;
}

/**
 * The declared changes of a task that need a person's yes: of what is there already, all that is
 * askable, but a list of packages only where it names others; of what is new, what will run on
 * machines of others, lock files, and manifests that name packages or what runs by itself.
 * `textsOf` is asked about manifests alone.
 */
export function sensitiveChanges(
  changes: readonly Change[],
  contract: Pick<Contract, "files">,
  textsOf: (path: string) => Texts | undefined,
): Change[] {
  const declared = new Set(contract.files.map(plainPath));
  return changes.filter(({ path, kind }) => {
    if (!declared.has(path)) return false;
    if (kind !== "added" && isAskable(path) && !isPackageList(path)) return true;
    if (!isUnder(path, MANIFEST_PATHS)) return kind === "added" && isUnder(path, RUN_ELSEWHERE);
    const { before, after } = textsOf(path) ?? {};
    return changesPackages(path, kind === "added" ? "" : before, kind === "deleted" ? "" : after);
  });
}

/** What a person is asked: what is code's, what is the diff's, and what a model says, each marked. */
export function consentText(o: {
  title: string;
  paths: readonly string[];
  diff: string;
  /** The diff is only the beginning of what is changed. */
  isCut: boolean;
  command: string | undefined;
  /** What the worker says of its work. */
  said: string;
  /** Its checks are green; false where they need what it names first. */
  isChecked: boolean;
  /** Shows the whole diff. */
  look: string;
}): { title: string; why: string; options: string[] } {
  const isCut = o.isCut || o.diff.length > DIFF_CHARS_MAX;
  const shown = visible(o.diff.slice(0, DIFF_CHARS_MAX)).replace(/^/gm, "    ").trimEnd();
  const when = o.isChecked
    ? "The checks are green. Before it is merged"
    : "To check it, the packages that its lock file names are downloaded. Before that, and before it is merged";
  const parts = [
    `${when}, a person says yes to these files: ${visible(o.paths.join(", "))}`,
    ...(o.command === undefined
      ? []
      : [`They were made by the command:\n    ${visible(o.command)}`]),
    `The change, as it is:\n${shown}`,
    ...(isCut ? [`It is longer than what is shown here. All of it: ${o.look}`] : []),
    `What the model says of its work; nobody checked these words:\n${visible(o.said.slice(0, 1000)).replace(/^/gm, "    | ")}`,
    `\`yes\` merges exactly this change${o.isChecked ? "" : " once its checks are green"}; anything else refuses it, and is guidance for the next attempt.`,
  ];
  const names = o.paths.slice(0, 3).join(", ") + (o.paths.length > 3 ? ", …" : "");
  return {
    title: `"${o.title}" changes ${names}. May it?`,
    why: parts.join("\n\n"),
    options: ["yes", "no"],
  };
}
