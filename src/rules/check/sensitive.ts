/** Which changes need a person's yes before they are merged, and how they are shown to one. */
import { visible } from "../../domain/harmless.ts";
import type { Change } from "../../domain/ports.ts";
import type { Contract } from "../../domain/task.ts";
import {
  FRACTALS_OWN,
  isUnder,
  plainPath,
  protectedBy,
  RUN_ELSEWHERE,
  TEST_PATHS,
} from "./protected.ts";

/** What a question shows of a diff, at most; the command that shows all of it stands beside it. */
const DIFF_CHARS_MAX = 16_000;

/** A script of these names runs by itself when somebody installs. */
const BY_ITSELF = [
  ...["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"],
  ...["prepublish", "dependencies"],
];
/** What says which code of others is installed, and by which program. */
const DEPENDENCIES = [
  ...["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"],
  ...["bundleDependencies", "bundledDependencies", "overrides", "resolutions", "pnpm"],
  ...["workspaces", "packageManager", "devEngines"],
];

/**
 * True for a path that may be changed at all, but only with a person's yes: configuration, lock
 * files, CI, editors and agents. Tests are judged by checks, and fractal's own files are nobody's.
 */
export function isAskable(path: string): boolean {
  return (
    protectedBy(path) !== undefined && !isUnder(path, TEST_PATHS) && !isUnder(path, FRACTALS_OWN)
  );
}

/**
 * The declared changes of a task that need a person's yes: of what is there already, all that is
 * askable; of what is new, what will run on machines of others, lock files, and a package.json that
 * names packages or scripts that run by themselves. `textOf` gives what a file holds now.
 */
export function sensitiveChanges(
  changes: readonly Change[],
  contract: Pick<Contract, "files">,
  textOf: (path: string) => string | undefined,
): Change[] {
  const declared = new Set(contract.files.map(plainPath));
  return changes.filter((change) => {
    if (!declared.has(change.path) || !isAskable(change.path)) return false;
    if (change.kind !== "added" || isUnder(change.path, RUN_ELSEWHERE)) return true;
    if (!/(?:^|\/)package\.json$/i.test(change.path)) return false;
    return namesPackages(textOf(change.path) ?? "");
  });
}

/** Whether installing by this package.json brings code of others, or runs some. What is no JSON may. */
function namesPackages(text: string): boolean {
  try {
    const json = JSON.parse(text) as Record<string, Record<string, unknown> | undefined>;
    const isNamed = DEPENDENCIES.some((key) => Object.keys(json[key] ?? {}).length > 0);
    return isNamed || BY_ITSELF.some((name) => Object.hasOwn(json["scripts"] ?? {}, name));
  } catch {
    return true;
  }
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
