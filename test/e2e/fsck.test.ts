/** `fractal fsck` and `fractal replay` on real runs: what is whole, what was cut off, what is damaged. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/rules/fsck/finding.ts";
import { aMailbox } from "./mailbox.ts";
import { TINY_MATH, TINY_MATH_ANSWERS, TINY_MATH_PLAN } from "./plans.ts";
import { aRig, type Rig } from "./rig.ts";

interface Checked {
  exitCode: number;
  stderr: string;
  findings: (Finding & { run: string })[];
  /** `kind severity` of each. */
  kinds: string[];
  unseen: string[];
}

async function fsck(rig: Rig, args: string[] = [], env = {}): Promise<Checked> {
  const ran = await rig.fractal(["fsck", ...args, "--json"], { env });
  const { data } = JSON.parse(ran.stdout);
  return {
    exitCode: ran.exitCode,
    stderr: ran.stderr,
    findings: data.findings,
    kinds: data.findings.map(({ kind, severity }: Finding) => `${kind} ${severity}`),
    unseen: data.not_looked_at.map(({ what }: { what: string }) => what),
  };
}

/** A run of TINY_MATH that is done, and its id. */
async function aDoneRun(rig: Rig): Promise<string> {
  const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
  const ran = await rig.fractal(["run", plan, "--model", rig.script(TINY_MATH_ANSWERS)]);
  expect(ran.exitCode, ran.all).toBe(0);
  return rig.runs()[0] ?? "";
}

/** Every file of the checkout, git's own included, by its bytes. */
function everything(rig: Rig): Map<string, string> {
  const files = globSync("**/*", { cwd: rig.dir, exclude: [] }).concat(
    globSync([".git/**/*", ".beads/**/*", ".fractal/**/*"], { cwd: rig.dir }),
  );
  return new Map(
    files
      .filter((file) => statSync(join(rig.dir, file)).isFile())
      .map((file) => [
        file,
        createHash("sha256")
          .update(readFileSync(join(rig.dir, file)))
          .digest("hex"),
      ]),
  );
}

