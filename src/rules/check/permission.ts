/** Which tools a task may use, and which files they may change. */
import type { Contract } from "../../domain/task.ts";

const READING = ["read_file", "list_files", "search_files", "run_tests", "ask_human"];

/** The tools on a task's allow-list, by its kind. */
export function allowedTools(contract: Contract): string[] {
  switch (contract.kind) {
    case "code":
      return [...READING, "write_file", "edit_file", "run_command"];
    case "text":
      return [...READING, "write_file", "edit_file"];
    case "command":
      return [];
  }
}

/** Why a tool call is refused, in words the model can act on; undefined when it may run. */
export function refuseTool(contract: Contract, tool: string, args: unknown): string | undefined {
  const allowed = allowedTools(contract);
  if (!allowed.includes(tool)) {
    return `${tool} is not on this task's list: ${allowed.join(", ")}`;
  }
  if (tool !== "write_file" && tool !== "edit_file") return undefined;
  const path = (args as { path?: unknown } | null)?.path;
  if (typeof path !== "string") return "`path` is missing";
  const plain = path.replace(/^\.\//, "");
  if (contract.files.includes(plain)) return undefined;
  return `${path} is not one of this task's files: ${contract.files.join(", ")}. If it must change, ask_human and say why.`;
}
