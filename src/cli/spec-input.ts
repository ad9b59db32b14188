/** Reads a specification from a file or stdin, and refuses what cannot be one. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import type { Readable } from "node:stream";
import type { Spec } from "../domain/spec.ts";
import { parseSpec } from "../rules/spec/spec.ts";
import { closestName } from "../rules/text/suggest.ts";
import { placeOf } from "./config.ts";
import { EXIT, type Refusal, refuse } from "./exit.ts";

/** The text of a specification, known by its path and bytes. */
export interface SpecInput {
  /** Relative to the repository's top folder where it is inside; `-` for stdin. */
  path: string;
  /** Where it was read; undefined for stdin. */
  file?: string;
  text: string;
  /** SHA-256 of the bytes, hex. */
  hash: string;
}

/** An 80 KB standard document is fine; megabytes are not a specification. */
export const SPEC_BYTES_MAX = 1_000_000;

const NAME_ONE = { next: ["fractal run spec.md   # a Markdown file that says what is wanted"] };

/** Reads `path` (relative to `dir`), or stdin for `-`. `top` is the repository's top folder. */
export async function readSpecInput(o: {
  path: string;
  dir: string;
  top: string;
  stdin: Readable & { isTTY?: boolean };
}): Promise<SpecInput | Refusal> {
  if (o.path === "-") {
    if (o.stdin.isTTY === true) {
      return refuse(EXIT.usage, "`-` reads the specification from stdin, and nothing is piped in", {
        next: ["fractal run - < spec.md"],
      });
    }
    const bytes = await firstBytes(o.stdin);
    return textOf("-", bytes, { path: "-" });
  }
  const file = resolve(o.dir, o.path);
  let bytes: Buffer;
  try {
    const found = await stat(file);
    if (!found.isFile()) return refuse(EXIT.usage, `${o.path} is not a file`, NAME_ONE);
    bytes = await firstBytes(createReadStream(file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOENT") {
      const next = ["make it readable, and give the same command again"];
      return refuse(EXIT.usage, `${o.path} cannot be read (${code})`, { where: [file], next });
    }
    const meant = await namedLike(file);
    const next = meant === undefined ? NAME_ONE : { next: [`did you mean ${meant}?`] };
    return refuse(EXIT.usage, `${o.path} does not exist`, { where: [file], ...next });
  }
  const inside = relative(o.top, file);
  const path = inside.startsWith("..") || inside === "" ? file : inside.replaceAll("\\", "/");
  return textOf(o.path, bytes, { path, file });
}

/** The name of a file beside the one that is not there, if it may be a slip of the hand. */
async function namedLike(file: string): Promise<string | undefined> {
  const names = await readdir(dirname(file)).catch(() => []);
  return closestName(
    basename(file),
    names.filter((name) => /\.(?:md|markdown|json)$/i.test(name)),
  );
}

async function firstBytes(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream) {
    const bytes = Buffer.from(part as Buffer | string);
    parts.push(bytes);
    length += bytes.length;
    if (length > SPEC_BYTES_MAX) break;
  }
  return Buffer.concat(parts);
}

function textOf(
  said: string,
  bytes: Buffer,
  known: { path: string; file?: string },
): SpecInput | Refusal {
  const name = said === "-" ? "stdin" : said;
  if (bytes.length > SPEC_BYTES_MAX) {
    return refuse(EXIT.usage, `${name} is larger than ${SPEC_BYTES_MAX / 1_000_000} MB`, {
      next: ["write one specification per piece of work, and run them one after the other"],
    });
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse(EXIT.usage, `${name} is not UTF-8 text`, NAME_ONE);
  }
  return { ...known, text, hash: createHash("sha256").update(bytes).digest("hex") };
}

/** The specification in a text; every problem with it at once when it cannot be used. */
export function parseSpecInput(input: SpecInput): Spec | Refusal {
  const spec = parseSpec(input.path === "-" ? "stdin" : input.path, input.text, input.hash);
  if (!("problems" in spec)) return { ...spec, path: input.path };
  return refuse(EXIT.usage, "the specification cannot be used", {
    where: spec.problems.map(placeOf),
    next: ["put this right, and give the same command again"],
  });
}
