/** The bundled specification, as `npm start` runs it: green, and asking the same however it is scheduled. */

import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { openRepository } from "../../src/adapters/git/repository.ts";
import { memoryJournal } from "../../src/adapters/journal/memory.ts";
import { recordedModel } from "../../src/adapters/models/recorded.ts";
import { createSandbox } from "../../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../../src/domain/failure.ts";
import type { Model } from "../../src/domain/ports.ts";
import { runLoop } from "../../src/orchestrator/loop.ts";
import { fractionOf } from "../../src/rules/retry.ts";
import { aMemoryWorld } from "../support/memory-world.ts";
import { aRig } from "./rig.ts";

const PACKAGE = join(import.meta.dirname, "..", "..");
const SPEC = readFileSync(join(PACKAGE, "spec.md"), "utf8");

/** Answers late, each call by another time that the seed decides: completions come in another order. */
function shuffled(inner: Model, seed: number): Model {
  return {
    name: inner.name,
    async ask(request, signal) {
      const delayMs = fractionOf(`${seed}/${request.taskKey}/${request.turn}`) * 500;
      await systemClock.sleep(delayMs, signal);
      return inner.ask(request, signal);
    },
  };
}

describe("the bundled specification", () => {
  it.each([1, 8])(
    "is green with %i jobs, and every recording answers what was asked",
    async (jobs) => {
      using rig = aRig({ "README.md": "# Mine\n" });
      rig.write({ "spec.md": SPEC });

      const ran = await rig.fractal(["run", "spec.md", "--strict", "-j", String(jobs)]);

      expect(ran.exitCode, ran.all).toBe(0);
      expect(ran.stderr).toContain("Recorded answers are played");
      expect(ran.stdout).toContain("13 requirements: 13 with a gating check");
      expect(ran.stdout).toContain("written by hand");
      const ended = rig.events().filter((event) => event.event_type === "attempt.ended");
      const rejected = ended.filter((event) => event.outcome === "rejected");
      expect(rejected.length).toBeGreaterThan(0);
      expect(ended.some((event) => event.role === "fixer")).toBe(true);
    },
  );

  it.each([11, 12])("asks the same with completions shuffled by seed %i", async (seed) => {
    const place = mkdtempSync(join(tmpdir(), "fractal-bundled-"));
    try {
      const git = (...args: string[]) => execaSync("git", args, { cwd: place });
      git("init", "--quiet");
      cpSync(join(PACKAGE, "spec.md"), join(place, "spec.md"));
      const runId = `s${seed}`;
      const root = "cronwhen";
      const sandbox = await createSandbox({ mode: "contained", checkout: place, root, runId });
      if (isFailure(sandbox)) throw new Error(sandbox.detail);
      const { mounts } = sandbox;
      const repository = await openRepository({ checkout: place, runId, root, mounts });
      await repository.startBranch({ base: "" });
      const model = shuffled(recordedModel(join(PACKAGE, "recordings"), { strict: true }), seed);
      const world = aMemoryWorld({
        spec: SPEC,
        splits: {},
        script: [],
        journal: memoryJournal(runId),
        clock: systemClock,
        limits: { jobs: 8 },
      });
      const profile = {
        ...world.profiles.worker,
        model,
        contextTokens: 200_000,
        outputTokensMax: 32_000,
      };
      const profiles = {
        planner: profile,
        worker: profile,
        router: profile,
        fixer: profile,
        reviewer: profile,
      };

      const rest = await runLoop(
        { ...world, sandbox, repository, profiles, acceptsInvented: false },
        new AbortController().signal,
      );

      expect(rest).toEqual({ exitCode: 0, reason: "all done" });
      expect(world.store.state.mismatches).toBe(0);
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });
});
