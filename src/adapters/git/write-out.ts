/** Writes the files of a tree into an empty folder, without git and what it would heed in them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Objects } from "./objects.ts";
import type { TreeEntry } from "./trees.ts";

const LINK = "120000";
/** Files written in one go: however slow the disk, nothing else waits for longer than that. */
const FILES_AT_ONCE = 250;

/** `placeOf` says where the file of a path belongs. Throws where something is there already. */
export async function writeOut(
  objects: Objects,
  entries: readonly TreeEntry[],
  placeOf: (path: string) => string,
): Promise<void> {
  const read = async ({ path, mode, oid }: TreeEntry) => {
    const { bytes } = await objects.read(oid);
    return { place: placeOf(path), mode, bytes };
  };
  for (const folder of new Set(entries.map(({ path }) => dirname(placeOf(path))))) {
    mkdirSync(folder, { recursive: true });
  }
  const files = entries.filter((entry) => entry.mode !== LINK);
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    const some = await Promise.all(files.slice(at, at + FILES_AT_ONCE).map(read));
    for (const { place, mode, bytes } of some) {
      // Not by a thread: to pass each small file to one takes three times as long as writing it.
      writeFileSync(place, bytes, {
        // `wx`: never through something that is already there.
        flag: "wx",
        mode: mode === "100755" ? 0o755 : 0o644,
      });
    }
    await setImmediate();
  }
  // Links last, so that no file can be written through one.
  for (const entry of entries.filter(({ mode }) => mode === LINK)) {
    const { place, bytes } = await read(entry);
    await symlink(bytes, place);
  }
}
