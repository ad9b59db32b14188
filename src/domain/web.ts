/** Which addresses of the web may be read: a host by its name over https, or one local server. */

const LOCAL = /^http:\/\/(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d{1,5})?$/;
const HOST = /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;

/**
 * Why this cannot stand in a list of allowed hosts; undefined when it can: `docs.python.org`,
 * `*.python.org` for all below it, or the origin of a server on this machine,
 * `http://127.0.0.1:8080`.
 */
export function hostProblem(entry: string): string | undefined {
  if (LOCAL.test(entry)) return undefined;
  if (HOST.test(entry) && !/\.\d+$/.test(entry)) return undefined;
  return "must be a host (docs.python.org, *.python.org), or http://127.0.0.1:PORT for a server on this machine";
}

/** True for the origin of a server on this machine, the only place that may be asked without TLS. */
export function isLocalOrigin(entry: string): boolean {
  return LOCAL.test(entry);
}

/**
 * Why an address must not be read, in words a model can act on; undefined when an entry of every
 * list allows it. `*` in a list allows what the others do.
 */
export function urlProblem(
  text: string,
  lists: readonly (readonly string[])[],
): string | undefined {
  if (!URL.canParse(text)) return `\`${text.slice(0, 200)}\` is no address`;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    return "an address must not hold a name or password";
  if (text.length > 2000) return "the address is longer than 2000 characters";
  const isLocal = isLocalOrigin(url.origin);
  if (!isLocal && url.protocol !== "https:") return `only https is read, not ${url.protocol}`;
  if (!isLocal && url.port !== "") return "only the usual port of https is read";
  const unlisted = lists.some((list) => !list.some((entry) => allows(entry, url)));
  if (!unlisted && lists.length > 0) return undefined;
  const known = [...new Set(lists.flat())].filter((entry) => entry !== "*");
  const which = known.length === 0 ? "no host" : known.join(", ");
  return `${url.origin} is not among the hosts this task may read: ${which}`;
}

function allows(entry: string, url: URL): boolean {
  if (entry === "*") return true;
  if (isLocalOrigin(entry)) return url.origin === new URL(entry).origin;
  if (url.protocol !== "https:") return false;
  return entry.startsWith("*.") ? url.hostname.endsWith(entry.slice(1)) : url.hostname === entry;
}
