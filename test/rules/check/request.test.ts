/** A worker asks for one more file: whose it is decides. */
import { describe, expect, it } from "vitest";
import { judgeRequest } from "../../../src/rules/check/request.ts";
import { aState, aTask } from "../../support/builders.ts";

const asking = (path: string, over: Parameters<typeof aTask>[1] = {}) => {
  const task = aTask("t", {
    parent: "r",
    contract: { files: ["src/t.ts"] },
    ...over,
  });
  const open = aTask("o", { parent: "r", title: "The other", contract: { files: ["src/o.ts"] } });
  const folder = aTask("f", { parent: "r", shape: "unplanned", contract: { files: ["lib/"] } });
  const done = aTask("d", { parent: "r", end: "done", contract: { files: ["src/d.ts"] } });
  const root = aTask("r", { shape: "split", contract: { files: ["src/free.ts"] } });
  const tasks = [root, task, open, folder, done];
  return judgeRequest(aState({ tasks }), task, path, ["keep/**"]);
};

describe("a file a worker asks for", () => {
  it.each(["src/free.ts", "./src/free.ts", "src/new.ts", "src/d.ts", "src/t.ts"])(
    "%s is granted: no open task has it",
    (path) => {
      expect(asking(path)).toMatchObject({ granted: true, path: path.replace("./", "") });
    },
  );

  it("is refused with the name of the open task that has it", () => {
    expect(asking("src/o.ts")).toMatchObject({
      granted: false,
      reason: expect.stringContaining('belongs to "The other" (o), which is not finished'),
    });
    expect(asking("lib/deep/x.ts").reason).toContain("(f)");
  });

  it.each(["package.json", "test/t.test.ts", ".github/workflows/ci.yml", "keep/x"])(
    "%s is refused: it judges or configures",
    (path) => {
      expect(asking(path)).toMatchObject({
        granted: false,
        reason: expect.stringContaining("is protected"),
      });
    },
  );

  it.each(["../x", "/etc/passwd", "a/../../b", ".git/config", "a\u0000b"])(
    "%s is refused: it is no path of the work",
    (path) => {
      expect(asking(path).granted).toBe(false);
    },
  );

  it("is refused to a task that has been given three, and to one that writes no code", () => {
    expect(asking("src/x.ts", { grantedFiles: ["a", "b", "c"] }).reason).toContain("one too many");
    expect(asking("src/x.ts", { contract: { kind: "text" } }).granted).toBe(false);
  });
});
