/** In which order the parts of a plan may run: their dependencies, cycles, and shared files. */
import type { Plan } from "../../domain/plan.ts";

/** For each part's key the keys it waits for. Unknown keys are left out: the review names them. */
export type Needs = Map<string, Set<string>>;

/** An edge that code added because two unordered parts write one file. */
export interface AddedEdge {
  part: string;
  needs: string;
  files: string[];
}

/** The dependencies as the plan has them, without those on itself and on unknown parts. */
export function needsOf(plan: Plan): Needs {
  const needs: Needs = new Map(plan.parts.map(({ key }) => [key, new Set<string>()]));
  for (const { part, needs: wanted } of plan.dependencies) {
    for (const key of wanted) if (needs.has(key) && key !== part) needs.get(part)?.add(key);
  }
  return needs;
}

/** Everything a part waits for, directly or through others. */
export function allNeedsOf(needs: Needs, key: string): Set<string> {
  const found = new Set<string>();
  const open = [...(needs.get(key) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(needs.get(next) ?? []));
  }
  return found;
}

/** The parts that can never start, since they wait for each other in a circle (Kahn); [] if none. */
export function partsInCycles(needs: Needs): string[] {
  const waiting = new Map([...needs].map(([key, wanted]) => [key, wanted.size]));
  const dependents = new Map<string, string[]>();
  for (const [key, wanted] of needs) {
    for (const one of wanted) dependents.set(one, [...(dependents.get(one) ?? []), key]);
  }
  const ready = [...waiting].filter(([, count]) => count === 0).map(([key]) => key);
  for (let key = ready.pop(); key !== undefined; key = ready.pop()) {
    waiting.delete(key);
    for (const dependent of dependents.get(key) ?? []) {
      const left = (waiting.get(dependent) ?? 0) - 1;
      waiting.set(dependent, left);
      if (left === 0) ready.push(dependent);
    }
  }
  // What only waits behind a circle is not part of it.
  return [...waiting.keys()].filter((key) => allNeedsOf(needs, key).has(key));
}

/**
 * The dependencies with an edge added, in part order, between any two parts that declare one file
 * and are not ordered yet: two attempts at one file at a time would only meet in a merge conflict.
 */
export function orderedNeeds(plan: Plan): { needs: Needs; added: AddedEdge[] } {
  const needs = needsOf(plan);
  const added: AddedEdge[] = [];
  plan.parts.forEach((later, index) => {
    for (const earlier of plan.parts.slice(0, index)) {
      const files = sharedFiles(earlier.files, later.files);
      if (files.length === 0 || earlier.key === later.key) continue;
      if (allNeedsOf(needs, later.key).has(earlier.key)) continue;
      if (allNeedsOf(needs, earlier.key).has(later.key)) continue;
      needs.get(later.key)?.add(earlier.key);
      added.push({ part: later.key, needs: earlier.key, files });
    }
  });
  return { needs, added };
}

/** Files of the second list that the first one covers too. A path that ends in `/` is a folder. */
export function sharedFiles(first: readonly string[], second: readonly string[]): string[] {
  return second.filter((file) => first.some((other) => covers(other, file) || covers(file, other)));
}

/** Whether a declared path, a file or a folder ending in `/`, takes in this one. */
export function covers(declared: string, path: string): boolean {
  return declared === path || (declared.endsWith("/") && path.startsWith(declared));
}
