/** A real Beads database in a temporary repository, and a person who uses `bd` there. */
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { vi } from "vitest";
import { z } from "zod";
import { openBd } from "../../../src/adapters/beads/bd.ts";
import { findBd } from "../../../src/adapters/beads/binary.ts";
import { beadsTracker } from "../../../src/adapters/beads/tracker.ts";
import { prepareBeads } from "../../../src/adapters/beads/workspace.ts";
import { meanwhileBd } from "../../support/meanwhile-bd.ts";
import type { Person } from "../../support/memory-tracker.ts";
import { given, type OpenTracker } from "../../support/tracker-contract.ts";

const packageDir = join(import.meta.dirname, "../../..");

/** The bd that set-up found or built. */
export async function realBd(): Promise<string> {
  return given(await findBd({ env: process.env, packageDir })).path;
}

export interface TempRepository {
  folder: string;
  cacheDir: string;
  remove(): Promise<void>;
}

/** An empty repository, and a home of its own so that nobody's settings are read or written. */
export async function tempRepository(): Promise<TempRepository> {
  const top = await realpath(await mkdtemp(join(tmpdir(), "fractal-beads-")));
  const [folder, cacheDir, home] = [join(top, "repo"), join(top, "cache"), join(top, "home")];
  for (const path of [folder, cacheDir, home]) await mkdir(path);
  vi.stubEnv("HOME", home);
  await execa("git", ["init", "-q"], { cwd: folder });
  return {
    folder,
    cacheDir,
    remove: async () => {
      vi.unstubAllEnvs();
      await rm(top, { recursive: true, force: true });
    },
  };
}

/** A database as `fractal run` makes it. */
export async function openRealTracker(): Promise<OpenTracker> {
  const bd = await realBd();
  const { folder, cacheDir, remove } = await tempRepository();
  const prepared = given(
    await prepareBeads({ bd, repository: folder, cacheDir, mayUpgrade: false, mayCreate: true }),
  );
  if (prepared.state !== "ready") throw new Error(prepared.detail);
  const { beadsDir, prefix } = prepared;
  const meanwhile = meanwhileBd(bd, cacheDir);
  return {
    tracker: beadsTracker({ bd: meanwhile.path, beadsDir, prefix, actor: "fractal" }),
    person: personWith(bd, beadsDir),
    closeMeanwhile: meanwhile.close,
    close: remove,
  };
}

/** Somebody who types `bd` commands. */
export function personWith(path: string, beadsDir: string): Person {
  const bd = openBd({ bd: path, beadsDir, actor: "person" });
  const type = async (...args: string[]) => {
    given(await bd.run({ args, effect: "write", schema: z.unknown() }));
  };
  const make = async (...args: string[]) => {
    const schema = z.object({ id: z.string() });
    return given(await bd.run({ args: ["create", ...args], effect: "write", schema })).id;
  };
  return {
    close: (id, reason = "Closed") => type("close", id, "--reason", reason),
    reopen: (id) => type("reopen", id),
    setOpen: (id) => type("update", id, "--status", "open"),
    comment: (id, text) => type("comments", "add", id, text),
    defer: (id) => type("update", id, "--status", "deferred"),
    block: (id) => type("update", id, "--status", "blocked"),
    delete: (id) => type("delete", id, "--force"),
    edit: (id, { title, description, acceptance }) =>
      type(
        "update",
        id,
        ...(title === undefined ? [] : ["--title", title]),
        ...(description === undefined ? [] : ["--description", description]),
        ...(acceptance === undefined ? [] : ["--acceptance", acceptance]),
      ),
    setPriority: (id, priority) => type("update", id, "--priority", String(priority)),
    take: (id, name) => type("update", id, "--assignee", name, "--status", "in_progress"),
    addEdge: (id, on) => type("dep", "add", id, on),
    removeEdge: (id, on) => type("dep", "remove", id, on),
    addChild: (parent, title) => make(title, "--parent", parent),
    add: (title, labels) => make(title, "--labels", labels.join(",")),
    respond: (id, text) => type("human", "respond", id, "--response", text),
    dismiss: (id) => type("human", "dismiss", id),
  };
}
