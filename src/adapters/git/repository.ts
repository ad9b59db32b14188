/** The Repository port by plumbing alone: the user's branch, index and files are never touched. */
import { join } from "node:path";
import { isFailure } from "../../domain/failure.ts";
import { pathProblem } from "../../domain/path.ts";
import type { Change, FileWrite, Repository } from "../../domain/ports.ts";
import { parseChanges } from "./changes.ts";
import { collectEdits, isVisible } from "./collect.ts";
import { conflictHunks } from "./conflict.ts";
import { cleanGit, cleanReader, IDENTITY } from "./git.ts";
import { GitError } from "./git-error.ts";
import { freeLocks, movingRefs } from "./locks.ts";
import { mergeTrees } from "./merge.ts";
import { type MoveRef, openMover } from "./moving.ts";
import { isObjectId, type Objects } from "./objects.ts";
import { takeLine } from "./open-git.ts";
import { openObjects } from "./plumbing.ts";
import { locateRepository } from "./survey.ts";
import { editTree, entryAt, findFile, listTree, type TreeEdit, treeIdOf } from "./trees.ts";
import { writeOut } from "./write-out.ts";

const DIFF_BYTES_MAX = 1_000_000;
const SUBMODULE = "160000";

export interface RunRepository extends Repository {
  /** `fractal/<run>/main`. */
  readonly branch: string;
  /**
   * For the one process that works on the run: removes the locks on its refs that a killed git left,
   * once no git that may have them is alive. Throws GitLocked where one stays.
   */
  freeLocks(): Promise<void>;
  /**
   * For the one process that works on the run. Makes the run's branch at a commit, or for an empty base at a first commit of the empty tree;
   * a branch that is already there stays. Returns its tip.
   */
  startBranch(o: { base: string }): Promise<string>;
}

/**
 * Opens the repository of a checkout for one run. `root` is the folder the work is confined to,
 * relative to the top of the repository; `mounts` are the folders below it that a sandbox shows
 * from elsewhere. Throws when the folder is in no repository: see `surveyFolder`.
 */
