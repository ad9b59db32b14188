/** Tries every escape in the real sandbox, then those that can be shown without their guard; prints what came of it. */

import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSandbox, type OpenSandbox } from "../../../src/adapters/sandbox/sandbox.ts";
import { isFailure } from "../../../src/domain/failure.ts";
import { processesWith } from "../../support/processes.ts";
import { ESCAPES, type EscapeProbe, type Guard, type World } from "./escape-probes.ts";

/** What came of one probe. */
export interface Tried {
  name: string;
  /** In the sandbox as it is. */
  escaped: boolean;
  said: string;
  /** Without its guard; undefined where it was not tried. */
  unguarded?: boolean;
}

const isRoot = process.getuid?.() === 0;
/** The user whose processes are in the sandbox. */
const inside = isRoot ? 65_432 : (process.getuid?.() ?? 0);

/** A `bwrap` that leaves a guard out. */
const WITHOUT: Record<Exclude<Guard, "sandbox">, string> = {
  filter: "--seccomp) skip=1; continue ;;",
  namespaces: "--seccomp) skip=1; continue ;; --disable-userns) continue ;;",
  network: '--unshare-all) set -- "$@" "$a" --share-net; continue ;;',
};

const place = mkdtempSync(join(tmpdir(), "fractal-escape-"));
chmodSync(place, 0o755);
const closers: (() => void)[] = [() => rmSync(place, { recursive: true, force: true })];
let real: OpenSandbox | undefined;
let hits = 0;
const hit = () => {
  hits += 1;
};

try {
  const world = await plant();
  const tried: Tried[] = [];
  for (const probe of ESCAPES.filter((one) => isRoot || !one.plantedByRoot)) {
    tried.push({ name: probe.name, ...(await attempt(probe, world, await guarded())) });
  }
  for (const guard of ["sandbox", "filter", "namespaces", "network"] as const) {
    const sandbox = await without(guard);
    for (const probe of ESCAPES.filter((one) => one.guard === guard)) {
      const found = tried.find((one) => one.name === probe.name);
      if (found !== undefined) found.unguarded = (await attempt(probe, world, sandbox)).escaped;
    }
    await sandbox.close();
  }
  await (await guarded()).close();
  process.stdout.write(JSON.stringify(tried));
} finally {
  for (const close of closers.reverse()) close();
}

async function plant(): Promise<World> {
  const secret = `secret-${process.pid}-${Math.random()}`;
  const mark = `escape-${process.pid}`;
  const outside = join(place, "outside");
  const checkout = join(place, "checkout");
  mkdirSync(outside);
  chmodSync(outside, 0o777);
  writeFileSync(join(place, "secret"), secret, { mode: 0o644 });
  mkdirSync(join(checkout, ".git/hooks"), { recursive: true });
  writeFileSync(join(checkout, ".git/config"), "[core]\n");
  mkdirSync(join(checkout, "node_modules/dep"), { recursive: true });
  for (const folder of [".git/hooks", "node_modules/dep"]) chmodSync(join(checkout, folder), 0o777);
  const sandbox = await guarded();
  const neighbour = await sandbox.workspace("neighbour");
  writeFileSync(join(neighbour, "secret"), secret, { mode: 0o644 });
  chmodSync(neighbour, 0o755);
  const socket = join(outside, "socket");
  const abstract = `fractal-${mark}`;
  const tcp = await listening(createServer(), { host: "127.0.0.1", port: 0 });
  await listening(createServer(), { path: `\0${abstract}` });
  await listening(createServer(), { path: socket });
  chmodSync(socket, 0o777);
  const udp = createSocket("udp4", hit).bind(0, "127.0.0.1");
  await once(udp, "listening");
  closers.push(() => udp.close());
  process.env["FRACTAL_CANARY"] = secret;
  const world = {
    secretFile: join(place, "secret"),
    ...{ secret, outside, sibling: join(neighbour, "secret"), checkout, abstract, socket, mark },
    ...{ tcp, udp: udp.address().port, pid: 0 },
  };
  renew(world);
  return world;
}

