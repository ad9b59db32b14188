/** What is kept in the user's cache for all their runs. */

/**
 * `packages`: those of one lock file, installed; `copies`: of a program or folder that the sandbox's
 * user could not read where it is; `workspaces`: those of one run.
 */
export type CachedKind = "packages" | "copies" | "workspaces";

export interface Cached {
  kind: CachedKind;
  /** Absolute. */
  path: string;
  /** Milliseconds since 1970. */
  lastUsedMs: number;
}
