/** The probes that must fail inside before anything is trusted to run there. */
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type Failure, isFailure } from "../../domain/failure.ts";
import type { Sandbox } from "../../domain/ports.ts";
import { INSIDE_ENV } from "./profile.ts";
import { unavailable } from "./quarters.ts";

/** One thing that was tried inside. */
export interface Probe {
  /** What must hold, as a sentence. */
  name: string;
  held: boolean;
  /** What came of the attempt. */
  detail: string;
}

const probes = z.array(z.object({ name: z.string(), held: z.boolean(), detail: z.string() }));
const TIMEOUT_MS = 30_000;
/** Set by programs themselves or by the tidy settings of every command. */
const OWN_VARIABLES = ["PWD", "SHLVL", "OLDPWD", "_", "PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS"];

/**
 * Plants a secret, a server and a neighbour on this machine, then tries from inside one sandbox to
 * get at them and at the rest. `env` are the names declared for commands. Some probe that did not
 * hold means: run nothing.
 */
export async function selfTest(
  sandbox: Sandbox,
  o: { checkout: string; env?: readonly string[] },
  signal: AbortSignal,
): Promise<Probe[] | Failure> {
  const outside = await mkdtemp(join(tmpdir(), "fractal-probe-"));
  const secret = randomBytes(16).toString("hex");
  const folder = await sandbox.workspace("probe");
  const sibling = await sandbox.workspace("probe-neighbour");
  const server = createServer((socket) => socket.end());
  const abstract = createServer((socket) => socket.end());
  try {
    // Open to all, so that only the sandbox is in the way.
    await chmod(outside, 0o755);
    await writeFile(join(outside, "secret"), secret, { mode: 0o644 });
    await writeFile(join(sibling, "secret"), secret, { mode: 0o644 });
    const socket = `fractal-probe-${randomUUID()}`;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    abstract.listen(`\0${socket}`);
    await once(abstract, "listening");
    const address = server.address();
    const result = await sandbox.run(
      {
        folder,
        argv: ["node", "--input-type=module", "-"],
        stdin: await probesText(),
        env: {
          FRACTAL_PROBES: JSON.stringify({
            secret: join(outside, "secret"),
            sibling: join(sibling, "secret"),
            checkout: o.checkout,
            pid: process.pid,
            filters: await ownFilters(),
            port: typeof address === "object" ? address?.port : 0,
            socket,
            variables: [
              ...[...Object.keys(INSIDE_ENV), ...OWN_VARIABLES, "FRACTAL_PROBES"],
              ...(o.env ?? []),
            ],
          }),
        },
        timeoutMs: TIMEOUT_MS,
        outputBytesMax: 100_000,
      },
      signal,
    );
    if (isFailure(result)) return result;
    return read(result.stdout, secret) ?? noAnswer(result.stderr);
  } finally {
    server.close();
    abstract.close();
    await rm(outside, { recursive: true, force: true });
    await sandbox.discard(folder);
    await sandbox.discard(sibling);
  }
}

/** The program that tries them. */
export function probesText(): Promise<string> {
  return readFile(new URL("./probes.mjs", import.meta.url), "utf8");
}

/** Filters of system calls that this process carries itself, as in a container. */
async function ownFilters(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  return Number(/^Seccomp_filters:\s*(\d+)$/m.exec(status)?.[1] ?? 0);
}

/** The probes that did not hold as one failure; undefined when all did. */
export function brokenSandbox(results: readonly Probe[]): Failure | undefined {
  const broken = results.filter((probe) => !probe.held);
  if (broken.length === 0) return undefined;
  const lines = broken.map((probe) => `- not true: ${probe.name} (${probe.detail})`);
  return unavailable(`The sandbox does not contain what runs in it:\n${lines.join("\n")}`);
}

function read(stdout: string, secret: string): Probe[] | undefined {
  try {
    const results = probes.parse(JSON.parse(stdout));
    const leaked = stdout.includes(secret);
    return [
      ...results,
      { name: "the secret came out nowhere", held: !leaked, detail: leaked ? "it did" : "nowhere" },
    ];
  } catch {
    return undefined;
  }
}

function noAnswer(stderr: string): Failure {
  return unavailable(`The self-test of the sandbox did not finish: ${stderr.slice(-500)}`);
}