async function listening(server: Server, where: object): Promise<number> {
  server.on("connection", (socket) => {
    hit();
    socket.destroy();
  });
  server.listen(where);
  await once(server, "listening");
  closers.push(() => server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Puts everything planted back as it was. */
function renew(world: World): void {
  for (const name of readdirSync(world.outside)) {
    if (name !== "socket") rmSync(join(world.outside, name), { recursive: true, force: true });
  }
  writeFileSync(join(world.outside, "kept"), "kept\n");
  chmodSync(join(world.outside, "kept"), 0o666);
  const module = join(world.checkout, "node_modules/dep/index.js");
  writeFileSync(module, "");
  chmodSync(module, 0o666);
  rmSync(join(world.checkout, ".git/hooks/post-checkout"), { force: true });
  if (!isAlive(world.pid)) {
    const canary = spawn("sh", ["-c", `: ${world.mark}; sleep 1000 & wait`], {
      uid: inside,
      stdio: "ignore",
      detached: true,
    });
    const { pid = 0 } = canary;
    world.pid = pid;
    closers.push(() => endGroup(pid));
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

async function attempt(
  probe: EscapeProbe,
  world: World,
  sandbox: OpenSandbox,
): Promise<Pick<Tried, "escaped" | "said">> {
  const folder = await sandbox.workspace("probe");
  mkdirSync(join(folder, "oracle"));
  writeFileSync(join(folder, "oracle/test.mjs"), "");
  await sandbox.handOver(folder);
  if (isRoot) {
    // After the change of hands, which would take the bit away.
    copyFileSync("/usr/bin/id", join(folder, "id-as-root"));
    chmodSync(join(folder, "id-as-root"), 0o4755);
  }
  const before = seen(world, hits);
  const result = await sandbox.run(
    {
      folder,
      argv: probe.argv(world),
      readOnly: ["oracle/test.mjs"],
      timeoutMs: 3_000,
      outputBytesMax: 100_000,
    },
    new AbortController().signal,
  );
  if (isFailure(result)) throw new Error(`${probe.name}: ${result.detail}`);
  const left = await leftBehind(`${world.mark}-left`);
  const said = `${result.stdout}${result.stderr}`.trim();
  const escaped =
    said.includes("ESCAPED") ||
    said.includes(world.secret) ||
    left.length > 0 ||
    seen(world, hits) !== before;
  for (const pid of left) endGroup(pid);
  renew(world);
  await sandbox.discard(folder);
  return { escaped, said: said.slice(0, 200).replaceAll(world.secret, "SECRET") };
}

/** All of the host that a probe could change, as one text. */
function seen(world: World, hitsSoFar: number): string {
  const files = readdirSync(world.outside).filter((name) => name !== "socket");
  const texts = files.sort().map((name) => [name, readFileSync(join(world.outside, name), "utf8")]);
  return JSON.stringify([texts, hitsSoFar, isAlive(world.pid)]);
}

/** False as soon as it is killed, whoever has not heard of it yet. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Processes with this in their command line, once those that are ending have ended. */
async function leftBehind(mark: string): Promise<number[]> {
  const end = Date.now() + 2_000;
  for (;;) {
    const pids = processesWith(mark).map(({ pid }) => pid);
    if (pids.length === 0 || Date.now() > end) return pids;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function guarded(): Promise<OpenSandbox> {
  real ??= await opened("contained", "guarded");
  return real;
}

async function without(guard: Guard): Promise<OpenSandbox> {
  if (guard === "sandbox") return opened("unconfined", guard);
  const bin = join(place, `without-${guard}`);
  mkdirSync(bin);
  const bwrap = (process.env["PATH"] ?? "").split(":").map((folder) => join(folder, "bwrap"));
  const found = bwrap.find((path) => existsSync(path));
  const script = `#!/bin/sh
skip=0
for a; do
  shift
  if [ $skip -gt 0 ]; then skip=$((skip-1)); continue; fi
  case "$a" in ${WITHOUT[guard]} esac
  set -- "$@" "$a"
done
exec ${found} "$@"
`;
  writeFileSync(join(bin, "bwrap"), script, { mode: 0o755 });
  const path = process.env["PATH"];
  process.env["PATH"] = `${bin}:${path}`;
  try {
    return await opened("contained", guard);
  } finally {
    process.env["PATH"] = path;
  }
}

async function opened(mode: "contained" | "unconfined", runId: string): Promise<OpenSandbox> {
  const sandbox = await createSandbox({
    ...{ mode, checkout: join(place, "checkout"), root: ".", runId },
    cache: join(place, "cache"),
  });
  if (isFailure(sandbox)) throw new Error(sandbox.detail);
  return sandbox;
}
