/** Where the time of the bundled run goes: model, sandbox, git, bd, and fractal itself. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { recordedModel } from "../src/adapters/models/recorded.ts";
import { PACKAGE, runOnRealParts, type Split } from "./real-parts.ts";

/** One run with one job, so that what is waited for is not counted twice. */
export function splitOfBundledRun(): Promise<Split> {
  return runOnRealParts({
    spec: readFileSync(join(PACKAGE, "spec.md"), "utf8"),
    root: "cronwhen",
    model: recordedModel(join(PACKAGE, "recordings")),
    limits: { jobs: 1 },
  });
}
