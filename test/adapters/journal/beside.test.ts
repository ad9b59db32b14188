/** What is left beside a journal: whole or not there, in order, and nothing else is believed. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import {
  type BesideEvent,
  leaveBeside,
  readBeside,
  removeBeside,
} from "../../../src/adapters/journal/beside.ts";

const merged = (minute: number): BesideEvent => ({
  task_id: null,
  actor: "una",
  event_type: "run.merged",
  into: "trunk",
  tip: "a".repeat(40),
  result: "fast-forward",
  before: "b".repeat(40),
  after: "a".repeat(40),
  at: `2026-01-05T12:0${minute}:00.000Z`,
});

it("hands out what was left, oldest first, until it is removed", () => {
  const telemetry = mkdtempSync(join(tmpdir(), "fractal-beside-"));
  onTestFinished(() => rmSync(telemetry, { recursive: true, force: true }));
  expect(readBeside(telemetry, "r1")).toEqual([]);
  for (const minute of [2, 1]) leaveBeside(telemetry, "r1", merged(minute));
  const left = readBeside(telemetry, "r1");
  expect(left.map(({ event }) => event)).toEqual([merged(1), merged(2)]);
  expect(readBeside(telemetry, "r2")).toEqual([]);
  removeBeside(left[0]?.path ?? "");
  expect(readBeside(telemetry, "r1").map(({ event }) => event)).toEqual([merged(2)]);
});

it.each([
  ["half a file", '{"task_id":null,"actor":"una","event_type":"run.mer'],
  [
    "an event that decides something",
    '{"task_id":"r.a1","actor":"una","event_type":"task.accepted","by":"una"}',
  ],
  ["a merge of a task", JSON.stringify({ ...merged(1), task_id: "r.a1" })],
  ["an empty file", ""],
])("passes over %s", (_, text) => {
  const telemetry = mkdtempSync(join(tmpdir(), "fractal-beside-"));
  onTestFinished(() => rmSync(telemetry, { recursive: true, force: true }));
  leaveBeside(telemetry, "r1", merged(2));
  const folder = join(telemetry, "r1", "beside");
  writeFileSync(join(folder, "0-1.json"), text);
  writeFileSync(join(folder, "0-2.json.77.tmp"), JSON.stringify(merged(1)));
  expect(readBeside(telemetry, "r1").map(({ event }) => event)).toEqual([merged(2)]);
  expect(readdirSync(folder)).toHaveLength(3);
});
