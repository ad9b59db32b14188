/** What a task and those above it need from outside the sandbox, and what of it nobody allowed. */
import { hostsNeeded } from "../../domain/needs.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import { ancestorsOf } from "../status.ts";

/** The needs of a task: its own and those of all above it. */
export function needsOf(state: RunState, task: TaskState): string[] {
  const all = [task, ...ancestorsOf(state, task.id)].flatMap((one) => one.contract.needs ?? []);
  return [...new Set(all)].sort();
}

/** The needs that nothing in `allows` covers; both are written alike. */
export function needsMissing(needs: readonly string[], allows: readonly string[]): string[] {
  return needs.filter((one) => {
    if (!one.startsWith("web")) return !allows.includes(one);
    const [host = "*"] = hostsNeeded([one]);
    return !hostsNeeded(allows).some((entry) => covers(entry, host));
  });
}

/** Whether allowing `entry` allows something of `host`, either of which may be a pattern. */
function covers(entry: string, host: string): boolean {
  if (host === "*" || entry === host) return true;
  if (host.startsWith("*.")) return `.${entry}`.endsWith(host.slice(1));
  return entry.startsWith("*.") && host.endsWith(entry.slice(1));
}

/** What a person writes into their own settings so that these needs are met, a line each. */
export function linesToAllow(missing: readonly string[]): string[] {
  const lines = missing.map((one) => {
    if (one === "install")
      return "install: cache   # or `network`: what the cache lacks is downloaded";
    if (one === "search")
      return "web: {search: {url: 'https://HOST/search?format=json&q={query}'}}";
    const host = one === "web" ? "HOST" : one.slice("web:".length);
    return `web: {hosts: [${JSON.stringify(host)}]}`;
  });
  return [...new Set(lines)];
}
