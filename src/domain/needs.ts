/** What a task needs from outside the sandbox, as its contract declares it and settings allow it. */
import { z } from "zod";

/** What a need may look like, for messages. */
export const NEEDS_ACCEPTED = "install, search, web or web:HOST";

/**
 * `install`: the packages of the lock file; `search`: the search endpoint; `web`: pages of every
 * host that the user's settings allow, `web:HOST` of that host, or with `*.` of those below it.
 */
export const need = z
  .string()
  .regex(
    /^(?:install|search|web(?::\S{1,200})?)$/,
    `must be what lies outside the sandbox: ${NEEDS_ACCEPTED}`,
  );

/** The hosts that a list of needs names; `web` alone is any host. */
export function hostsNeeded(needs: readonly string[]): string[] {
  return needs.flatMap((one) => {
    if (one === "web") return ["*"];
    return one.startsWith("web:") ? [one.slice("web:".length).toLowerCase()] : [];
  });
}
