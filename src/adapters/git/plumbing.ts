/** A bare repository of our own beside the user's: the same objects, none of the configuration. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cleanComparer, cleanGit, cleanReader, cleanWriter } from "./git.ts";
import { type Objects, objectsBehind } from "./objects.ts";

/**
 * A repository of our own that shares nothing with the user's but the objects: no configuration,
 * attribute, hook or merge driver of theirs has a say in what we do with them. Bytes on their way in
 * are kept apart by run.
 */
export async function openObjects(
  commonDir: string,
  format: string,
  runId: string,
): Promise<Objects> {
  const own = join(commonDir, "fractal", "plumbing");
  const version = format === "sha1" ? 0 : 1;
  const extension = format === "sha1" ? "" : `[extensions]\n\tobjectFormat = ${format}\n`;
  const sharing = await cleanGit(commonDir)(["config", "--get", "core.sharedRepository"], {
    answers: [0, 1],
  });
  const shared = sharing.text === "" ? "" : `\tsharedRepository = ${sharing.text}\n`;
  await mkdir(join(own, "refs"), { recursive: true });
  await mkdir(join(own, "objects"), { recursive: true });
  await settle(join(own, "HEAD"), "ref: refs/heads/none\n");
  await settle(
    join(own, "config"),
    `[core]\n\trepositoryFormatVersion = ${version}\n\tbare = true\n${shared}${extension}`,
  );
  const env = { GIT_OBJECT_DIRECTORY: join(commonDir, "objects") };
  return objectsBehind({
    git: cleanGit(own, env),
    format,
    scratch: join(own, "scratch", runId),
    reading: cleanReader(own, env),
    comparing: cleanComparer(own, env),
    writing: {
      blob: cleanWriter(own, "blob", env),
      tree: cleanWriter(own, "tree", env),
      commit: cleanWriter(own, "commit", env),
    },
  });
}

/** Makes a file hold a text, so that a reader sees all of it or what was there before. */
async function settle(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return;
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, text);
  await rename(draft, path);
}
