/** What a task and those above it need from outside the sandbox, what of it nobody allowed, and what a plan may add. */
import { hostsNeeded } from "../../domain/needs.ts";
import type { RunState, TaskState } from "../../domain/run-state.ts";
import { ancestorsOf, holdOf } from "../status.ts";

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
  const hosts = hostsNeeded(missing).map((host) => (host === "*" ? "HOST" : host));
  const web = [
    ...(hosts.length > 0
      ? [`hosts: ${JSON.stringify([...new Set(hosts)]).replaceAll(",", ", ")}`]
      : []),
    ...(missing.includes("search")
      ? ["search: {url: 'https://HOST/search?format=json&q={query}'}"]
      : []),
  ];
  return [
    ...(missing.includes("install")
      ? ["install: cache   # or `network`: what the cache lacks is downloaded"]
      : []),
    ...(web.length > 0 ? [`web: {${web.join(", ")}}`] : []),
  ];
}

/**
 * What a task needs that no setting allows and nobody was asked about yet, for it or for those above
 * it: whoever answered has either allowed it by now or said to go on without.
 */
export function needsUnasked(state: RunState, task: TaskState): string[] {
  if (task.shape === "split") return [];
  const missing = needsMissing(needsOf(state, task), state.allows ?? []);
  if (missing.length === 0) return [];
  const asked = [task, ...ancestorsOf(state, task.id)]
    .flatMap((one) => one.questions)
    .flatMap((id) => state.questions.get(id) ?? [])
    .filter(({ kind, state: stands }) => kind === "needs" && stands !== "moot");
  return missing.filter((need) => !asked.some(({ needs }) => needs?.includes(need) ?? true));
}

/** A task, and those of the same plan that wait for the same kind of word: one answer is for all. */
export function askedTogether(state: RunState, task: TaskState): TaskState[] {
  const siblings = state.tasks.get(task.parent ?? "")?.children ?? [];
  const others = siblings
    .flatMap((id) => state.tasks.get(id) ?? [])
    .filter(
      (one) =>
        one.id !== task.id &&
        one.end === undefined &&
        one.question === undefined &&
        one.lease === undefined &&
        holdOf(state, one.id) === undefined &&
        needsUnasked(state, one).length > 0,
    );
  return [task, ...others];
}

/** More hosts than this are not named to a planner: `web` stands for all of them. */
const HOSTS_NAMED_MAX = 10;

/**
 * What a planner may say that parts need: what the settings allow, and a task and those above it do
 * not have already. `installs` where there is a lock file to install from, `browses` where its
 * workers have the tools of the web. Empty: the planner is not asked.
 */
export function needsToOffer(
  has: readonly string[],
  allows: readonly string[],
  can: { installs: boolean; browses: boolean },
): string[] {
  const rest = allows.filter((one) => {
    if (has.includes(one)) return false;
    if (one === "install") return can.installs;
    return can.browses && !(one.startsWith("web") && has.includes("web"));
  });
  const hosts = rest.filter((one) => one.startsWith("web:"));
  return hosts.length > HOSTS_NAMED_MAX
    ? [...rest.filter((one) => !hosts.includes(one)), "web"]
    : rest;
}

const SAID = new Map([
  ["install", "`install` (the packages of the lock file)"],
  ["search", "`search` (a web search)"],
  ["web", "`web` (pages of the hosts that are allowed)"],
]);

/** What is offered to a planner, in words. */
export function renderOffered(offered: readonly string[]): string {
  return offered.map((one) => SAID.get(one) ?? `\`${one}\` (its pages)`).join(", ");
}
