/** Runs the suites of destruction with their full counts and writes docs/reliability-report.md. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { type Kept, merged, parseCounted, parseKept, renderReport, underName } from "./report.ts";

const PACKAGE = join(import.meta.dirname, "../..");
const PAGE = join(PACKAGE, "docs/reliability-report.md");
const DATA = join(PACKAGE, "docs/reliability-report.jsonl");

/** By the name that `npm run test:deep NAME` takes: what is started for it. */
const SUITES: Record<string, string[]> = {
  "bd-trouble": ["vitest", "run", "--project", "unit", "test/adapters/beads/trouble.test.ts"],
  beads: ["node", "bench/beads-cost.ts"],
  hanoi: ["vitest", "run", "--project", "e2e", "test/e2e/hanoi.test.ts"],
  kill: ["vitest", "run", "--project", "e2e", "test/e2e/kill.test.ts"],
  trouble: ["vitest", "run", "--project", "e2e", "test/e2e/trouble.test.ts"],
  damage: ["vitest", "run", "test/adapters/journal/damage.test.ts", "test/e2e/damage.test.ts"],
  replay: ["vitest", "run", "--project", "unit", "test/rules/replay-prefix.test.ts"],
  sim: ["vitest", "run", "--project", "unit", "test/sim/simulation.test.ts"],
  sabotage: ["node", "test/sabotage/run.ts"],
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => SUITES[name] === undefined);
if (unknown.length > 0) {
  const names = Object.keys(SUITES).join(", ");
  console.error(`no suite is called ${unknown.join(", ")}; there are ${names}`);
  process.exit(2);
}

const memory = Math.round(totalmem() / 2 ** 30);
const machine = `${cpus().length} cores, ${memory} GB, ${process.platform}, Node ${process.versions.node}`;
let failed = 0;
for (const [suite, [program = "", ...args]] of Object.entries(SUITES)) {
  if (wanted.length > 0 && !wanted.includes(suite)) continue;
  failed += runSuite(suite, program, args) ? 0 : 1;
}
console.log(`${failed === 0 ? "all green" : `${failed} suites are red`}; see ${PAGE}`);
process.exitCode = failed === 0 ? 0 : 1;

/** True when it was green; what it counted is kept either way. */
function runSuite(suite: string, program: string, args: string[]): boolean {
  console.log(`\n── ${suite}: ${program} ${args.join(" ")}`);
  const place = mkdtempSync(join(tmpdir(), "fractal-deep-"));
  // The sandbox's user works below it.
  chmodSync(place, 0o755);
  const report = join(place, "report.jsonl");
  const temp = join(place, "tmp");
  mkdirSync(temp);
  const isSample = process.env["FRACTAL_DEEP"] === "0";
  try {
    const { status } = spawnSync(program, args, {
      cwd: PACKAGE,
      stdio: "inherit",
      env: {
        ...process.env,
        TMPDIR: temp,
        FRACTAL_REPORT: report,
        ...(isSample ? {} : { FRACTAL_DEEP: "1" }),
      },
    });
    const on = new Date().toISOString().slice(0, 10);
    const now: Kept[] = (existsSync(report) ? parseCounted(readFileSync(report, "utf8")) : []).map(
      (one) => ({
        ...one,
        ...underName(one, suite),
        on,
        counts: isSample ? "sample" : "full",
        machine,
      }),
    );
    keep(now);
    return status === 0 && now.every((one) => one.passed === one.count);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function keep(now: Kept[]): void {
  const before = existsSync(DATA) ? parseKept(readFileSync(DATA, "utf8")) : [];
  const results = merged(before, now);
  writeFileSync(DATA, results.map((one) => `${JSON.stringify(one)}\n`).join(""));
  writeFileSync(PAGE, renderReport(results));
}
