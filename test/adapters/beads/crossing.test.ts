/** A write is asked about line by line only where more commits than ours came meanwhile. */
import { expect, it } from "vitest";
import type { Bd } from "../../../src/adapters/beads/bd.ts";
import { crossedBy } from "../../../src/adapters/beads/crossing.ts";

const LINE = {
  status: "closed",
  assignee: "",
  was: { status: "in_progress", assignee: "" },
} as const;
const LINES = [
  { id: "fr-1", ...LINE },
  { id: "fr-2", ...LINE },
];
const minute = (n: number) => new Date(Date.UTC(2026, 0, 5, 12, n));

/** A database with a commit a minute, in which fr-1 was deferred by somebody in minute 3. */
function aBd(): { bd: Bd; asked: string[] } {
  const asked: string[] = [];
  const shown = (id: string, at: number) => {
    if (at >= 4) return "closed";
    return at === 3 && id === "fr-1" ? "deferred" : "in_progress";
  };
  const bd: Bd = {
    run: async ({ args, schema }) => {
      const [, id = "", , limit] = args;
      asked.push(`${id} ${limit}`);
      const commits = [4, 3, 2, 1].slice(0, Number(limit)).map((at) => ({
        CommitDate: minute(at).toISOString(),
        Issue: { id, title: id, status: shown(id, at), priority: 2, issue_type: "task" },
      }));
      return schema.parse(commits);
    },
  };
  return { bd, asked };
}

it("asks once where all commits since then are ours", async () => {
  const { bd, asked } = aBd();
  const crossed = await crossedBy(bd, LINES, "fr-0", () => ({ ours: 2, since: minute(3) }));
  expect(crossed).toEqual(new Map());
  expect(asked).toHaveLength(1);
});

it("asks line by line where no issue is known that is older", async () => {
  const { bd, asked } = aBd();
  await crossedBy(bd, LINES, undefined, () => ({ ours: 2, since: minute(3) }));
  expect(asked.map((one) => one.split(" ")[0])).toEqual(["fr-1", "fr-2"]);
});

it("asks nobody where nobody else was there", async () => {
  const { bd, asked } = aBd();
  expect(await crossedBy(bd, LINES, "fr-0", () => undefined)).toEqual(new Map());
  expect(asked).toEqual([]);
});

it("counts what fractal itself wrote while it was waiting to ask", async () => {
  const { bd, asked } = aBd();
  const told = [1, 2];
  const crossed = await crossedBy(bd, LINES, "fr-0", () => ({
    ours: told.shift(),
    since: minute(3),
  }));
  expect(crossed).toEqual(new Map());
  expect(asked).toHaveLength(1);
});

it("finds what was written over where there is one more than ours", async () => {
  const { bd } = aBd();
  const crossed = await crossedBy(bd, LINES, "fr-0", () => ({ ours: 1, since: minute(3) }));
  expect(crossed).toEqual(new Map([["fr-1", { status: "deferred", assignee: "" }]]));
});

it("finds it also where it is not known how many are ours, or the database is younger", async () => {
  for (const ours of [undefined, 9]) {
    const { bd } = aBd();
    const crossed = await crossedBy(bd, LINES, "fr-0", () => ({ ours, since: minute(3) }));
    expect(crossed).toEqual(new Map([["fr-1", { status: "deferred", assignee: "" }]]));
  }
});
