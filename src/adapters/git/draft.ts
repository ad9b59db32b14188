/** A repository whose branch moves in memory alone: for planning without a run. */
import type { Repository } from "../../domain/ports.ts";

/** Passes everything on but the moves of the branch; starts at `base`, or at an empty commit. */
export async function draftRepository(inner: Repository, base: string): Promise<Repository> {
  let tip = base === "" ? await emptyCommit(inner) : base;
  return {
    ...inner,
    head: async () => tip,
    advance: async (from, to) => {
      if (from !== tip) return false;
      tip = to;
      return true;
    },
    keep: async () => undefined,
    findMerged: async () => undefined,
    landed: async () => new Set(),
  };
}

/** Git knows the empty tree without being told. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

function emptyCommit(repository: Repository): Promise<string> {
  return repository.commit(EMPTY_TREE, [], "the empty tree");
}
