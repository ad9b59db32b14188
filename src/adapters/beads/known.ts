/** Knows up to when all that is in the database was looked at, or written by this process alone. */
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Failure, isFailure } from "../../domain/failure.ts";
import { watchOthers } from "./courtesy.ts";

/** Where an embedded database says what it holds: rewritten with every write, and with no read. */
export const MANIFESTS = "embeddeddolt/*/.dolt/noms/manifest";

/** What two clocks of one machine may differ by over some seconds, unless one of them was set. */
const SLACK_MS = 50;

export interface Known {
  /** Another value than last time when somebody else may have written since. Look after asking for it. */
  version(): string;
  /** Carries out a write of ours that, done, is so many commits; undefined where that is not sure. */
  write<T>(commits: number | undefined, run: () => Promise<T | Failure>): Promise<T | Failure>;
  /** What may have been written by somebody else; undefined where nothing was. */
  doubt(): Doubt | undefined;
}

/** A time in which another bd was there, and ours wrote. */
export interface Doubt {
  /** Commits of ours in it; undefined where that is not sure. */
  ours: number | undefined;
  /** When it began: a commit of before is known. */
  since: Date;
}

/** What is known of the database in this folder; for one process, which writes one at a time. */
export function openKnown(beadsDir: string): Known {
  /** What the manifests were when all was known, and what was told of it. */
  let at = { manifests: "", version: "", ...clocks() };
  let ours: number | undefined = 0;
  return {
    version() {
      const now = clocks();
      const manifests = manifestsOf(beadsDir);
      const version = manifests === at.manifests ? at.version : manifests;
      at = { manifests, version, ...now };
      ours = 0;
      return version;
    },
    async write(commits, run) {
      const watch = await watchOthers(beadsDir);
      // After the first look: whoever had gone by then had written by then.
      const wasOld = manifestsOf(beadsDir) !== at.manifests;
      const ended = await run();
      // Taken before the last look: whoever wrote by then was there by then.
      const manifests = manifestsOf(beadsDir);
      const looked = clocks();
      const isAlone = !(await watch.end()) && !wasOld && ours === 0 && !isFailure(ended);
      if (isAlone) at = { ...at, manifests, ...looked };
      else if (ours !== undefined) {
        ours = commits === undefined || isFailure(ended) ? undefined : ours + commits;
      }
      return ended;
    },
    doubt() {
      if (ours === 0) return undefined;
      const now = clocks();
      const isSet = Math.abs(now.date - at.date - (now.running - at.running)) > SLACK_MS;
      return { ours: isSet ? undefined : ours, since: new Date(at.date) };
    },
  };
}

const clocks = () => ({ date: Date.now(), running: performance.now() });

/** A hash of all manifests. Without one (another storage) every answer differs: always look. */
function manifestsOf(beadsDir: string): string {
  const files = globSync(MANIFESTS, { cwd: beadsDir }).sort();
  if (files.length === 0) return crypto.randomUUID();
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(join(beadsDir, file)));
  return hash.digest("hex");
}
