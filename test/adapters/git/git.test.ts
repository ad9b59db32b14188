/** The git command as it is run: away from the terminal, and telling why it did not answer. */
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { userGit } from "../../../src/adapters/git/git.ts";
import { openGit, takeLine } from "../../../src/adapters/git/open-git.ts";

const git = userGit(tmpdir());
/** Runs shell text where git would do its work. */
const within = (text: string) => git(["-c", `alias.within=!${text}`, "within"]);

/** The fifth field of `/proc/PID/stat`: the group a terminal sends its signals to. */
const groupIn = (stat: string) => stat.split(") ").at(-1)?.split(" ")[2];

it("is out of reach of a Ctrl-C in the terminal, which fractal alone handles", async () => {
  const own = groupIn(readFileSync("/proc/self/stat", "utf8"));
  const { text } = await within("cat /proc/self/stat");
  expect(groupIn(text)).toMatch(/^\d+$/);
  expect(groupIn(text)).not.toBe(own);
});

it("says which signal ended it", async () => {
  await expect(within("kill -KILL $PPID")).rejects.toThrow(/SIGKILL/);
});

it("names the disk's trouble by its code, as Node does, also from a git that stays open", async () => {
  const full =
    "echo 'fatal: unable to write loose object file: No space left on device' >&2; exit 128";
  await expect(within(full)).rejects.toMatchObject({ code: "ENOSPC" });
  const args = ["-c", `alias.within=!${full}`, "within"];
  const open = openGit({ args, cwd: tmpdir(), env: process.env });
  await expect(open.ask("?\n", takeLine)).rejects.toMatchObject({ code: "ENOSPC" });
});
