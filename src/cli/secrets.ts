/** What this process knows to be secret, and keeps out of all that it writes, sends and shows. */
import {
  type KnownSecret,
  knownSecrets,
  SECRET_CHARS_MIN,
  tooShort,
  withoutSecrets,
} from "../rules/secrets/known.ts";
import { compileScrubber, type Scrubber } from "../rules/secrets/scrubber.ts";
import type { Environment, Streams } from "./output.ts";

export interface Secrets extends Scrubber {
  /** A value with every text in it scrubbed, also deep inside; the same value when nothing is secret. */
  scrubbed<T>(value: T): T;
  /** Makes the values of these variables secret, too. Returns those too short to be looked for. */
  declare(names: readonly string[]): string[];
  /** The environment without its secrets, for commands that need none. */
  environment(): Record<string, string>;
}

/** The secrets in an environment; nothing is looked at before it is needed. */
export function openSecrets(env: Environment): Secrets {
  const declared = new Set<string>();
  let compiled: Scrubber | undefined;
  const scrubber = () => {
    compiled ??= compileScrubber(knownSecrets(env, [...declared]) satisfies KnownSecret[]);
    return compiled;
  };
  const scrub = (text: string) => (text.length < SECRET_CHARS_MIN ? text : scrubber().scrub(text));
  return {
    scrub,
    find: (text) => scrubber().find(text),
    scrubbed: (value) => scrubDeep(value, scrub),
    declare(names) {
      for (const name of names) declared.add(name);
      compiled = undefined;
      return tooShort(env, names);
    },
    environment: () => withoutSecrets(env, [...declared]),
  };
}

function scrubDeep<T>(value: T, scrub: (text: string) => string): T {
  if (typeof value === "string") return scrub(value) as T & string;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => scrubDeep(item, scrub));
    return items.every((item, at) => item === value[at]) ? value : (items as T & unknown[]);
  }
  let changed = false;
  const entries = Object.entries(value).map(([key, inner]: [string, unknown]) => {
    const entry = [scrub(key), scrubDeep(inner, scrub)] as const;
    changed ||= entry[0] !== key || entry[1] !== inner;
    return entry;
  });
  return changed ? (Object.fromEntries(entries) as T) : value;
}

/** From here on nothing secret is written to these streams, whoever writes. */
export function guardStreams(streams: Pick<Streams, "stdout" | "stderr">, secrets: Secrets): void {
  for (const stream of new Set([streams.stdout, streams.stderr])) {
    const write = stream.write.bind(stream) as (chunk: unknown, ...more: unknown[]) => boolean;
    stream.write = (chunk: unknown, ...more: unknown[]) =>
      write(typeof chunk === "string" ? secrets.scrub(chunk) : chunk, ...more);
  }
}
