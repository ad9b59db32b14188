/** Which files of a tree say what is expected of work, and so are not there while it is asked. */
import type { Check } from "../../domain/check.ts";
import type { Spec } from "../../domain/spec.ts";
import { asksOf } from "./asking.ts";

/** Whether a check compares what the work says: then the work must not find it written down. */
export function compares(check: Check): boolean {
  return check.examples !== undefined || check.stdout !== undefined;
}

/**
 * Of these files, the specification and those that are `rendered` from examples; not what the check
 * itself names, which the work may have to do with.
 */
export function hiddenFrom(
  check: Check,
  files: readonly string[],
  rendered: ReadonlySet<string>,
  spec: Pick<Spec, "path">,
): string[] {
  const asked = JSON.stringify(check.examples ? asksOf(check.examples) : [check.run, check.stdin]);
  return files
    .filter((path) => rendered.has(path) || isSameFile(path, spec.path))
    .filter((path) => !asked.includes(path.split("/").at(-1) ?? path));
}

/** As the user named it, from wherever they stood, and as a tree has it. */
function isSameFile(path: string, named: string): boolean {
  const plain = named.replace(/^(?:\.{0,2}\/)+/, "");
  return plain === path || plain.endsWith(`/${path}`) || path.endsWith(`/${plain}`);
}
