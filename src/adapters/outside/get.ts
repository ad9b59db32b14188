/** One GET over http or https: the address is checked, and the checked address is connected to. */
import { lookup as systemLookup } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isLocalOrigin } from "../../domain/web.ts";
import { isLoopback, isPublic } from "./addresses.ts";

/** Finds the addresses of a name. */
export type Resolve = (host: string) => Promise<{ address: string; family: number }[]>;

export const systemResolve: Resolve = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, found) => (error ? reject(error) : resolve(found)));
  });

export interface GetOptions {
  resolve: Resolve;
  headers?: Record<string, string>;
  /** Of the body; one that is longer is cut there. */
  bytesMax: number;
}

export interface Got {
  status: number;
  /** Where it sends one on to, as it was given. */
  location?: string;
  type: string;
  body: Buffer;
  cut: boolean;
}

/** An address that may not be connected to. */
export class RefusedAddress extends Error {}

/**
 * Asks once, following nothing, with no cookies and no proxy. A name that leads to any address that
 * is not public (a local origin: not this machine) is refused, and the connection goes to the very
 * addresses that were looked at: what the name says a moment later makes no difference. Rejects with
 * what went wrong.
 */
export async function getOnce(url: URL, o: GetOptions, signal: AbortSignal): Promise<Got> {
  const mayReach = isLocalOrigin(url.origin) ? isLoopback : isPublic;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const found = isIP(host) === 0 ? await o.resolve(host) : [{ address: host, family: isIP(host) }];
  const bad = found.find(({ address }) => !mayReach(address));
  if (bad !== undefined || found.length === 0) {
    const where = bad === undefined ? "nowhere" : `the address ${bad.address}, which is private`;
    throw new RefusedAddress(`${url.hostname} leads to ${where}`);
  }
  const lookup: LookupFunction = (_host, options, give) => {
    const [first] = found;
    if (options.all) give(null, found);
    else give(null, first?.address ?? "", first?.family);
  };
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const headers = {
    "user-agent": "fractal",
    accept: "text/html, text/*, application/json, application/xml",
    "accept-encoding": "identity",
    ...o.headers,
  };
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    // A connection of its own: none that was made for another name is used again.
    send(url, { method: "GET", agent: false, headers, lookup, signal })
      .on("response", resolve)
      .on("error", reject)
      .end();
  });
  const { location } = reply.headers;
  const status = reply.statusCode ?? 0;
  const common = { status, type: reply.headers["content-type"] ?? "" };
  if (status >= 300 && status < 400 && location !== undefined) {
    reply.destroy();
    return { ...common, location, body: Buffer.alloc(0), cut: false };
  }
  const encoding = reply.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    reply.destroy();
    throw new Error(`it answers in ${encoding.slice(0, 50)}, though it was asked not to`);
  }
  return { ...common, ...(await readBody(reply, o.bytesMax)) };
}

async function readBody(
  reply: IncomingMessage,
  bytesMax: number,
): Promise<{ body: Buffer; cut: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop ends the connection.
    if (bytes > bytesMax) break;
  }
  return { body: Buffer.concat(chunks).subarray(0, bytesMax), cut: bytes > bytesMax };
}