describe("fractal fsck", () => {
  it("finds nothing in a run that is done, and changes nothing", async () => {
    using rig = aRig();
    const run = await aDoneRun(rig);
    const before = everything(rig);

    const ran = await rig.fractal(["fsck"]);

    expect(ran.exitCode, ran.all).toBe(0);
    expect(ran.stdout).toBe(`${run}\tclean`);
    expect(before.size).toBeGreaterThan(50);
    expect(everything(rig)).toEqual(before);
    expect((await rig.fractal(["fsck", "nobody"])).exitCode).toBe(2);
  });

  it("names what a kill left, says so while a run is at work, and finds nothing after it went on", async () => {
    using rig = aRig();
    const mailbox = aMailbox(rig);
    const plan = rig.plan(TINY_MATH, { root: TINY_MATH_PLAN });
    const first = rig.start(["run", plan, "--model", mailbox.model]);
    await mailbox.letter("worker", "add", 1);

    const during = await fsck(rig);
    expect(during).toMatchObject({ exitCode: 0, findings: [] });
    expect(during.stderr).toContain("A run is at work");

    first.kill("SIGKILL");
    await first;
    const run = rig.runs()[0] ?? "";
    // As if the kill had come in the middle of a line.
    const journal = join(rig.dir, "telemetry", run, "events.jsonl");
    writeFileSync(journal, `${readFileSync(journal, "utf8")}{"v":2,"seq":`);

    const after = await fsck(rig);
    expect(after.exitCode).toBe(1);
    expect(after.kinds).toEqual(
      expect.arrayContaining([
        "journal-torn unfinished",
        "lease-open unfinished",
        "reservation-open unfinished",
        "workspace-left unfinished",
      ]),
    );
    expect(after.findings.every(({ severity }) => severity === "unfinished")).toBe(true);
    expect(after.findings.every(({ remedy }) => remedy !== "")).toBe(true);

    const again = await rig.fractal(["resume", "--model", rig.script(TINY_MATH_ANSWERS)]);
    expect(again.exitCode, again.all).toBe(0);
    expect(await fsck(rig)).toMatchObject({ exitCode: 0, findings: [] });
  });

  it("finds each damage that is done to a run, by its name and place", async () => {
    using rig = aRig();
    const run = await aDoneRun(rig);
    const folder = join(rig.dir, "telemetry", run);
    const journal = join(folder, "events.jsonl");
    const branch = `refs/heads/fractal/${run}/main`;
    const tip = rig.git("rev-parse", branch);
    const text = readFileSync(journal, "utf8");
    const lines = text.split("\n");
    const blob = /"reply":"([0-9a-f]{64})"/.exec(text)?.[1] ?? "";
    const blobFile = join(folder, "blobs", blob.slice(0, 2), blob);
    const kept = rig.git("for-each-ref", "--format=%(refname)", `refs/fractal/${run}/`);
    const attemptRef = kept.split("\n").find((name) => name.endsWith(".a1.1")) ?? "";
    const keptCommit = rig.git("rev-parse", attemptRef);

    /** Does it, looks, and takes it back. */
    const damaged = async (harm: () => void, mend: () => void) => {
      harm();
      const checked = await fsck(rig, [run]);
      mend();
      expect(checked.exitCode).toBe(1);
      return checked.findings.map(({ kind, where }) => `${kind} ${where}`);
    };
    const write = (lines: string[]) => () => writeFileSync(journal, lines.join("\n"));
    const mendJournal = () => writeFileSync(journal, text);
    const file = `telemetry/${run}/events.jsonl`;

    const changed = lines.with(4, lines[4]?.replace('"fractal"', '"Fractal"') ?? "");
    expect(await damaged(write(changed), mendJournal)).toEqual([`journal-damaged ${file}:6`]);
    const newer = lines.with(4, lines[4]?.replace('"v":2', '"v":3') ?? "");
    expect(await damaged(write(newer), mendJournal)).toEqual([`journal-newer ${file}:5`]);
    const gone = () => renameSync(blobFile, `${blobFile}.away`);
    const back = () => renameSync(`${blobFile}.away`, blobFile);
    const blobName = `telemetry/${run}/blobs/${blob.slice(0, 2)}/${blob}`;
    expect(await damaged(gone, back)).toEqual([`blob-missing ${blobName}`]);
    const other = () => {
      copyFileSync(blobFile, `${blobFile}.away`);
      chmodSync(blobFile, 0o644);
      writeFileSync(blobFile, "something else");
    };
    expect(await damaged(other, back)).toEqual([`blob-damaged ${blobName}`]);
    expect(
      await damaged(
        () => rig.git("update-ref", branch, `${tip}^`),
        () => rig.git("update-ref", branch, tip),
      ),
    ).toEqual([`commit-missing fr-${run}`, `commit-missing fr-${run}.a2`]);
    expect(
      await damaged(
        () => rig.git("update-ref", "-d", branch),
        () => rig.git("update-ref", branch, tip),
      ),
    ).toEqual([`branch-missing fractal/${run}/main`]);
    expect(
      await damaged(
        () => rig.git("update-ref", "-d", attemptRef),
        () => rig.git("update-ref", attemptRef, keptCommit),
      ),
    ).toEqual([`ref-missing ${attemptRef}`]);
    const stray = `refs/fractal/${run}/fr-${run}.a7.1`;
    expect(
      await damaged(
        () => rig.git("update-ref", stray, tip),
        () => rig.git("update-ref", "-d", stray),
      ),
    ).toEqual([`ref-unknown ${stray}`]);
    const meta = JSON.stringify({ fractal: { run, key: "stray" } });
    expect(
      await damaged(
        () => rig.bd("create", "Stray", "--id", "fr-stray", "--metadata", meta),
        () => rig.bd("delete", "fr-stray", "--force"),
      ),
    ).toEqual(["beads-orphan fr-stray"]);
    expect(
      await damaged(
        () => rig.bd("reopen", `fr-${run}.a2`),
        () => rig.bd("close", `fr-${run}.a2`, "--force"),
      ),
    ).toEqual([`beads-unfollowed fr-${run}.a2`]);
    const isRoot = process.getuid?.() === 0;
    const cache = isRoot ? "/var/cache/fractal" : join(rig.dir, "..", "home", ".cache", "fractal");
    const left = join(cache, "sandbox", "workspaces", run, "left");
    expect(
      await damaged(
        () => mkdirSync(left, { recursive: true }),
        () => rmSync(dirname(left), { recursive: true }),
      ),
    ).toEqual([`workspace-left ${left}`]);

    expect(await fsck(rig, [run])).toMatchObject({ exitCode: 0, findings: [] });
  });

  it("says what it cannot look at, and ends with 6 when nothing else is wrong", async () => {
    using rig = aRig();
    await aDoneRun(rig);
    const none = { FRACTAL_BD: join(rig.dir, "nowhere") };
    const checked = await fsck(rig, [], none);
    expect(checked).toMatchObject({ exitCode: 6, findings: [], unseen: ["Beads"] });
  });

  it("refuses to go on with a newer fractal's run, by its number, and leaves it as it is", async () => {
    using rig = aRig();
    const run = await aDoneRun(rig);
    const journal = join(rig.dir, "telemetry", run, "events.jsonl");
    const text = readFileSync(journal, "utf8").replace('"v":2', '"v":3');
    writeFileSync(journal, text);

    const ran = await rig.fractal(["resume", run]);

    expect(ran.exitCode).toBe(6);
    expect(ran.stderr).toContain("a newer fractal wrote this journal");
    expect(ran.stderr).toContain("journal version 3, this one reads up to 2");
    expect(readFileSync(journal, "utf8")).toBe(text);
  });
});

