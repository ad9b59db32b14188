/** Which tools a role may use on a task, and which files they may change: all else is refused. */
import type { Role } from "../../domain/conversation.ts";
import { pathProblem } from "../../domain/path.ts";
import type { Contract } from "../../domain/task.ts";

const READING = ["read_file", "list_files", "search_files", "run_tests"];
const ASKING = ["ask_human", "report_missing"];
const WEB = ["fetch_url", "search_web"];

/** True for the tools that the controller carries out, since nothing inside has a network. */
export function isWebTool(tool: string): boolean {
  return WEB.includes(tool);
}

/**
 * The tools on the allow-list of a role for a task of this kind. `reaches` names the tools of the
 * web that the task declares and the user's settings allow.
 */
export function allowedTools(
  role: Role,
  contract: Pick<Contract, "kind">,
  reaches: readonly string[] = [],
): string[] {
  switch (role) {
    case "worker":
      return workerTools(contract, reaches);
    // Its patch is written file by file, as a worker's answer is.
    case "fixer":
      return contract.kind === "command" ? [] : ["write_file"];
    case "planner":
    case "router":
    case "reviewer":
      return [];
  }
}

function workerTools({ kind }: Pick<Contract, "kind">, reaches: readonly string[]): string[] {
  const web = WEB.filter((tool) => reaches.includes(tool));
  switch (kind) {
    case "code":
      return [
        ...READING,
        ...ASKING,
        "write_file",
        "edit_file",
        "request_file",
        "run_command",
        ...web,
      ];
    case "text":
      return [...READING, ...ASKING, "write_file", "edit_file", ...web];
    case "command":
      return [];
  }
}

/** Why a tool call is refused, in words the model can act on; undefined when it may run. */
export function refuseTool(
  allowed: readonly string[],
  contract: Pick<Contract, "files">,
  tool: string,
  args: unknown,
): string | undefined {
  if (!allowed.includes(tool)) {
    return `${tool.slice(0, 100)} is not on this task's list: ${allowed.join(", ") || "none"}`;
  }
  const path = (args as { path?: unknown } | null)?.path;
  if (tool !== "write_file" && tool !== "edit_file") {
    return typeof path === "string" ? refuseReading(path) : undefined;
  }
  if (typeof path !== "string") return "`path` is missing";
  const plain = path.replace(/^\.\//, "");
  if (contract.files.includes(plain)) return undefined;
  return `${path} is not one of this task's files: ${contract.files.join(", ")}. If the task cannot be done without it, ask for it with request_file.`;
}

function refuseReading(path: string): string | undefined {
  const plain = path.replace(/^(?:\.\/+)+/, "").replace(/(?<!\/)\/+$/, "");
  if (plain === "." || (plain === "" && path.startsWith("./"))) return undefined;
  const problem = pathProblem(plain);
  if (problem === undefined) return undefined;
  return `${path} ${problem}: only files of the workspace can be read, by their path in it`;
}
