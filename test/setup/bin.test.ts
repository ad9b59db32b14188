/** `bin/fractal.mjs`: which Node runs which code, and that nothing is lost on the way. */
import { chmod, copyFile, mkdir, mkdtemp, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";

const bin = join(import.meta.dirname, "../../bin/fractal.mjs");

/** What stands in for the program: says how it was called, and how it ends. */
const PROGRAM = `
export const main = async (argv) => {
  console.log(JSON.stringify({ argv, node: process.versions.node }));
  if (argv[0] === "wait") {
    const signal = await new Promise((resolve) => {
      const timer = setInterval(() => {}, 1000);
      const end = (name) => { clearInterval(timer); resolve(name); };
      process.on("SIGINT", end).on("SIGTERM", end);
      console.error("waiting");
    });
    console.log(signal);
    return signal === "SIGINT" ? 130 : 143;
  }
  if (argv[0] === "die") process.kill(process.pid, "SIGKILL");
  return Number(argv[0] ?? 0);
};`;

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** A package of its own, with a stand-in program in \`src\` and \`dist\`. */
async function aPackage(below = ""): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), "fractal-bin-")), below);
  await write(join(folder, "package.json"), '{"version":"1.2.3","type":"module"}');
  await mkdir(join(folder, "bin"));
  await copyFile(bin, join(folder, "bin/fractal.mjs"));
  await write(join(folder, "src/cli/main.ts"), `const from: string = "src";${PROGRAM}`);
  await write(join(folder, "dist/cli/main.js"), `console.log("dist");${PROGRAM}`);
  return folder;
}

/** Makes this Node say that it is an old one, and a pinned one that is not. */
async function withOldNode(folder: string) {
  const preload = join(folder, "old.cjs");
  await write(
    preload,
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } });`,
  );
  const pinned = join(folder, "node_modules/node/bin/node");
  await mkdir(dirname(pinned), { recursive: true });
  await symlink(process.execPath, pinned);
  return [process.execPath, "--require", preload, join(folder, "bin/fractal.mjs")] as const;
}

const start = (folder: string, ...args: string[]) =>
  execa(process.execPath, [join(folder, "bin/fractal.mjs"), ...args], { reject: false });

it("answers --version itself, without the program", async () => {
  const { version } = JSON.parse(
    await readFile(join(import.meta.dirname, "../../package.json"), "utf8"),
  );
  expect((await execa(process.execPath, [bin, "--version"])).stdout).toBe(version);

  const folder = await aPackage();
  await writeFile(join(folder, "src/cli/main.ts"), "throw new Error('started')");
  for (const flag of ["--version", "-V"]) {
    expect(await start(folder, flag)).toMatchObject({ exitCode: 0, stdout: "1.2.3" });
  }
});

it("runs the sources of a clone with their arguments, and ends with their exit code", async () => {
  const ended = await start(await aPackage(), "3", "a b", "--json");
  expect(ended).toMatchObject({ exitCode: 3, stderr: "" });
  expect(JSON.parse(ended.stdout).argv).toEqual(["3", "a b", "--json"]);
});

it("runs what was built where the package is installed", async () => {
  const ended = await start(await aPackage("node_modules/fractal"), "0");
  expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^dist\n/) });
});

it("runs the sources through a link from elsewhere, as `npm i -g .` makes it", async () => {
  const folder = await aPackage();
  const link = join(await mkdtemp(join(tmpdir(), "fractal-link-")), "fractal");
  await symlink(join(folder, "bin/fractal.mjs"), link);
  const ended = await execa(process.execPath, [link, "0"]);
  expect(JSON.parse(ended.stdout).argv).toEqual(["0"]);
});

it("hands over to the pinned Node below 22.18: arguments, input, output, exit code", async () => {
  const folder = await aPackage();
  const [node, ...old] = await withOldNode(folder);
  const ended = await execa(node, [...old, "7", "x"], { reject: false });
  expect(ended).toMatchObject({ exitCode: 7, stderr: "" });
  expect(JSON.parse(ended.stdout)).toEqual({ argv: ["7", "x"], node: process.versions.node });
});

it("says what to do when the pinned Node is not there, with exit code 6", async () => {
  const folder = await aPackage();
  const [node, ...old] = await withOldNode(folder);
  await execa("rm", [join(folder, "node_modules/node/bin/node")]);
  const ended = await execa(node, [...old, "tree"], { reject: false });
  expect(ended).toMatchObject({ exitCode: 6, stdout: "" });
  expect(ended.stderr).toMatch(/needs Node 22\.18 or newer; this is 20\.1\.0.*npm ci/s);
});

it("says so when the pinned Node does not start", async () => {
  const folder = await aPackage();
  const [node, ...old] = await withOldNode(folder);
  const pinned = join(folder, "node_modules/node/bin/node");
  await execa("rm", [pinned]);
  await writeFile(pinned, "no program");
  await chmod(pinned, 0o644);
  const ended = await execa(node, [...old, "tree"], { reject: false });
  expect(ended).toMatchObject({ exitCode: 6, stderr: expect.stringContaining("cannot start") });
});

it.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("passes %s on to the pinned Node and waits for its end", async (signal, code) => {
  const folder = await aPackage();
  const [node, ...old] = await withOldNode(folder);
  // In a session of its own, without a terminal that would deliver the signal to both.
  const running = execa(node, [...old, "wait"], { reject: false, detached: true });
  await new Promise((resolve) => running.stderr.once("data", resolve));
  running.kill(signal);
  const ended = await running;
  expect(ended).toMatchObject({ exitCode: code });
  expect(ended.stdout.split("\n")).toHaveLength(2);
  expect(ended.stdout).toMatch(new RegExp(`${signal}$`));
});

it("dies of the signal that the pinned Node died of", async () => {
  const folder = await aPackage();
  const [node, ...old] = await withOldNode(folder);
  expect(await execa(node, [...old, "die"], { reject: false })).toMatchObject({
    signal: "SIGKILL",
  });
});
