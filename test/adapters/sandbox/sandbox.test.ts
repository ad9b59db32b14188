/** The Sandbox port with real processes: what both modes promise, and what only containment does. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createSandbox, type OpenSandbox } from "../../../src/adapters/sandbox/sandbox.ts";
import { brokenSandbox, selfTest } from "../../../src/adapters/sandbox/self-test.ts";
import type { SandboxCommand, SandboxResult } from "../../../src/domain/contained.ts";
import { isFailure } from "../../../src/domain/failure.ts";
import { processesWith } from "../../support/processes.ts";

// Many short processes: slow on a busy machine, never stuck.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const never = new AbortController().signal;
let home: string;
let checkout: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "fractal-sandbox-"));
  // Started as root, the sandbox's user must be able to get to the workspaces.
  chmodSync(home, 0o755);
  checkout = join(home, "checkout");
  put(checkout, {
    ".git/HEAD": "ref: refs/heads/main\n",
    "node_modules/dep/index.js": "exports.name = 'dep';\n",
    "pkg/app/vendor/lib.txt": "vendored\n",
    "pkg/app/a.txt": "a\n",
  });
  // As `mkdtemp` makes it, and as the home of root is: closed to others.
  chmodSync(checkout, 0o700);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function put(folder: string, files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

let opened = 0;

async function open(
  mode: "contained" | "unconfined",
  over: Partial<Parameters<typeof createSandbox>[0]> = {},
): Promise<OpenSandbox> {
  const cache = join(home, "cache");
  opened += 1;
  const options = { mode, checkout, root: ".", runId: `r${opened}`, cache, ...over };
  const sandbox = await createSandbox(options);
  if (isFailure(sandbox)) throw new Error(sandbox.detail);
  return sandbox;
}

async function sh(
  sandbox: OpenSandbox,
  folder: string,
  script: string,
  over: Partial<SandboxCommand> = {},
): Promise<SandboxResult> {
  const command = {
    folder,
    argv: ["sh", "-c", script],
    timeoutMs: 20_000,
    outputBytesMax: 100_000,
  };
  const result = await sandbox.run({ ...command, ...over }, never);
  if (isFailure(result)) throw new Error(result.detail);
  return result;
}

describe.each(["contained", "unconfined"] as const)("a %s sandbox", (mode) => {
  let sandbox: OpenSandbox;
  beforeAll(async () => {
    sandbox = await open(mode);
  });

  it("runs a command in its workspace and says how it ended", async () => {
    const folder = await sandbox.workspace("ends");
    const result = await sh(
      sandbox,
      folder,
      "echo out; echo err >&2; cat; echo hi > made; exit 7",
      {
        stdin: "in\n",
      },
    );
    expect(result).toMatchObject({
      exitCode: 7,
      stdout: "out\nin\n",
      stderr: "err\n",
      timedOut: false,
      truncated: false,
    });
    expect(readFileSync(join(folder, "made"), "utf8")).toBe("hi\n");
    expect((await sh(sandbox, folder, "kill -SEGV $$")).exitCode).toBe(139);
  });

  it("gives each command a home of its own, where nothing lies that another one left", async () => {
    const folder = await sandbox.workspace("homes");
    await sh(sandbox, folder, 'echo "evil = 1" > "$HOME/usercustomize.py"');
    expect((await sh(sandbox, folder, 'echo "$HOME"; ls -A "$HOME"')).stdout).not.toContain(".py");
  });

  it("lets it change what the controller handed over", async () => {
    const folder = await sandbox.workspace("handed");
    put(folder, { "a/b.txt": "old\n" });
    chmodSync(join(folder, "a/b.txt"), 0o644);
    await sandbox.handOver(folder);
    const result = await sh(sandbox, folder, "cat a/b.txt; echo new > a/b.txt; echo x > a/c.txt");
    expect(result).toMatchObject({ exitCode: 0, stdout: "old\n" });
    expect(readFileSync(join(folder, "a/b.txt"), "utf8")).toBe("new\n");
  });

  it("empties a workspace of the same name, and discards what forbids it", async () => {
    const folder = await sandbox.workspace("again");
    await sh(sandbox, folder, "mkdir -p locked/in; touch locked/in/x; chmod 0 locked/in locked");
    expect(await sandbox.workspace("again")).toBe(folder);
    expect(readdirSync(folder)).not.toContain("locked");
    await sandbox.discard(folder);
    expect(existsSync(folder)).toBe(false);
  });

  it("has none of what a killed process of the run left, and leaves nothing when it is closed", async () => {
    const killed = await open(mode, { runId: `killed-${mode}` });
    await killed.workspace("left");
    const sandbox = await open(mode, { runId: `killed-${mode}` });
    const place = join(home, "cache", "sandbox", "workspaces", `killed-${mode}`);
    expect(readdirSync(place)).not.toContain("left");
    await sandbox.workspace("w");
    await sandbox.close();
    expect(existsSync(place)).toBe(false);
  });

  it("will not work in a folder that is no workspace", async () => {
    await expect(sh(sandbox, checkout, "true")).rejects.toThrow("not a workspace");
    await expect(sandbox.discard(home)).rejects.toThrow("not a workspace");
    await expect(sandbox.workspace("..")).rejects.toThrow("no name");
    expect(dirname(await sandbox.workspace("../../x"))).toBe(dirname(await sandbox.workspace("y")));
  });

  it("keeps the ends of 50 MB of output and the exit code", async () => {
    const folder = await sandbox.workspace("loud");
    const script = "echo BEGIN; head -c 50000000 /dev/zero | tr '\\0' x; echo; echo END; exit 3";
    const result = await sh(sandbox, folder, script, { outputBytesMax: 10_000 });
    expect(result).toMatchObject({ exitCode: 3, truncated: true });
    expect(result.stdout.length).toBeLessThan(10_100);
    expect(result.stdout).toMatch(/^BEGIN\nx+\n\[\d+ bytes left out\]\nx+\nEND\n$/);
  });

  it("ends an endless command with its whole tree", async () => {
    const folder = await sandbox.workspace("endless");
    const mark = `mark-${mode}-${process.pid}`;
    const script = `(sh -c 'while :; do sleep 0.1; done' ${mark} &) ; while :; do :; done`;
    const result = await sh(sandbox, folder, `echo go; ${script}`, { timeoutMs: 500 });
    expect(result).toMatchObject({ exitCode: null, timedOut: true, stdout: "go\n" });
    await vi.waitFor(() => expect(processesWith(mark)).toEqual([]), 5000);
  });

  it("does not wait for a background process that holds the output", async () => {
    const folder = await sandbox.workspace("background");
    const mark = `sleep-${mode}-${process.pid}`;
    const result = await sh(sandbox, folder, `sh -c 'sleep 300; :' ${mark} & echo done; exit 5`);
    expect(result).toMatchObject({ exitCode: 5, stdout: "done\n", timedOut: false });
    await vi.waitFor(() => expect(processesWith(mark)).toEqual([]), 5000);
  });

  it("stops when it is told to, also when that was before the start", async () => {
    const folder = await sandbox.workspace("stopped");
    const stop = new AbortController();
    const command = { folder, argv: ["sleep", "300"], timeoutMs: 60_000, outputBytesMax: 100 };
    const running = sandbox.run(command, stop.signal);
    stop.abort();
    expect(await running).toMatchObject({ failure: "cancelled" });
    expect(await sandbox.run(command, stop.signal)).toMatchObject({ failure: "cancelled" });
  });

  it("gives it only the environment that was declared", async () => {
    vi.stubEnv("FRACTAL_CANARY", "secret-canary");
    try {
      const declared = await open(mode, { env: { DECLARED: "yes" }, runId: "r2" });
      const folder = await declared.workspace("env");
      const { stdout } = await sh(declared, folder, "env; cat /proc/*/environ 2>/dev/null", {
        env: { MORE: "too" },
      });
      expect(stdout).toContain("DECLARED=yes");
      expect(stdout).toContain("MORE=too");
      expect(stdout.split("\n").filter((line) => line.includes("CANARY"))).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("never runs as root", async () => {
    const folder = await sandbox.workspace("root");
    expect((await sh(sandbox, folder, "id -u")).stdout).not.toBe("0\n");
  });

  it("sets limits on files and core dumps", async () => {
    const folder = await sandbox.workspace("limits");
    const { stdout } = await sh(
      sandbox,
      folder,
      "cat /proc/self/limits; cat /proc/self/oom_score_adj",
    );
    expect(stdout).toMatch(/Max file size +1073741824 /);
    expect(stdout).toMatch(/Max core file size +0 /);
    expect(stdout).toMatch(/\n900\n$/);
  });

  it("shows dependency folders, and not as part of the work", async () => {
    const folder = await sandbox.workspace("mounts");
    const script = "node -p \"require('dep').name\"; echo x > node_modules/dep/index.js";
    const result = await sh(sandbox, folder, script);
    expect(result.stdout).toBe("dep\n");
    expect(sandbox.mounts).toEqual(["node_modules"]);
    expect(readFileSync(join(checkout, "node_modules/dep/index.js"), "utf8")).toContain("'dep'");
  });

  it("shows folders of the machine that a person named, and finds their programs", async () => {
    const tools = join(home, "tools");
    put(tools, { "bin/hello": "#!/bin/sh\necho hello from $0\n" });
    chmodSync(join(tools, "bin/hello"), 0o755);
    const missing = join(home, "no-such-folder");
    const toolFolders = [tools, missing];
    const shown = await open(mode, { runId: `tools-${mode}`, toolFolders });
    const folder = await shown.workspace("w");
    const result = await sh(shown, folder, "hello; echo x > $(dirname $(command -v hello))/x");
    expect(result.stdout).toBe(`hello from ${tools}/bin/hello\n`);
    expect(readdirSync(join(tools, "bin"))).toEqual(["hello"]);
    await shown.close();
  });

  it("carries out file tools, and refuses in words that help", async () => {
    const folder = await sandbox.workspace("tools");
    const tool = async (name: string, args: unknown) => {
      const result = await sandbox.tool({ folder, tool: name, args, timeoutMs: 20_000 }, never);
      if (isFailure(result)) throw new Error(result.detail);
      return result;
    };
    const fine = (text: unknown) => ({ text, isError: false });
    const refused = (text: unknown) => ({ text, isError: true });

    expect(await tool("read_file", { path: "a.ts" })).toEqual(
      refused("There is no file a.ts. There are: no files yet."),
    );
    expect(await tool("write_file", { path: "src/a.ts", text: "one\ntwo\nthree\n" })).toEqual(
      fine("Wrote src/a.ts (14 bytes)."),
    );
    expect(await tool("read_file", { path: "./src/a.ts" })).toEqual(fine("one\ntwo\nthree"));
    expect(await tool("read_file", { path: "src/a.ts", from_line: 2, lines: 1 })).toEqual(
      fine("two\n[1 more lines; go on with from_line 3]"),
    );
    expect(await tool("edit_file", { path: "src/a.ts", old: "two", new: "$& $1" })).toEqual(
      fine("Changed src/a.ts."),
    );
    expect(readFileSync(join(folder, "src/a.ts"), "utf8")).toBe("one\n$& $1\nthree\n");
    expect(await tool("edit_file", { path: "src/a.ts", old: "four", new: "" })).toEqual(
      refused(expect.stringContaining("`old` is not in src/a.ts")),
    );
    expect(await tool("edit_file", { path: "src/a.ts", old: "e", new: "" })).toEqual(
      refused(expect.stringContaining("in src/a.ts 3 times")),
    );
    expect(await tool("list_files", {})).toEqual(fine("src/a.ts"));
    expect(await tool("search_files", { pattern: "^th", path: "src" })).toEqual(
      fine("src/a.ts:3: three"),
    );
    expect(await tool("search_files", { pattern: "(" })).toEqual(
      refused(expect.stringContaining("no regular expression")),
    );
    expect(await tool("read_file", { path: "src" })).toEqual(
      refused("src is a folder. Use list_files."),
    );
    expect(await tool("write_file", { path: "src/a.ts/b", text: "" })).toEqual(
      refused("src/a.ts/b goes through something that is a file, not a folder."),
    );
    symlinkSync("/etc", join(folder, "src/out"));
    for (const [name, path] of [
      ["read_file", "../x"],
      ["read_file", "/etc/passwd"],
      ["read_file", "src/out/passwd"],
      ["write_file", "src/../../x"],
      ["write_file", "src/out/x"],
      ["edit_file", "src/out/passwd"],
    ] as const) {
      expect(await tool(name, { path, text: "", old: "a", new: "b" })).toEqual(
        refused(expect.stringContaining("outside the workspace")),
      );
    }
    put(folder, { "b.bin": "a\0b", "big.txt": "x".repeat(2_000_001) });
    await sandbox.handOver(folder);
    expect(await tool("read_file", { path: "b.bin" })).toEqual(
      refused("b.bin is not a text file."),
    );
    expect(await tool("read_file", { path: "big.txt" })).toEqual(
      refused(expect.stringContaining("too large")),
    );
    expect(await tool("nope", {})).toEqual(refused("There is no tool nope."));
    expect(await tool("write_file", { path: "c.txt" })).toMatchObject({ isError: true });
  });

  it("gives up on a tool that does not end", async () => {
    const folder = await sandbox.workspace("slow");
    put(folder, { "a.txt": `${"a".repeat(40)}!\n` });
    await sandbox.handOver(folder);
    const call = { folder, tool: "search_files", args: { pattern: "^(a+)+$" }, timeoutMs: 1500 };
    expect(await sandbox.tool(call, never)).toEqual({
      text: "search_files took too long and was stopped.",
      isError: true,
    });
  });
});

