/** The Sandbox port over bubblewrap: one contained command, its limits, its whole process tree. */
import { createHash } from "node:crypto";
import { lstat, mkdir, readFile, readlink, rename, stat, writeFile } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { SandboxCommand, SandboxResult } from "../../domain/contained.ts";
import { only } from "../../domain/environment.ts";
import { type Failure, isFailure } from "../../domain/failure.ts";
import { pathProblem } from "../../domain/path.ts";
import type { Sandbox } from "../../domain/ports.ts";
import {
  failedStart,
  missingBubblewrap,
  OLDEST_BUBBLEWRAP,
  oldBubblewrap,
  unsupportedProcessor,
} from "./diagnosis.ts";
import { type Ceilings, countsPerNamespace, limitedArgv } from "./limits.ts";
import { type Mount, plainStats } from "./mounts.ts";
import { runProcess } from "./process.ts";
import {
  type Bind,
  bubblewrapArgs,
  INSIDE,
  INSIDE_ENV,
  INSIDE_HOME,
  INSIDE_RUNNER,
  type Profile,
  type View,
} from "./profile.ts";
import type { Quarters } from "./quarters.ts";
import { resultOf, wasStopped } from "./result.ts";
import { systemCallFilter } from "./seccomp.ts";
import { callTool } from "./tool.ts";
import { findProgram, findToolchain } from "./toolchain.ts";
import { watchProcess } from "./watch.ts";

const ETC_SHARED = [
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "alternatives",
  // Certificates, not the private keys beside them.
  "ssl/certs",
  "ssl/cert.pem",
  "ssl/openssl.cnf",
  "pki/ca-trust",
  "pki/tls/certs",
  "pki/tls/cert.pem",
  "pki/tls/openssl.cnf",
  "ca-certificates",
  "mime.types",
];

const ETC_OWN: Record<string, string> = {
  passwd: `root:x:0:0::/:/bin/sh\nfractal:x:1000:1000::${INSIDE_HOME}:/bin/sh\n`,
  group: "root:x:0:\nfractal:x:1000:\n",
  hosts: "127.0.0.1 localhost fractal\n::1 localhost\n",
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
};

/**
 * Builds the sandbox and starts it once, to find out whether it can be had at all. Sandboxes of one
 * `fingerprint` are built in the same way from the same parts.
 */
export async function openBubblewrap(o: {
  quarters: Quarters;
  root: string;
  mounts: readonly Mount[];
  toolFolders: readonly string[];
  env: Record<string, string>;
  ceilings: Ceilings;
}): Promise<(Sandbox & { fingerprint: string }) | Failure> {
  const { ceilings } = o;
  const filter = systemCallFilter(process.arch);
  if (filter === undefined) return unsupportedProcessor(process.arch);
  const bwrap = await findProgram("bwrap");
  if (bwrap === undefined) return missingBubblewrap();
  const version = await versionOf(bwrap);
  if (version === undefined || isOlder(version, OLDEST_BUBBLEWRAP)) {
    return oldBubblewrap(version ?? "of an unknown version");
  }
  const { quarters } = o;
  const profile = await buildProfile(quarters, filter);
  const mounts: Mount[] = [];
  for (const mount of o.mounts) {
    mounts.push({ ...mount, source: await quarters.reachable(mount.source) });
  }
  const tools: Bind[] = [];
  for (const folder of o.toolFolders) {
    tools.push({ source: await quarters.reachable(folder), place: folder, writable: false });
  }
  const path = [INSIDE_ENV["PATH"], ...o.toolFolders.map((folder) => `${folder}/bin`)].join(":");
  const env = { PATH: path, ...o.env };
  const place = o.root === "." ? INSIDE : `${INSIDE}/${o.root}`;
  const countsProcesses = quarters.user !== undefined || countsPerNamespace();

  const run = async (
    command: SandboxCommand,
    signal: AbortSignal,
  ): Promise<SandboxResult | Failure> => {
    quarters.mustOwn(command.folder);
    const view: View = {
      folder: command.folder,
      place,
      binds: [
        ...tools,
        ...(await usableMounts(mounts, o.root, command.folder)),
        ...(await installedBinds(quarters, command.folder, place)),
        ...(await readOnlyBinds(command.folder, command.readOnly ?? [], place)),
      ],
      env: { ...env, ...command.env },
    };
    const end = await runProcess(
      {
        file: bwrap,
        args: bubblewrapArgs(
          profile,
          view,
          limitedArgv(command.argv, { countsProcesses, timeoutMs: command.timeoutMs, ceilings }),
        ),
        opened: profile.filter,
        cwd: "/",
        // Empty: what bwrap was started with can be read inside, in /proc/1/environ.
        env: {},
        ...(quarters.user === undefined ? {} : { user: quarters.user }),
        ...(command.stdin === undefined ? {} : { stdin: command.stdin }),
        timeoutMs: command.timeoutMs,
        outputBytesMax: command.outputBytesMax,
        watch: (pid, stop) => watchProcess({ pid, folder: command.folder, ceilings }, stop),
      },
      signal,
    );
    if (signal.aborted) return { failure: "cancelled", detail: "The command was stopped." };
    // Only bwrap writes here, and the exit code only when it really became the command.
    if (!wasStopped(end) && !end.status.includes('"exit-code"')) {
      return failedStart(end.startError ?? end.stderr);
    }
    return resultOf(end, place, ceilings);
  };

  const sandbox = {
    contained: true,
    fingerprint: fingerprintOf([
      ...[
        bwrap,
        version,
        (await stat(bwrap)).mtimeMs,
        release(),
        quarters.user ?? process.getuid?.(),
      ],
      ...[profile, filter.toString("base64"), ETC_OWN, env, tools, ceilings],
    ]),
    workspace: (name) => quarters.workspace(name),
    handOver: (folder) => quarters.handOver(folder),
    discard: (folder) => quarters.discard(folder),
    run,
    installed: quarters.installed,
    tool: (call, signal) => callTool(run, INSIDE_RUNNER, call, signal),
  } satisfies Sandbox & { fingerprint: string };
  const trial = await tryOut(sandbox);
  return trial ?? sandbox;
}

