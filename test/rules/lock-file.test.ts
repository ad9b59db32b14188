/** Lock files: only packages of a registry, each by the hash of its bytes. */
import { describe, expect, it } from "vitest";
import { lockedPackages, withLocalPackages } from "../../src/rules/lock-file.ts";

const HASH = `sha512-${"A".repeat(86)}==`;
const lock = (packages: Record<string, object>, lockfileVersion = 3) =>
  JSON.stringify({ name: "x", lockfileVersion, packages: { "": { name: "x" }, ...packages } });
const good = { version: "1.0.0", resolved: "https://registry.example/a.tgz", integrity: HASH };

describe("the packages of a lock file", () => {
  it("are those it names, by address and hash", () => {
    const text = lock({
      "node_modules/a": good,
      "node_modules/b": { ...good, integrity: `sha1-x ${HASH}`, optional: true },
      "node_modules/b/node_modules/c": { inBundle: true },
    });
    expect(lockedPackages(text)).toEqual([
      { url: good.resolved, hash: HASH, optional: false },
      { url: good.resolved, hash: HASH, optional: true },
    ]);
  });

  it.each([
    ["of git", { resolved: "git+ssh://git@example.org/a.git#1" }],
    ["over http", { resolved: "http://registry.example/a.tgz" }],
    ["of a file", { resolved: "file:../a.tgz" }],
    ["without a hash", { integrity: undefined }],
    ["with a weak hash", { integrity: "sha1-abc" }],
    ["that is a link", { link: true }],
  ])("one %s is fetched from nowhere", (_what, over) => {
    const found = lockedPackages(lock({ "node_modules/a": { ...good, ...over } }));
    expect(found).toHaveProperty("problem");
  });

  it.each(["", "[]", "{", lock({}, 1), JSON.stringify({ lockfileVersion: 3 })])(
    "%j is none that can be installed",
    (text) => expect(lockedPackages(text)).toHaveProperty("problem"),
  );

  it("are taken from files beside it, those that are there", () => {
    const other = `sha512-${"B".repeat(86)}==`;
    const text = lock({ "node_modules/a": good, "node_modules/b": { ...good, integrity: other } });
    const local = JSON.parse(withLocalPackages(text, new Map([[HASH, "f.tgz"]])));
    expect(local.packages["node_modules/a"].resolved).toBe("file:.packages/f.tgz");
    expect(local.packages["node_modules/a"].integrity).toBe(HASH);
    expect(local.packages["node_modules/b"].resolved).toBe(good.resolved);
  });
});