describe("containment", () => {
  let sandbox: OpenSandbox;
  let folder: string;
  beforeAll(async () => {
    sandbox = await open("contained");
    folder = await sandbox.workspace("contained");
  });

  it("holds against every probe, and the probes notice when it is missing", async () => {
    const probes = await selfTest(sandbox, { checkout }, never);
    if (isFailure(probes)) throw new Error(probes.detail);
    expect(probes.filter((probe) => !probe.held)).toEqual([]);
    expect(probes.length).toBeGreaterThanOrEqual(12);
    expect(brokenSandbox(probes)).toBeUndefined();

    const open_ = await open("unconfined");
    const broken = await selfTest(open_, { checkout }, never);
    if (isFailure(broken)) throw new Error(broken.detail);
    const names = broken.filter((probe) => !probe.held).map((probe) => probe.name);
    expect(names).toEqual(
      expect.arrayContaining([
        "a planted secret cannot be read",
        "another workspace cannot be seen",
        "a server of the host cannot be reached",
        "processes of the host are not visible",
        "the secret came out nowhere",
      ]),
    );
    expect(brokenSandbox(broken)).toMatchObject({ failure: "sandbox-unavailable" });
  });

  it("keeps every write inside the workspace", async () => {
    const outside = join(home, "outside");
    mkdirSync(outside);
    chmodSync(outside, 0o777);
    for (const place of [outside, "/usr/lib", "/etc", "/opt/fractal", "/", "/var", home]) {
      const { exitCode } = await sh(sandbox, folder, `echo x > ${place}/fractal-escaped`);
      expect([place, exitCode]).not.toEqual([place, 0]);
    }
    const links = `ln -s ${outside} out; echo x > out/fractal-escaped; echo x > ../../fractal-escaped`;
    await sh(sandbox, folder, links);
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync(join(home, "fractal-escaped"))).toBe(false);
  });

  it("refuses the network, also the host's own", async () => {
    const server = createServer((socket) => socket.end("reached")).listen(0, "127.0.0.1");
    await once(server, "listening");
    let connections = 0;
    server.on("connection", () => {
      connections += 1;
    });
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const script = `node -e "require('net').connect(${port}, '127.0.0.1').on('error', (e) => { console.log(e.code); process.exit(9) })"`;
    expect(await sh(sandbox, folder, script)).toMatchObject({
      exitCode: 9,
      stdout: "ECONNREFUSED\n",
    });
    expect(connections).toBe(0);
    server.close();
  });

  it("lets a program talk to itself on localhost", async () => {
    const script = `node -e "
      const s = require('net').createServer((c) => c.end('hello')).listen(0, 'localhost', () =>
        require('net').connect(s.address().port, 'localhost').on('data', (d) => { console.log(String(d)); process.exit(0) }))"`;
    expect((await sh(sandbox, folder, script)).stdout).toBe("hello\n");
  });

  it("has a home and a /tmp of its own, gone afterwards", async () => {
    await sh(sandbox, folder, "echo x > ~/x; echo x > /tmp/fractal-own-tmp");
    expect((await sh(sandbox, folder, "ls -A ~ /tmp")).stdout).not.toContain("x");
    expect(existsSync("/tmp/fractal-own-tmp")).toBe(false);
  });

  it("ends also what left the session and the process group", async () => {
    const mark = `setsid-${process.pid}`;
    const script = `setsid sh -c 'while :; do sleep 0.1; done' ${mark} & sleep 0.2; exit 0`;
    expect(await sh(sandbox, folder, script)).toMatchObject({ exitCode: 0 });
    await vi.waitFor(() => expect(processesWith(mark)).toEqual([]), 5000);
  });

  it("shows the workspace and the dependency folders at places that are the same everywhere", async () => {
    const inner = await open("contained", { root: "pkg/app", runId: "r3", mountNames: ["vendor"] });
    const place = await inner.workspace("a");
    const script =
      "pwd; cat vendor/lib.txt; node -p \"require('dep').name\"; ls -A /work; echo x > vendor/y";
    const result = await sh(inner, place, script);
    expect(result.stdout).toBe("/work/pkg/app\nvendored\ndep\nnode_modules\npkg\n");
    expect(result.place).toBe("/work/pkg/app");
    expect(result.exitCode).not.toBe(0);
    expect(inner.mounts).toEqual(["vendor"]);
  });

  it("shows no dependency folder that is a link or outside the checkout", async () => {
    const sly = join(home, "sly");
    put(sly, { "real/a.txt": "a\n" });
    put(home, { "secrets/key": "key\n" });
    symlinkSync(join(home, "secrets"), join(sly, "node_modules"));
    symlinkSync("..", join(sly, "up"));
    const names = ["../secrets", "up/secrets", join(home, "secrets"), "real"];
    const inner = await open("contained", { checkout: sly, runId: "r4", mountNames: names });
    expect(inner.mounts).toEqual(["real"]);
  });

  it("keeps what a check is made of from being changed, and follows no link there", async () => {
    const place = await sandbox.workspace("oracle");
    put(home, { "private/key": "private\n" });
    chmodSync(join(home, "private/key"), 0o644);
    put(place, { "test/a.test.mjs": "original\n" });
    symlinkSync(join(home, "private/key"), join(place, "test/link"));
    await sandbox.handOver(place);
    const script =
      "echo forged > test/a.test.mjs; rm -f test/a.test.mjs; mv test old; echo x > test/new; cat test/link";
    const result = await sh(sandbox, place, script, {
      readOnly: ["test/a.test.mjs", "test/link", "missing", "../x"],
    });
    expect(result.stdout).toBe("");
    expect(readFileSync(join(place, "test/a.test.mjs"), "utf8")).toBe("original\n");
    expect(readFileSync(join(place, "test/new"), "utf8")).toBe("x\n");
  });

  it("limits the number of processes", async () => {
    expect((await sh(sandbox, folder, "cat /proc/self/limits")).stdout).toMatch(
      /Max processes +1024 /,
    );
  });

  it("holds as well for a user who is not root", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("all of these tests are run by such a user");
    const source = fileURLToPath(new URL("../../../src", import.meta.url));
    const cache = join(home, "user-cache");
    mkdirSync(cache);
    execFileSync("chown", ["65431:65431", cache]);
    const script = `
      const { createSandbox } = await import(${JSON.stringify(join(source, "adapters/sandbox/sandbox.ts"))});
      const { selfTest } = await import(${JSON.stringify(join(source, "adapters/sandbox/self-test.ts"))});
      const sandbox = await createSandbox({ mode: "contained", checkout: "/nonexistent", root: ".", runId: "u", cache: ${JSON.stringify(cache)} });
      const probes = sandbox.failure ? sandbox : await selfTest(sandbox, { checkout: "/nonexistent" }, new AbortController().signal);
      console.log(JSON.stringify(probes));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      uid: 65_431,
      gid: 65_431,
      cwd: "/",
      env: { PATH: process.env["PATH"], HOME: cache },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { out: "", err: "" };
    child.stdout.on("data", (bytes) => {
      said.out += bytes;
    });
    child.stderr.on("data", (bytes) => {
      said.err += bytes;
    });
    await once(child, "close");
    if (said.err.includes("EACCES")) skip("another user cannot read these sources");
    const probes = JSON.parse(said.out);
    expect(probes.filter?.((probe: { held: boolean }) => !probe.held)).toEqual([]);
    expect(probes.length).toBeGreaterThanOrEqual(12);
  });
});

describe("a machine without a sandbox", () => {
  const options = () =>
    ({
      mode: "contained",
      checkout,
      root: ".",
      runId: "none",
      cache: join(home, "cache"),
    }) as const;

  /** A PATH on which bwrap is this script, or is not. */
  async function withBwrap<T>(script: string | undefined, act: () => Promise<T>): Promise<T> {
    const bin = mkdtempSync(join(home, "bin-"));
    chmodSync(bin, 0o755);
    if (script !== undefined) {
      writeFileSync(join(bin, "bwrap"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    writeFileSync(join(bin, "apt-get"), "", { mode: 0o755 });
    for (const program of ["cp", "sh"]) symlinkSync(`/bin/${program}`, join(bin, program));
    vi.stubEnv("PATH", bin);
    try {
      return await act();
    } finally {
      vi.unstubAllEnvs();
    }
  }

  it.each([
    [
      "bubblewrap is missing",
      undefined,
      /not installed\. Install it: .*apt-get install -y bubblewrap$/,
    ],
    ["it is too old", "echo bubblewrap 0.6.1", /0\.6\.1 is too old: 0\.8\.0 or later/],
    ["it is another program", "echo something else", /too old/],
    [
      "user namespaces are forbidden",
      'test "$1" = --version && echo bubblewrap 0.8.0 && exit; echo "bwrap: No permissions to create new namespace" >&2; exit 1',
      /User namespaces are forbidden here/,
    ],
    [
      "the container hides /proc",
      'test "$1" = --version && echo bubblewrap 0.8.0 && exit; echo "bwrap: Can\'t mount proc on /newroot/proc: Operation not permitted" >&2; exit 1',
      /systempaths=unconfined/,
    ],
  ])("says what to do when %s", async (_, script, said) => {
    const failure = await withBwrap(script, () => createSandbox(options()));
    expect(failure).toMatchObject({ failure: "sandbox-unavailable" });
    expect(isFailure(failure) && failure.detail).toMatch(said);
  });
});
