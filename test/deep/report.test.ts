/** The reliability report says what was counted, and nothing else. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Kept, merged, parseKept, renderReport } from "./report.ts";

const DOCS = join(import.meta.dirname, "../../docs");

const aCount = (some: Partial<Kept>): Kept => ({
  suite: "sim",
  what: "whole runs",
  count: 10,
  passed: 10,
  on: "2026-11-21",
  counts: "full",
  machine: "2 cores",
  ...some,
});

it("is the page that its data makes", () => {
  const data = parseKept(readFileSync(join(DOCS, "reliability-report.jsonl"), "utf8"));
  expect(readFileSync(join(DOCS, "reliability-report.md"), "utf8")).toBe(
    renderReport("reliability", data),
  );
});

it("keeps what other suites said when one is run again", () => {
  const before = [aCount({}), aCount({ suite: "kill", passed: 9 })];
  const now = [aCount({ passed: 7, on: "2026-12-01" })];
  expect(merged(before, now)).toEqual([before[1], now[0]]);
});

it("shows what did not come out right, and what was only sampled", () => {
  const page = renderReport("reliability", [aCount({ passed: 8, counts: "sample", seed: 42 })]);
  expect(page).toContain("8 of 10 came out right");
  expect(page).toContain("| whole runs | 10 | 8 | sample | 42 | 2026-11-21 |  |");
});
