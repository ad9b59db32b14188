/** A Repository in memory, and the folders a memory sandbox works in: for tests of the core alone. */
import { createHash } from "node:crypto";
import type { Change, FileWrite, Repository } from "../../src/domain/ports.ts";

/** Paths to texts; never changed once it is a tree. */
type Files = ReadonlyMap<string, string>;

interface Commit {
  tree: string;
  parents: string[];
  message: string;
}

export interface MemoryRepository extends Repository {
  /** Work folders by name: what a sandbox writes to. */
  readonly folders: Map<string, Map<string, string>>;
  /** Files at the tip of the branch. */
  files(): Files;
  /** Messages on the branch, newest first. */
  log(): string[];
  /** What is kept, by name. */
  readonly kept: ReadonlyMap<string, string>;
  /** A person sets the branch back to the commit before its last. */
  rewind(): void;
}

export function memoryRepository(base: Record<string, string> = {}): MemoryRepository {
  const trees = new Map<string, Files>();
  const commits = new Map<string, Commit>();
  const folders = new Map<string, Map<string, string>>();
  const kept = new Map<string, string>();

  const putTree = (files: Files): string => {
    const id = idOf([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
    trees.set(id, files);
    return id;
  };
  const filesOf = (treeish: string): Files => {
    const files = trees.get(commits.get(treeish)?.tree ?? treeish);
    if (files === undefined) throw new Error(`no tree or commit ${treeish}`);
    return files;
  };
  const putCommit = (commit: Commit): string => {
    const id = idOf([commit, commits.size]);
    commits.set(id, commit);
    return id;
  };
  let tip = putCommit({
    tree: putTree(new Map(Object.entries(base))),
    parents: [],
    message: "base",
  });
  const history = function* () {
    for (let at: string | undefined = tip; at !== undefined; at = commits.get(at)?.parents[0]) {
      yield at;
    }
  };
  const changes = (from: string, to: string): Change[] => {
    const [before, after] = [filesOf(from), filesOf(to)];
    const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
    return paths.flatMap((path): Change[] => {
      const [old, now] = [before.get(path), after.get(path)];
      if (old === now) return [];
      const linesAdded = now?.split("\n").length ?? 0;
      const linesDeleted = old?.split("\n").length ?? 0;
      const changed = now === undefined ? "deleted" : "changed";
      return [{ path, kind: old === undefined ? "added" : changed, linesAdded, linesDeleted }];
    });
  };

  return {
    folders,
    kept,
    rewind() {
      tip = commits.get(tip)?.parents[0] ?? tip;
    },
    files: () => filesOf(tip),
    log: () => [...history()].map((id) => commits.get(id)?.message ?? ""),
    head: async () => tip,
    async checkout(commit, folder) {
      folders.set(folder, new Map(filesOf(commit)));
    },
    async collect(folder, commit) {
      const tree = putTree(new Map(folders.get(folder)));
      return { tree, changes: changes(commit, tree) };
    },
    async write(commit, files: FileWrite[]) {
      const after = new Map(filesOf(commit));
      for (const { path, text } of files) {
        if (text === null) after.delete(path);
        else after.set(path, text);
      }
      return putTree(after);
    },
    changes: async (from, to) => changes(from, to),
    diff: async (from, to) => JSON.stringify(changes(from, to)),
    async diffOf(from, to, paths, bytesMax) {
      const [before, after] = [filesOf(from), filesOf(to)];
      const texts = paths.map((path) => [path, before.get(path), after.get(path)]);
      const text = texts.map(([path, old, now]) => `${path}\n-${old}\n+${now}\n`).join("");
      return {
        text: text.slice(0, bytesMax),
        isCut: text.length > bytesMax,
        id: JSON.stringify(texts),
      };
    },
    readFile: async (treeish, path) => filesOf(treeish).get(path),
    readLegible: async (treeish, path) => filesOf(treeish).get(path),
    listFiles: async (treeish) => [...filesOf(treeish).keys()].sort(),
    async treeOf(commit) {
      const tree = commits.get(commit)?.tree;
      if (tree === undefined) throw new Error(`no commit ${commit}`);
      return tree;
    },
    commit: async (tree, parents, message) => putCommit({ tree, parents, message }),
    async merge(base, ours, theirs) {
      const [origin, mine, yours] = [filesOf(base), filesOf(ours), filesOf(theirs)];
      const merged = new Map<string, string>();
      const conflicts: string[] = [];
      for (const path of new Set([...origin.keys(), ...mine.keys(), ...yours.keys()])) {
        const [o, a, b] = [origin.get(path), mine.get(path), yours.get(path)];
        if (a !== o && b !== o && a !== b) conflicts.push(path);
        const text = a === o ? b : a;
        if (text !== undefined) merged.set(path, text);
      }
      if (conflicts.length === 0) return { tree: putTree(merged) };
      const hunks = conflicts.map(
        (path) =>
          `${path}:\n<<<<<<< as it is now\n${mine.get(path)}\n=======\n${yours.get(path)}\n>>>>>>> as the last try had it`,
      );
      return { conflicts, hunks: hunks.join("\n\n") };
    },
    async advance(from, to) {
      if (from !== tip) return false;
      tip = to;
      return true;
    },
    async keep(name, commit) {
      kept.set(name, commit);
    },
    async findMerged(task, attempt) {
      const trailer = `Fractal-Task: ${task} ${attempt}`;
      return [...history()].find((id) => commits.get(id)?.message.includes(trailer));
    },
    landed: async () => new Set([...history()].slice(0, -1)),
  };
}

function idOf(value: unknown): string {
  return createHash("sha1").update(JSON.stringify(value)).digest("hex");
}
