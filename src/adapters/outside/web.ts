/** The Web port: pages and searches as text, over connections that lead only where they may. */
import { z } from "zod";
import type { Web, WebText } from "../../domain/ports.ts";
import { urlProblem } from "../../domain/web.ts";
import { type Got, getOnce, RefusedAddress, type Resolve, systemResolve } from "./get.ts";
import { textOfHtml } from "./page-text.ts";

const HOPS_MAX = 5;
/** 1 MB of markup is more than any page of documentation has. */
const BODY_BYTES_MAX = 1_000_000;
const TEXT_CHARS_MAX = 400_000;
const TIME_MS_MAX = 20_000;
const RESULTS_MAX = 8;

export interface WebSettings {
  hosts: readonly string[];
  search?: {
    /** With `{query}` where the words go. */
    url: string;
    /** Sent along, as the endpoint asks for it. */
    header?: { name: string; value: string };
  };
}

/** The web as far as settings allow it. `resolve` finds the addresses of names: the system's own. */
export function openWeb(
  settings: WebSettings,
  o: { resolve?: Resolve; timeMsMax?: number } = {},
): Web {
  const { resolve = systemResolve, timeMsMax = TIME_MS_MAX } = o;
  const { hosts, search } = settings;
  const inTime = async (
    signal: AbortSignal,
    act: (signal: AbortSignal) => Promise<WebText>,
  ): Promise<WebText> => {
    const limit = AbortSignal.timeout(timeMsMax);
    try {
      return await act(AbortSignal.any([signal, limit]));
    } catch (error) {
      if (error instanceof RefusedAddress) return { trouble: error.message, refused: true };
      const seconds = Math.round(timeMsMax / 1000);
      if (limit.aborted) return { trouble: `it did not answer within ${seconds} s` };
      return { trouble: `it cannot be read: ${error instanceof Error ? error.message : error}` };
    }
  };
  return {
    hosts,
    searches: search !== undefined,
    fetch: (url, declared, signal) =>
      inTime(signal, (inner) => fetchPage(url, [hosts, declared], resolve, inner)),
    search: (query, signal) =>
      inTime(signal, async (inner) => {
        if (search === undefined) return { trouble: "no search is configured", refused: true };
        const { url, header } = search;
        const headers = header === undefined ? {} : { [header.name]: header.value };
        const place = new URL(url.replaceAll("{query}", encodeURIComponent(query)));
        const got = await getOnce(place, { resolve, headers, bytesMax: BODY_BYTES_MAX }, inner);
        // Its key goes to the endpoint alone, so it is followed nowhere.
        if (got.status !== 200) return { trouble: `the search answers ${got.status}` };
        return { text: resultsIn(got.body.toString("utf8")), from: place.host };
      }),
  };
}

/** Every hop is judged by all lists, and by where its name leads. */
async function fetchPage(
  address: string,
  lists: readonly (readonly string[])[],
  resolve: Resolve,
  signal: AbortSignal,
): Promise<WebText> {
  let at = address;
  for (let hop = 0; hop <= HOPS_MAX; hop += 1) {
    const problem = urlProblem(at, lists);
    if (problem !== undefined) {
      const trouble = hop === 0 ? problem : `${address.slice(0, 200)} leads on, and ${problem}`;
      return { trouble, refused: true };
    }
    const url = new URL(at);
    url.hash = "";
    const got = await getOnce(url, { resolve, bytesMax: BODY_BYTES_MAX }, signal);
    if (got.location === undefined) return textOf(url, got);
    if (!URL.canParse(got.location, url.href))
      return { trouble: "it leads on to what is no address" };
    at = new URL(got.location, url).href;
  }
  return { trouble: `it leads on more than ${HOPS_MAX} times` };
}

function textOf(url: URL, got: Got): WebText {
  const { status, type, body, cut } = got;
  if (status < 200 || status > 299) return { trouble: `${url.origin} answers ${status}` };
  const [kind = "", ...parameters] = type.toLowerCase().split(";");
  const isText = /^(?:text\/|application\/(?:[\w.+-]*\+)?(?:json|xml|javascript|yaml|toml)$)/;
  if (!isText.test(kind.trim())) {
    // The server's words stand here outside the frame of a page: what a type is made of, and no more.
    const named = kind.replace(/[^\w./+-]/g, "").slice(0, 50) || "something";
    return { trouble: `${url.origin} answers ${named}: only text can be read` };
  }
  const charset = /charset="?([\w-]{1,40})/.exec(parameters.join(";"))?.[1] ?? "utf-8";
  const text = decode(body, charset);
  const read = /html/.test(kind) ? textOfHtml(text) : text;
  const isLong = cut || read.length > TEXT_CHARS_MAX;
  const end = isLong ? "\n[the page is longer; the rest was not read]" : "";
  return { text: read.slice(0, TEXT_CHARS_MAX) + end, from: url.href };
}

function decode(body: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    // A name of no encoding: as good as none.
    return new TextDecoder().decode(body);
  }
}

const result = z.looseObject({
  title: z.string().catch(""),
  url: z.string().optional(),
  link: z.string().optional(),
  content: z.string().optional(),
  description: z.string().optional(),
  snippet: z.string().optional(),
});
const list = z.array(result.catch({ title: "" }));

/** The answer of SearXNG (`results`), Brave (`web.results`) or one that says `items`, in lines. */
function resultsIn(json: string): string {
  const answer = z
    .looseObject({
      results: list.optional(),
      items: list.optional(),
      web: z.looseObject({ results: list.optional() }).optional(),
    })
    .parse(JSON.parse(json));
  const found = answer.results ?? answer.web?.results ?? answer.items ?? [];
  const lines = found.slice(0, RESULTS_MAX).flatMap((one) => {
    const url = one.url ?? one.link;
    if (url === undefined) return [];
    const words = textOfHtml(one.content ?? one.description ?? one.snippet ?? "");
    const parts = [textOfHtml(one.title), url, words];
    return [`- ${parts.map((part) => part.replace(/\s+/g, " ").slice(0, 500)).join("\n  ")}`];
  });
  return lines.length === 0 ? "Nothing was found." : lines.join("\n");
}