describe("fractal replay", () => {
  it("shows a run at any point from its journal alone: no branch, no Beads, no repository", async () => {
    using rig = aRig();
    const run = await aDoneRun(rig);
    const tree = await rig.fractal(["tree", "--json"]);
    for (const name of [".git", ".beads", ".fractal"]) {
      rmSync(join(rig.dir, name), { recursive: true });
    }
    const at = async (...args: string[]) => {
      const ran = await rig.fractal(["replay", run, ...args, "--json"], {
        env: { PATH: "/nonexistent", FRACTAL_BD: "/nonexistent" },
      });
      expect(ran.exitCode, ran.all).toBe(0);
      return JSON.parse(ran.stdout).data;
    };

    const last = await at();
    const { live: _, ...shown } = JSON.parse(tree.stdout).data;
    expect(last).toMatchObject(shown);
    expect(last.seq).toBe(last.last_seq);
    const again = await at("--at", String(last.last_seq));
    expect(again).toEqual(last);
    const begun = await at("--at", "0");
    expect(begun).toMatchObject({ seq: 0, calls: 0, root: null });
    expect(begun.state_hash).not.toBe(last.state_hash);
    const hashes = [];
    for (const seq of [5, 6, 7]) hashes.push((await at("--at", String(seq))).state_hash);
    expect(new Set(hashes).size).toBe(3);

    const beyond = await rig.fractal(["replay", run, "--at", String(last.last_seq + 1)]);
    expect(beyond.exitCode).toBe(2);
    expect(beyond.stderr).toContain(`SEQ from 0 to ${last.last_seq}`);
    expect(existsSync(join(rig.dir, ".git"))).toBe(false);
    const text = await rig.fractal(["replay", run]);
    expect(text.stdout).toContain(`✓ done fr-${run}`);
    expect(text.stdout).toMatch(new RegExp(`^state +${last.state_hash}$`, "m"));
  });
});
