/** The root of the tree: the whole specification, to be planned. */
import type { Spec } from "../../domain/spec.ts";
import type { Contract } from "../../domain/task.ts";

/** The root task of a specification: all of it, to be planned. */
export function rootTask(spec: Spec, id: string) {
  const contract: Contract = {
    title: spec.title.slice(0, 255),
    purpose: "Everything the specification asks for.",
    kind: "code",
    size: "XL",
    requirements: spec.requirements.map((requirement) => requirement.id),
    files: [],
    interfaces: [],
    checks: [],
    examples: [],
    risks: [],
    ...(spec.needs.length === 0 ? {} : { needs: spec.needs }),
  };
  return {
    id,
    key: "root",
    parent: null,
    dependsOn: [],
    priority: 2,
    contract,
    leaf: false,
    origin: "root" as const,
  };
}
