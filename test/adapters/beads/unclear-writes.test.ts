/** Writes whose outcome bd does not tell: the tracker looks, and says what is true. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { beadsTracker } from "../../../src/adapters/beads/tracker.ts";
import { aNewTask } from "../../support/tracker-contract.ts";
import { fakeBd } from "./fake-bd.ts";

const row = (fields: object) =>
  JSON.stringify({ data: [{ id: "fr-1", title: "t", status: "open", priority: 2, ...fields }] });
const ours = { metadata: { fractal: { run: "run-1", key: "fr-1" } } };

/**
 * A tracker whose bd answers `list` with one issue, and a write as the script says. It has no history,
 * and whether it is asked for it depends on who else is seen there: those calls are not told.
 */
async function openWith(list: string, write: string) {
  const { path, folder } = await fakeBd(
    `[ "$1" = history ] && exec echo '{"data":[]}'; echo "$1" >> log; if [ "$1" = list ]; then echo '${list}'; else cat > /dev/null; ${write}; fi`,
  );
  mkdirSync(join(folder, ".beads"));
  const common = { bd: path, cwd: folder, beadsDir: join(folder, ".beads"), prefix: "fr" };
  const tracker = beadsTracker({ ...common, actor: "fractal", timeoutMs: { write: 200 } });
  const calls = () => readFileSync(join(folder, "log"), "utf8").trim().split("\n");
  return { tracker, calls, beadsDir: common.beadsDir };
}

it("calls a database lost that is not there any more, and lets bd make no other", async () => {
  const { tracker, calls, beadsDir } = await openWith(row(ours), "true");
  rmSync(beadsDir, { recursive: true });
  expect(await tracker.read()).toMatchObject({ failure: "tracker-lost" });
  expect(await tracker.create([aNewTask("fr-2")])).toMatchObject({ failure: "tracker-lost" });
  expect(calls).toThrow();
});

it("finds a creation done although bd failed, and makes nothing twice", async () => {
  const { tracker, calls } = await openWith(row(ours), "exit 1");
  expect(await tracker.create([aNewTask("fr-1")])).toEqual({ created: [] });
  expect(calls()).toEqual(["create", "list"]);
});

it("finds a creation done although bd did not answer in time", async () => {
  const { tracker } = await openWith(row(ours), "exec sleep 60");
  expect(await tracker.create([aNewTask("fr-1")])).toEqual({ created: [] });
});

it("believes no success that names other ids", async () => {
  const none = JSON.stringify({ data: [] });
  const { tracker } = await openWith(none, `echo '{"data":{"ids":{"fr-1":"fr-other"}}}'`);
  expect(await tracker.create([aNewTask("fr-1")])).toMatchObject({
    failure: "tracker-unavailable",
  });
});

it("calls no line applied that bd confirmed but does not show", async () => {
  const { tracker } = await openWith(row({}), `echo '{"data":{"operations":1}}'`);
  const lines = [{ id: "fr-1", status: "blocked", assignee: "" } as const];
  expect(await tracker.mirror(lines)).toMatchObject({ applied: [] });
});

it("calls a line applied that bd refused but shows", async () => {
  const { tracker } = await openWith(row({ status: "closed" }), "exit 1");
  const lines = [{ id: "fr-1", status: "closed", assignee: "" } as const];
  expect(await tracker.mirror(lines)).toMatchObject({ applied: ["fr-1"] });
});

it("stops writing once a batch got no answer in time", async () => {
  const { tracker, calls } = await openWith(row({}), "exec sleep 60");
  const line = { id: "fr-1", status: "closed", assignee: "" } as const;
  expect(await tracker.mirror(Array.from({ length: 50 }, () => line))).toMatchObject({
    failure: "tracker-unavailable",
  });
  expect(calls()).toEqual(["batch", "list"]);
});

it("closes as many issues in one batch as take below a second, fewer where there are many", async () => {
  const batches = async (issues: number) => {
    const rows = Array.from({ length: issues }, (_, i) => ({ id: `fr-${i + 1}`, title: "t" }));
    const list = JSON.stringify({
      data: rows.map((one) => ({ ...one, status: "closed", priority: 2 })),
    });
    const { tracker, calls } = await openWith(list, `echo '{"data":{"operations":1}}'`);
    await tracker.read();
    const line = { id: "fr-1", status: "closed", assignee: "" } as const;
    await tracker.mirror(Array.from({ length: 24 }, () => line));
    return calls().filter((call) => call === "batch").length;
  };
  expect([await batches(1), await batches(1_000)]).toEqual([3, 6]);
});

it("has a new version each time where the storage has no manifest", async () => {
  const { tracker } = await openWith(row({}), "true");
  expect(await tracker.version()).not.toBe(await tracker.version());
});