async function tryOut(sandbox: Sandbox): Promise<Failure | undefined> {
  const folder = await sandbox.workspace("trial");
  const result = await sandbox.run(
    { folder, argv: ["true"], timeoutMs: 20_000, outputBytesMax: 10_000 },
    new AbortController().signal,
  );
  await sandbox.discard(folder);
  if (isFailure(result)) return result;
  return result.exitCode === 0 ? undefined : failedStart(result.stderr);
}

function fingerprintOf(parts: unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

async function buildProfile(quarters: Quarters, filter: Buffer): Promise<Profile> {
  const etc = join(quarters.base, "etc");
  await mkdir(etc, { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries(ETC_OWN)) await settle(join(etc, name), text);
  const filterFile = join(etc, "filter.bpf");
  await settle(filterFile, filter);
  const rootFolders: Profile["rootFolders"] = [];
  for (const path of ["/bin", "/sbin", "/lib", "/lib32", "/lib64"]) {
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isSymbolicLink()) rootFolders.push({ path, link: await readlink(path) });
    else if (stats?.isDirectory()) rootFolders.push({ path, link: undefined });
  }
  const etcShared: string[] = [];
  for (const name of ETC_SHARED) {
    const path = join("/etc", name);
    if (await lstat(path).catch(() => undefined)) etcShared.push(path);
  }
  const toolchain = await findToolchain(quarters.reachable);
  return { ...toolchain, etc, etcShared, rootFolders, filter: filterFile };
}

/** Makes a file hold these bytes; one that others may be reading is left alone when it does. */
async function settle(path: string, content: string | Buffer): Promise<void> {
  const before = await readFile(path).catch(() => undefined);
  if (before?.equals(Buffer.from(content))) return;
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, content, { mode: 0o644 });
  await rename(draft, path);
}

/** The mounts, without those whose place the workspace has taken with something of its own. */
async function usableMounts(mounts: readonly Mount[], root: string, folder: string) {
  const prefix = root === "." ? "" : `${root}/`;
  const usable: Bind[] = [];
  for (const { source, at } of mounts) {
    const inside = at.startsWith(prefix) ? at.slice(prefix.length) : undefined;
    if (inside !== undefined && !(await canMountAt(folder, inside))) continue;
    usable.push({ source, place: `${INSIDE}/${at}`, writable: false });
  }
  return usable;
}

/** Installed packages, at their places in this workspace. */
async function installedBinds(quarters: Quarters, folder: string, place: string): Promise<Bind[]> {
  const binds: Bind[] = [];
  for (const { source, path } of quarters.installed.shownIn(folder)) {
    if (!(await canMountAt(folder, path))) continue;
    binds.push({ source, place: `${place}/${path}`, writable: false });
  }
  return binds;
}

async function canMountAt(folder: string, path: string): Promise<boolean> {
  const segments = path.split("/");
  for (let length = 1; length <= segments.length; length++) {
    const stats = await lstat(join(folder, ...segments.slice(0, length))).catch(() => undefined);
    if (stats === undefined) return true;
    if (!stats.isDirectory()) return false;
  }
  return true;
}

/**
 * Binds that make paths of the workspace read-only; a path that is not there, or reached through a
 * link, is left out. The folders above are bound onto themselves: what is a mount point cannot be
 * moved away with all that is in it.
 */
async function readOnlyBinds(
  folder: string,
  paths: readonly string[],
  place: string,
): Promise<Bind[]> {
  const above = new Set<string>();
  const kept = new Set<string>();
  for (const path of paths) {
    const stats = pathProblem(path) === undefined ? await plainStats(folder, path) : undefined;
    if (!stats?.isFile() && !stats?.isDirectory()) continue;
    kept.add(path);
    const segments = path.split("/");
    for (let length = 1; length < segments.length; length++) {
      above.add(segments.slice(0, length).join("/"));
    }
  }
  const bind = (path: string, writable: boolean) => ({
    source: join(folder, path),
    place: `${place}/${path}`,
    writable,
  });
  return [
    // A folder before what is in it.
    ...[...above].sort().map((path) => bind(path, true)),
    ...[...kept].sort().map((path) => bind(path, false)),
  ];
}

async function versionOf(bwrap: string): Promise<string | undefined> {
  // Its own process group: cut short by Ctrl-C in the terminal, it would look as if it were missing.
  const { stdout, failed } = await execa(bwrap, ["--version"], {
    env: only(process.env, ["PATH"]),
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    detached: true,
  });
  return failed ? undefined : /^bubblewrap (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}
