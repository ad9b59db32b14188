/** What `fractal gc` finds in real repositories. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { collectGarbage } from "../../src/cli/collecting.ts";
import { isRefusal } from "../../src/cli/exit.ts";

it("keeps what another work tree's run has in the refs they share, unless it is named", async () => {
  const home = mkdtempSync(join(tmpdir(), "fractal-gc-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const first = join(home, "first");
  mkdirSync(first);
  const git = (...args: string[]) => execFileSync("git", args, { cwd: first, stdio: "ignore" });
  git("init", "-q");
  const who = ["-c", "user.name=Una", "-c", "user.email=una@example.org"];
  git(...who, "commit", "-q", "--allow-empty", "-m", "first");
  for (const ref of ["heads/fractal/k3f9x2/main", "fractal/k3f9x2/base", "fractal/k3f9x2/r.a1.1"]) {
    git("update-ref", `refs/${ref}`, "HEAD");
  }
  const second = join(home, "second");
  git("worktree", "add", "-q", second);
  const look = async (...runs: string[]) => {
    const found = await collectGarbage({ dir: second, runs, onlyLooks: true });
    if (isRefusal(found)) throw new Error(found.what);
    return { kinds: found.garbage.map(({ kind }) => kind), kept: found.kept };
  };
  expect(await look()).toEqual({
    kinds: [],
    kept: [{ runId: "k3f9x2", why: expect.stringContaining("another work tree") }],
  });
  expect(await look("k3f9x2")).toEqual({ kinds: ["unmerged", "branch"], kept: [] });
});
