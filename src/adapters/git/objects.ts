/** Reads and writes git objects by commands that stay open: none is started for each object. */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Git } from "./git.ts";
import { type OpenGit, type Take, takeLine } from "./open-git.ts";

type ObjectType = "blob" | "tree" | "commit";

interface GitObject {
  type: string;
  bytes: Buffer;
}

export interface Objects {
  /** A git command of its own, for what the open ones cannot do. */
  git: Git;
  /** `sha1` or `sha256`, as the repository was made. */
  format: string;
  /** Throws when there is no such object. What was read is kept, within bounds: it never changes. */
  read(oid: string): Promise<GitObject>;
  /** Bytes of an object. */
  sizeOf(oid: string): Promise<number>;
  /** Stores texts or bytes; returns the ids in order. They are on disk before it returns. */
  store(type: ObjectType, contents: (string | Uint8Array)[]): Promise<string[]>;
  /** Stores files by their absolute paths, bytes unchanged; returns the ids in order. */
  storeFiles(paths: string[]): Promise<string[]>;
  /** What became of each path from one tree to another, and its lines, as `git diff-tree -z` tells it. */
  compare(from: string, to: string): Promise<string>;
  /** Removes bytes that a process of this run, killed meanwhile, left on their way in. */
  clear(): Promise<void>;
}

/** Trees and commits kept in memory; the largest repositories have a few thousand folders. */
const KEPT_MAX = 20_000;
/** Files kept: one attempt after the other checks out much the same ones. */
const KEPT_BYTES_MAX = 64_000_000;
const KEPT_FILE_BYTES_MAX = 256_000;
const FULL_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Whether a name is that of an object, whole, and not what leads to one. */
export function isObjectId(name: string): boolean {
  return FULL_ID.test(name);
}

/** The id git gives a blob or other object of these bytes. */
export function objectId(format: string, bytes: Uint8Array, type = "blob"): string {
  return createHash(format).update(`${type} ${bytes.byteLength}\0`).update(bytes).digest("hex");
}

/** Objects behind these commands; `scratch` is a folder for bytes on their way in. */
export function objectsBehind(o: {
  git: Git;
  format: string;
  scratch: string;
  reading: OpenGit;
  comparing: OpenGit;
  writing: Record<ObjectType, OpenGit>;
}): Objects {
  const kept = new Map<string, GitObject>();
  const files = new Map<string, GitObject>();
  let fileBytes = 0;
  const storeFiles = (paths: string[], type: ObjectType) =>
    Promise.all(paths.map((path) => o.writing[type].ask(`${quoted(path)}\n`, takeLine)));
  return {
    git: o.git,
    format: o.format,
    clear: () => rm(o.scratch, { recursive: true, force: true }),
    async read(oid) {
      if (!isObjectId(oid)) throw new Error(`${JSON.stringify(oid)} is no object id`);
      const known = kept.get(oid) ?? files.get(oid);
      if (known !== undefined) return known;
      const object = await o.reading.ask(`contents ${oid}\n`, takeObject);
      if (object === undefined) throw new Error(`git object ${oid} is missing`);
      const isFile = object.type === "blob";
      if (isFile && object.bytes.length > KEPT_FILE_BYTES_MAX) return object;
      // Copied: what git printed is one large piece of memory.
      const copy = { type: object.type, bytes: Buffer.from(object.bytes) };
      if (isFile) {
        fileBytes += copy.bytes.length;
        if (fileBytes > KEPT_BYTES_MAX) {
          files.clear();
          fileBytes = copy.bytes.length;
        }
        files.set(oid, copy);
        return copy;
      }
      if (kept.size >= KEPT_MAX) kept.clear();
      kept.set(oid, copy);
      return copy;
    },
    async sizeOf(oid) {
      const line = await o.reading.ask(`info ${oid}\n`, takeLine);
      return Number(line.split(" ")[2] ?? 0);
    },
    async store(type, contents) {
      if (contents.length === 0) return [];
      const folder = join(o.scratch, randomUUID());
      await mkdir(folder, { recursive: true });
      try {
        const paths = contents.map((_, at) => join(folder, String(at)));
        await Promise.all(contents.map((content, at) => writeFile(paths[at] ?? "", content)));
        return await storeFiles(paths, type);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    storeFiles: (paths) => storeFiles(paths, "blob"),
    compare(from, to) {
      // Git hands out what it has when it meets a line that is no id; no path can hold this one.
      const end = `end ${randomUUID()}\n`;
      return o.comparing.ask(`${from} ${to}\n${end}`, takeUntil(end));
    },
  };
}

/** What is printed between the first line, which repeats the question, and this one. */
function takeUntil(end: string): Take<string> {
  return (printed) => {
    const at = printed.indexOf(end);
    if (at < 0) return { needed: printed.length + 1 };
    return { answer: printed.toString("utf8", printed.indexOf(10) + 1, at), used: at + end.length };
  };
}

/**
 * A path as git reads it from a line. A line end in a name, which a repository may have, would
 * otherwise make two lines of it, and the second could name any file of this machine.
 */
export function quoted(path: string): string {
  const escaped = path.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
    /["\\\u0000-\u001f\u007f]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return escaped === path ? path : `"${escaped}"`;
}

/** `OID TYPE SIZE`, the bytes, a line end; or `OID missing`. */
const takeObject: Take<GitObject | undefined> = (printed) => {
  const lineEnd = printed.indexOf(10);
  if (lineEnd < 0) return { needed: printed.length + 1 };
  const [, type = "", size] = printed.toString("latin1", 0, lineEnd).split(" ");
  if (size === undefined) return { answer: undefined, used: lineEnd + 1 };
  const end = lineEnd + 1 + Number(size);
  if (printed.length <= end) return { needed: end + 1 };
  return { answer: { type, bytes: printed.subarray(lineEnd + 1, end) }, used: end + 1 };
};
