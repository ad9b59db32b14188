/** What a part of a plan brings into its task's contract, and the stubs of what it exports. */
import type { Check } from "../../domain/check.ts";
import type { Part, Plan } from "../../domain/plan.ts";
import type { FileWrite } from "../../domain/ports.ts";
import type { TaskState } from "../../domain/run-state.ts";
import type { Contract, Signature } from "../../domain/task.ts";
import { isAskable } from "../check/sensitive.ts";
import { resultPathOf } from "../text/pack.ts";
import { childKey } from "./plan-facts.ts";
import { covers } from "./plan-order.ts";
import { renderStubs } from "./stub.ts";

/** What a part says of itself, as its contract holds it. */
export function basicsOf(
  part: Part,
  key: string,
): Pick<
  Contract,
  "purpose" | "kind" | "files" | "risks" | "command" | "unchecked" | "needs" | "budget"
> {
  const { purpose, kind, risks, command, unchecked, needs, budget } = part;
  return {
    purpose,
    kind,
    files: kind === "text" ? [resultPathOf(key)] : [...new Set(part.files)],
    risks,
    ...(kind === "command" && command !== undefined ? { command } : {}),
    ...(unchecked?.trim() ? { unchecked } : {}),
    ...(needs === undefined || needs.length === 0 ? {} : { needs: [...new Set(needs)] }),
    ...(budget === undefined ? {} : { budget }),
  };
}

/** A text task's one check: its result is there, not too long, with a heading per requirement. */
export function builtInChecks(part: Part, key: string, requirements: readonly string[]): Check[] {
  if (part.kind !== "text") return [];
  const path = resultPathOf(key);
  const headings = requirements.map(
    (id) => `grep -Eq '^#+ .*${id.replaceAll(".", "\\.")}([^0-9.]|$)' ${path}`,
  );
  const run = [`test -s ${path}`, `test "$(wc -c < ${path})" -le 65536`, ...headings].join(" && ");
  return [
    {
      name: "result",
      run,
      when: "own",
      source: "built-in",
      requirements: [...requirements],
      gates: true,
      oracle: [],
    },
  ];
}

/** The signatures a part must export: its own, and those of its parent that are in its files. */
export function interfacesOf(part: Part, plan: Plan, fixed: readonly Signature[]): Signature[] {
  const own = plan.interfaces.filter((one) => one.part === part.key).map(withoutPart);
  const inherited = fixed.filter(
    (one) =>
      part.files.some((file) => covers(file, one.file)) &&
      !plan.interfaces.some((planned) => isSame(planned, one)),
  );
  return [...inherited, ...own];
}

/** Whether two signatures are of one export. */
export const isSame = (a: Signature, b: Signature) => a.file === b.file && a.name === b.name;

/** The bare signature, as contracts hold it. */
export function withoutPart({ file, name, declaration, doc }: Signature): Signature {
  return { file, name, declaration, doc };
}

/** The stubs of the interfaces that a plan adds. */
export function stubsOf(plan: Plan, parent: TaskState): FileWrite[] {
  const owners = new Map(
    plan.interfaces.map(({ file, part }) => [file, childKey(parent.key, part)]),
  );
  // A file of the parent's interface is a stub already; it is written whole, or not at all.
  const known = [...parent.contract.interfaces, ...plan.interfaces];
  // What configures, installs or runs elsewhere is written by its task, and merged with a person's yes.
  const files = new Set(plan.interfaces.map(({ file }) => file).filter((file) => !isAskable(file)));
  const unique = known.filter(
    (one, index) => files.has(one.file) && known.findIndex((other) => isSame(other, one)) === index,
  );
  return renderStubs(unique, owners, known);
}
