/** The floors: an import stays in its folder or goes down, only cli/wire.ts names adapters, no key is inherited. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const FLOORS = [["domain"], ["rules", "adapters"], ["agents", "view"], ["orchestrator"], ["cli"]];
const floorOf = (folder: string) => FLOORS.findIndex((folders) => folders.includes(folder));

const imports = globSync("src/**/*.ts").flatMap((file) =>
  [...readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) => {
    const target = relative("src", join(dirname(file), match[1] ?? ""));
    return { file: relative("src", file), target };
  }),
);
const folderOf = (path: string) => path.split("/")[0] ?? "";

describe("the house", () => {
  it("has every folder on a floor", () => {
    const folders = new Set(globSync("src/*/").map((path) => relative("src", path)));
    expect([...folders].filter((folder) => floorOf(folder) < 0)).toEqual([]);
  });

  it("imports stay in their folder or go down", () => {
    const upward = imports.filter(
      ({ file, target }) =>
        folderOf(file) !== folderOf(target) && floorOf(folderOf(target)) >= floorOf(folderOf(file)),
    );
    expect(upward).toEqual([]);
  });

  it("names adapters only in cli/wire.ts", () => {
    const named = imports.filter(
      ({ file, target }) =>
        folderOf(target) === "adapters" && folderOf(file) !== "adapters" && file !== "cli/wire.ts",
    );
    expect(named).toEqual([]);
  });

  it("starts no program with the environment it has itself: the user's keys are in there", () => {
    // A call as the formatter lays it out: one line, or up to the line that closes it.
    const laidOut = /^( *).*\b(execa|spawn)\(("?\w.*;$|.*[[({]$(?:\n\1 .*)*)/gm;
    const calls = globSync("src/**/*.ts").flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(laidOut)].map(([call, , name]) => ({
        file,
        name,
        call,
      })),
    );
    expect(calls.length).toBeGreaterThanOrEqual(13);
    const inheriting = calls.filter(
      ({ name, call }) =>
        !/\benv\b/.test(call) || (name === "execa" && !call.includes("extendEnv: false")),
    );
    expect(inheriting).toEqual([]);
  });
});
