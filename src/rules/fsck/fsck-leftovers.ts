/** What a run must have let go of when no controller is at work: leases, reservations, workspaces, processes. */
import type { RunState } from "../../domain/run-state.ts";
import type { Finding } from "./finding.ts";

export interface LeftoverFacts {
  /** Folders of attempts and checks in the cache. */
  workspaces: readonly string[];
  /** Processes that work in them; left out where the system does not tell. */
  processes?: readonly { pid: number; command: string }[];
}

/** Words of a command line that are shown. */
const COMMAND_CHARS_MAX = 200;

/** Everything that is still held. A run that was cut off has a right to it until it is resumed. */
export function leftoverFindings(state: RunState, facts: LeftoverFacts, goOn: string): Finding[] {
  const severity = state.stopped === undefined ? "unfinished" : "broken";
  const remedy = `${goOn}   # lets go of it`;
  const leases = [...state.tasks.values()].flatMap(({ id, lease }): Finding[] => {
    if (lease === undefined) return [];
    const detail = `${lease.role} attempt ${lease.attempt} holds it (${lease.holder}), and nobody is at work`;
    return [{ kind: "lease-open", severity, where: id, detail, remedy }];
  });
  const calls = [...state.ledger.open].map(([call, { task }]): Finding => {
    const detail = `model call ${call} neither ended nor failed; what it reserved is held`;
    return { kind: "reservation-open", severity, where: task, detail, remedy };
  });
  const workspaces = facts.workspaces.map((where): Finding => {
    const detail = "an attempt's folder was left in the cache";
    return { kind: "workspace-left", severity, where, detail, remedy: `rm -r ${where}` };
  });
  const processes = (facts.processes ?? []).map(({ pid, command }): Finding => {
    const detail = `still runs in a workspace: ${command.slice(0, COMMAND_CHARS_MAX)}`;
    const where = `process ${pid}`;
    return { kind: "process-running", severity: "broken", where, detail, remedy: `kill ${pid}` };
  });
  return [...leases, ...calls, ...workspaces, ...processes];
}
