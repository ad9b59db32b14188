/** Has a file system put the folders made in one of ours far from each other on the disk. */
import { succeeds } from "./remove.ts";

/**
 * Marks a folder as the top of others that have nothing to do with each other. ext4 keeps what is
 * below one of them together and apart from the rest. Unmarked, all workspaces share one corner of
 * the disk, and ext4 without a journal, as many virtual machines have it, passes over every file
 * removed there within the last minutes before it makes a new one: a workspace of 5,000 files took
 * seconds instead of tenths. A hint: other file systems do not know it, and nothing depends on it.
 */
export async function spreadBelow(folder: string): Promise<void> {
  if (process.platform === "linux") await succeeds("chattr", "+T", "--", folder);
}
