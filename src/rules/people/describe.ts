/** The words an issue carries for people: title, description, acceptance, rendered from a contract. */
import type { Described } from "../../domain/run-state.ts";
import type { Contract } from "../../domain/task.ts";

/** Texts longer than this are cut: Beads shows them in a terminal, the journal has them whole. */
const TEXT_CHARS_MAX = 16_000;

/** What Beads shows of a task. The same contract gives the same words. */
export function describeContract(contract: Contract): Described {
  const lines = [contract.purpose.trim()];
  if (contract.requirements.length > 0) {
    lines.push("", `Requirements: ${contract.requirements.join(", ")}`);
  }
  if (contract.files.length > 0) lines.push("", "Files:", ...contract.files.map((f) => `- ${f}`));
  if (contract.interfaces.length > 0) {
    lines.push("", "Interfaces:", ...contract.interfaces.map((i) => `- ${i.declaration}`));
  }
  if (contract.command !== undefined) lines.push("", `Command: ${contract.command}`);
  const acceptance = [
    ...contract.examples.map((example) => `- ${example}`),
    ...contract.checks
      .filter((check) => contract.examples.length === 0 || check.source === "spec")
      .map((check) => `- ${check.name}: ${check.run}${check.gates ? "" : " (advises)"}`),
    ...(contract.unchecked === undefined ? [] : [`- unchecked: ${contract.unchecked}`]),
  ];
  return {
    title: contract.title,
    description: cut(lines.join("\n").trim()),
    acceptance: cut(acceptance.join("\n")),
  };
}

function cut(text: string): string {
  return text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX)}\n…`;
}