export async function openRepository(o: {
  checkout: string;
  runId: string;
  root: string;
  mounts?: readonly string[];
}): Promise<RunRepository> {
  const { commonDir, format } = await locateRepository(o.checkout);
  const refs = cleanGit(commonDir);
  const objects = await openObjects(commonDir, format, o.runId);
  const { git } = objects;
  const root = o.root.replace(/^(\.\/)+|\/+$/g, "") || ".";
  const prefix = root === "." ? "" : `${root}/`;
  const branch = `fractal/${o.runId}/main`;
  const ref = `refs/heads/${branch}`;
  const kept = (name: string) => `refs/fractal/${o.runId}/${name}`;

  const tips = cleanReader(commonDir);
  /** Empty when there is no such ref. */
  const tipOf = async (name: string) => {
    const [oid = "", type] = (await tips.ask(`info ${name}\n`, takeLine)).split(" ");
    return type === "commit" ? oid : "";
  };
  const tip = () => tipOf(ref);
  const care = { commonDir, runIds: [o.runId] };
  const mover = openMover(commonDir);
  /** Moves a ref once no lock is in its way. */
  const move: MoveRef = (...given) => movingRefs(care, () => mover(...given));
  /** From where it stands: the git of a fractal that was killed may do late what it was told. */
  const keepAs = async (name: string, commit: string) => {
    for (let from = await tipOf(kept(name)); from !== commit; ) {
      const { exitCode, stderr } = await move(kept(name), commit, from);
      if (exitCode === 0) return;
      const now = await tipOf(kept(name));
      if (now === from) throw new GitError(`${kept(name)} cannot be set`, stderr);
      from = now;
    }
  };
  const inRoot = (path: string) => (path.startsWith(prefix) ? path.slice(prefix.length) : path);
  const makeCommit = async (tree: string, parents: string[], message: string) => {
    const who = `${IDENTITY.name} <${IDENTITY.email}> ${Math.floor(Date.now() / 1000)} +0000`;
    const above = parents.map((parent) => `parent ${parent}\n`).join("");
    const text = `tree ${tree}\n${above}author ${who}\ncommitter ${who}\n\n${message}`;
    return (await objects.store("commit", [text]))[0] ?? "";
  };
  /** The tree of an id, or of what leads from one to another: `ID^`. */
  const treeAt = async (name: string) => {
    if (isObjectId(name)) return treeIdOf(objects, name);
    return (await git(["rev-parse", "--verify", "--end-of-options", `${name}^{tree}`])).text;
  };
  const changes = async (from: string, to: string): Promise<Change[]> => {
    const told = await objects.compare(await treeAt(from), await treeAt(to));
    return parseChanges(told).map((change) => ({ ...change, path: inRoot(change.path) }));
  };

  const bytesOf = async (treeish: string, path: string) => {
    if (pathProblem(path) !== undefined) return undefined;
    const file = await findFile(objects, treeish, prefix + path);
    return file && (await objects.read(file.oid)).bytes;
  };

  return {
    branch,

    freeLocks: () => freeLocks(care),

    async startBranch({ base }) {
      await objects.clear();
      const present = await tip();
      if (present !== "") return present;
      const start =
        base === ""
          ? await makeCommit(await emptyTree(objects), [], "fractal: an empty start\n")
          : (await refs(["rev-parse", "--verify", `${base}^{commit}`])).text;
      await keepAs("base", start);
      const { exitCode, stderr } = await move(ref, start, "");
      if (exitCode === 0) return start;
      // The git of a fractal that was killed may have made it meanwhile.
      const made = await tip();
      if (made === "") throw new GitError(`the branch ${branch} cannot be made`, stderr);
      return made;
    },

    async head() {
      const commit = await tip();
      if (commit === "") throw new Error(`the branch ${branch} is not there`);
      return commit;
    },

    async checkout(commit, folder) {
      const entries = (await listTree(objects, commit, root)).filter(isVisible);
      await writeOut(objects, entries, (path) => join(folder, inRoot(path)));
    },

    async collect(folder, commit) {
      const edits = await collectEdits(objects, {
        folder,
        treeish: commit,
        root,
        mounts: o.mounts ?? [],
      });
      if (isFailure(edits)) return edits;
      if (edits.length === 0) return { tree: await treeIdOf(objects, commit), changes: [] };
      const tree = await editTree(objects, commit, edits);
      return { tree, changes: await changes(commit, tree) };
    },

    async write(commit, files) {
      return editTree(objects, commit, await editsOf(objects, commit, files, prefix));
    },

    changes,

    async diff(from, to, bytesMax = DIFF_BYTES_MAX) {
      const below = root === "." ? [] : [`--relative=${prefix}`];
      const { text } = await git(
        [
          ...["diff-tree", "-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv"],
          ...["--no-color", ...below, from, to],
        ],
        { bytesMax },
      );
      return text;
    },

    async diffOf(from, to, paths, bytesMax) {
      const below = root === "." ? [] : [`--relative=${prefix}`];
      const diff = (how: string[], call = {}) =>
        git(
          [
            ...["--literal-pathspecs", "diff-tree", "-r", "--no-renames", "--no-ext-diff"],
            ...["--no-textconv", ...how, from, to, "--", ...paths.map((path) => prefix + path)],
          ],
          call,
        );
      const { text: id } = await diff(["--raw", "--no-abbrev"]);
      // `--text`: neither an attribute nor a NUL hides what a file holds.
      const shown = await diff(["-p", "--text", "--no-color", ...below], { bytesMax });
      return { text: shown.text, isCut: shown.bytes.length >= bytesMax, id };
    },

    async readFile(treeish, path) {
      const bytes = await bytesOf(treeish, path);
      return bytes && textOf(bytes);
    },

    async readLegible(treeish, path) {
      const entry = await entryAt(objects, treeish, prefix + path);
      if (entry === undefined || entry.mode === SUBMODULE) return undefined;
      return legible((await objects.read(entry.oid)).bytes);
    },

    async listFiles(treeish) {
      const entries = await listTree(objects, treeish, root);
      return entries.filter(isVisible).map((entry) => inRoot(entry.path));
    },

    treeOf: (commit) => treeIdOf(objects, commit),
    commit: makeCommit,

    async merge(base, ours, theirs) {
      const merged = await mergeTrees(objects, base, ours, theirs);
      if ("tree" in merged) return merged;
      const files = merged.conflicts.map(async (path) => {
        const file = await findFile(objects, merged.marked, path);
        const text = file && textOf((await objects.read(file.oid)).bytes);
        return { path: inRoot(path), text };
      });
      const hunks = conflictHunks(await Promise.all(files));
      return { conflicts: merged.conflicts.map(inRoot), hunks };
    },

    async advance(from, to) {
      const { exitCode, stderr } = await move(ref, to, from);
      if (exitCode === 0) return true;
      if ((await tip()) !== from) return false;
      throw new GitError(`the branch ${branch} cannot be moved`, stderr);
    },

    keep: keepAs,

    async findMerged(task, attempt) {
      const wanted = `${task} ${attempt}`;
      const started = await refs(["rev-parse", "--verify", "--quiet", kept("base")], {
        answers: [0, 1],
      });
      const { text } = await refs([
        ...["rev-list", "--first-parent", "--no-commit-header", "--fixed-strings"],
        `--grep=Fractal-Task: ${wanted}`,
        "--format=%H%x00%(trailers:key=Fractal-Task,valueonly,unfold,separator=%x00)",
        ...[ref, ...(started.text === "" ? [] : [`^${started.text}`])],
      ]);
      const lines = text.split("\n").map((line) => line.split("\0"));
      return lines.find((fields) => fields.length > 1 && fields.at(-1)?.trim() === wanted)?.[0];
    },

    async landed() {
      const started = await refs(["rev-parse", "--verify", "--quiet", kept("base")], {
        answers: [0, 1],
      });
      const beyond = started.text === "" ? [] : [`^${started.text}`];
      const { text } = await refs(["rev-list", ref, ...beyond]);
      return new Set(text.split("\n").filter((line) => line !== ""));
    },
  };
}

