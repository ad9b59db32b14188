/** Runs the suites of proof with their full counts and writes the two reports in docs/. */
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
import {
  type Kept,
  merged,
  parseCounted,
  parseKept,
  REPORTS,
  type Report,
  renderReport,
  underName,
} from "./report.ts";

const PACKAGE = join(import.meta.dirname, "../..");
const e2e = (...files: string[]) => ["vitest", "run", "--project", "e2e", ...files];
const unit = (...files: string[]) => ["vitest", "run", "--project", "unit", ...files];

/** By report, and by the name that `npm run test:deep NAME` takes: what is started for it. */
const SUITES: Record<Report, Record<string, string[]>> = {
  reliability: {
    "bd-trouble": unit("test/adapters/beads/trouble.test.ts"),
    beads: ["node", "bench/beads-cost.ts"],
    hanoi: e2e("test/e2e/hanoi.test.ts"),
    kill: e2e("test/e2e/kill.test.ts"),
    trouble: e2e("test/e2e/trouble.test.ts"),
    damage: ["vitest", "run", "test/adapters/journal/damage.test.ts", "test/e2e/damage.test.ts"],
    replay: unit("test/rules/replay-prefix.test.ts"),
    sim: unit("test/sim/simulation.test.ts"),
    sabotage: ["node", "test/sabotage/run.ts"],
  },
  security: {
    "hostile-worker": [
      ...["vitest", "run", "test/orchestrator/hostile-worker.test.ts"],
      "test/e2e/hostile-worker.test.ts",
    ],
    secrets: ["vitest", "run", "test/cli/secrets.test.ts", "test/e2e/secrets.test.ts"],
    "long-lines": unit("test/rules/long-lines.test.ts"),
    integration: unit("test/orchestrator/integration.test.ts"),
    "parallel-edits": unit("test/orchestrator/parallel-edits.test.ts"),
    "user-merge": unit("test/adapters/git/user-merge.test.ts"),
    "git-locks": unit("test/adapters/git/locks.test.ts"),
    escape: unit("test/adapters/sandbox/escape.test.ts"),
    "raced-writer": unit("test/adapters/sandbox/raced-writer.test.ts"),
    "hostile-trees": unit("test/adapters/git/hostile-trees.test.ts"),
    tampering: [
      "vitest",
      "run",
      "test/orchestrator/tampering.test.ts",
      "test/e2e/tampering.test.ts",
    ],
  },
};
const REPORT_OF = new Map(
  REPORTS.flatMap((report) => Object.keys(SUITES[report]).map((suite) => [suite, report] as const)),
);

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !REPORT_OF.has(name));
if (unknown.length > 0) {
  const names = [...REPORT_OF.keys()].join(", ");
  console.error(`no suite is called ${unknown.join(", ")}; there are ${names}`);
  process.exit(2);
}

const memory = Math.round(totalmem() / 2 ** 30);
const machine = `${cpus().length} cores, ${memory} GB, ${process.platform}, Node ${process.versions.node}`;
let failed = 0;
for (const [suite, of] of REPORT_OF) {
  if (wanted.length > 0 && !wanted.includes(suite)) continue;
  failed += runSuite(suite, of) ? 0 : 1;
}
console.log(`${failed === 0 ? "all green" : `${failed} suites are red`}; see docs/*-report.md`);
process.exitCode = failed === 0 ? 0 : 1;

/** True when it was green; what it counted is kept either way. */
function runSuite(suite: string, of: Report): boolean {
  const [program = "", ...args] = SUITES[of][suite] ?? [];
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
    keep(of, now);
    return status === 0 && now.every((one) => one.passed === one.count);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function keep(of: Report, now: Kept[]): void {
  const page = join(PACKAGE, `docs/${of}-report.md`);
  const data = join(PACKAGE, `docs/${of}-report.jsonl`);
  const before = existsSync(data) ? parseKept(readFileSync(data, "utf8")) : [];
  const results = merged(before, now);
  writeFileSync(data, results.map((one) => `${JSON.stringify(one)}\n`).join(""));
  writeFileSync(page, renderReport(of, results));
}
