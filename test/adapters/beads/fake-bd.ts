/** A program in place of `bd` that does what the test says, for what the real one seldom does. */
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Writes a shell script as `bd` into a folder of its own. */
export async function fakeBd(script: string): Promise<{ path: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "fractal-fake-bd-"));
  const path = join(folder, "bd");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return { path, folder };
}