async function emptyTree(objects: Objects): Promise<string> {
  return (await objects.store("tree", [""]))[0] ?? "";
}

/** The edits that write these texts; a file that is executable stays so. */
async function editsOf(
  objects: Objects,
  treeish: string,
  files: FileWrite[],
  prefix: string,
): Promise<TreeEdit[]> {
  const last = [...new Map(files.map((file) => [file.path, file])).values()];
  for (const { path } of last) {
    const why = pathProblem(path);
    if (why !== undefined) throw new Error(`the path ${JSON.stringify(path)} ${why}`);
  }
  const written = last.filter((file) => file.text !== null);
  const ids = await objects.store(
    "blob",
    written.map((file) => file.text ?? ""),
  );
  const before = await listTree(objects, treeish, prefix.slice(0, -1) || ".");
  const executable = new Set(
    before.filter((entry) => entry.mode === "100755").map((entry) => entry.path),
  );
  return [
    ...last.filter((file) => file.text === null).map((file) => ({ path: prefix + file.path })),
    ...written.map((file, at): TreeEdit => {
      const path = prefix + file.path;
      const oid = ids[at];
      const mode = executable.has(path) ? "100755" : "100644";
      return { path, mode, ...(oid === undefined ? {} : { oid }) };
    }),
  ];
}

/** The letters among the bytes: without zeros, so also those of UTF-16 that stand in ASCII. */
function legible(bytes: Buffer): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\0", "");
}

/** The text of a file, or undefined when it is none. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
