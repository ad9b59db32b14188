/** What macOS's sandbox is told to let a command reach; the sandbox itself is not run here. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CEILINGS } from "../../../src/adapters/sandbox/limits.ts";
import { findMounts } from "../../../src/adapters/sandbox/mounts.ts";
import { openQuarters } from "../../../src/adapters/sandbox/quarters.ts";
import { openSeatbelt, runtimeConfig } from "../../../src/adapters/sandbox/seatbelt.ts";
import { isFailure } from "../../../src/domain/failure.ts";

const reach = {
  folder: "/Users/una/Library/Caches/fractal/sandbox/workspaces/r/a1",
  home: "/Users/una/Library/Caches/fractal/sandbox/workspaces/r/home",
  shown: ["/Users/una/project/node_modules", "/opt/homebrew/bin/node"],
  readOnly: ["test/a.test.mjs", "../elsewhere", "/etc/passwd"],
};

it("lets a command write its workspace and its home, and nothing else", () => {
  const { filesystem } = runtimeConfig(reach, "/Users/una");
  expect(filesystem.allowWrite).toEqual([reach.folder, reach.home]);
});

it("keeps what a check is made of from being changed, and names nothing outside the workspace", () => {
  const { filesystem } = runtimeConfig(reach, "/Users/una");
  expect(filesystem.denyWrite).toEqual([join(reach.folder, "test/a.test.mjs")]);
});

it("shows of people's folders only the workspace and what is shown on purpose", () => {
  const { filesystem } = runtimeConfig(reach, "/srv/una");
  expect(filesystem.denyRead).toEqual(expect.arrayContaining(["/Users", "/Volumes", "/srv/una"]));
  expect(filesystem.allowRead).toEqual([reach.folder, reach.home, ...reach.shown]);
});

it("lets nothing into the network, this machine's own servers included", () => {
  expect(runtimeConfig(reach, "/Users/una").network).toEqual({
    allowedDomains: [],
    deniedDomains: [],
    allowLocalBinding: false,
  });
});

it("says what to install where the package is not there", async () => {
  const cache = mkdtempSync(join(tmpdir(), "fractal-seatbelt-"));
  chmodSync(cache, 0o755);
  try {
    const quarters = await openQuarters({ runId: "r", cache });
    if (isFailure(quarters)) throw new Error(quarters.detail);
    const mounts = await findMounts({ checkout: cache, root: ".", names: [] });
    const world = { quarters, root: ".", mounts, toolFolders: [], env: {}, ceilings: CEILINGS };
    expect(await openSeatbelt(world)).toMatchObject({
      failure: "sandbox-unavailable",
      detail: expect.stringMatching(/npm install -g @anthropic-ai\/sandbox-runtime@\d+\.\d+\.\d+/),
    });
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});
