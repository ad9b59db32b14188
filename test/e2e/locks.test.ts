/** Locks of git in the way of a run, with the real program: its own are healed, a person's end it with exit 6. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { TINY_MATH, TINY_MATH_ANSWERS, TINY_MATH_PLAN, TWICE_RIGHT } from "./plans.ts";
import { aRig, type Rig } from "./rig.ts";

/** A run that waits for an answer, with `add` merged; and how it goes on. */
async function asking(rig: Rig) {
  const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
  const asks = "```question\nWhich twice?\n- this\n- that\n```";
  const model = rig.script([
    ...TINY_MATH_ANSWERS.slice(0, 1),
    { role: "worker", task: "twice", text: asks },
  ]);
  const end = await rig.fractal(["run", plan, "--model", model]);
  expect(end.exitCode, end.all).toBe(3);
  const run = rig.runs()[0] ?? "";
  const opened = rig.events().find((event) => event.event_type === "question.opened");
  const question = opened?.event_type === "question.opened" ? opened.question : "";
  const answered = await rig.fractal(["answer", question, "this"]);
  expect(answered.exitCode, answered.all).toBe(0);
  const right = rig.script([{ role: "worker", task: "twice", text: TWICE_RIGHT }]);
  const branch = `refs/heads/fractal/${run}/main`;
  return {
    run,
    branch,
    lock: join(rig.dir, ".git", `${branch}.lock`),
    resume: () => rig.fractal(["resume", run, "--model", right]),
  };
}

/** A real git that has locked a ref to move it to where it is already. */
async function holding(rig: Rig, ref: string): Promise<ChildProcess> {
  const child = spawn("git", ["update-ref", "--stdin"], {
    cwd: join(rig.dir, ".git"),
    env: { PATH: process.env["PATH"] },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const tip = rig.git("rev-parse", ref);
  child.stdin.write(`start\nupdate ${ref} ${tip} ${tip}\nprepare\n`);
  for (let said = ""; !said.includes("prepare: ok"); ) {
    said += String((await once(child.stdout, "data"))[0]);
  }
  return child;
}

const isLinux = process.platform === "linux";
if (!isLinux)
  process.stderr.write("only Linux tells which processes run: no lock is healed here\n");

it.skipIf(!isLinux)(
  "a lock that a killed git left on the run's branch does not stop the run",
  async () => {
    using rig = aRig();
    const { run, branch, lock, resume } = await asking(rig);
    const git = await holding(rig, branch);
    git.kill("SIGKILL");
    await once(git, "exit");
    expect(existsSync(lock)).toBe(true);
    const ended = await resume();
    expect(ended.exitCode, ended.all).toBe(0);
    expect(existsSync(lock)).toBe(false);
    expect(rig.onBranch("lib/twice.mjs")).toContain("add(n, n)");
    expect((await rig.fractal(["fsck", run])).exitCode).toBe(0);
  },
);

it("a lock of a person's git ends the run with exit 6: named, kept, and gone on from", async () => {
  using rig = aRig();
  const { run, branch, resume } = await asking(rig);
  rig.git("checkout", "--quiet", "--force", `fractal/${run}/main`);
  const lock = join(rig.dir, ".git", "HEAD.lock");
  writeFileSync(lock, "");
  const tip = rig.git("rev-parse", branch);
  const ended = await resume();
  expect(ended.exitCode, ended.all).toBe(6);
  expect(ended.stderr).toContain(`rm '${lock}'`);
  expect(ended.stderr).not.toContain("bug");
  expect(existsSync(lock)).toBe(true);
  expect(rig.git("rev-parse", branch)).toBe(tip);
  expect(rig.events().at(-1)).toMatchObject({ event_type: "run.stopped", exit_code: 6 });
  const found = await rig.fractal(["fsck", run, "--json"]);
  const broken = JSON.parse(found.stdout).data.findings.filter(
    ({ severity }: { severity: string }) => severity === "broken",
  );
  expect(broken).toEqual([]);
  rmSync(lock);
  const again = await resume();
  expect(again.exitCode, again.all).toBe(0);
  expect((await rig.fractal(["fsck", run])).exitCode).toBe(0);
});
