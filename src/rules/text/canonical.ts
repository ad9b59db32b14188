/** A value as one text that is the same whenever the value is: what hashes of states are taken of. */

/**
 * JSON with sorted keys. Maps are lists of pairs in their own order, which is part of a state (tasks
 * stand as they were created), sets sorted lists; what is undefined is left out.
 */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Map) return [...part];
    if (part instanceof Set) return [...part].sort();
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
