/**
 * Preloaded into fractal (`NODE_OPTIONS=--import …`): names every step it makes to disk and to other
 * programs, and kills it with SIGKILL at the one it is told, as a power cut or `kill -9` would.
 *
 * `FRACTAL_STEPS` is a file that gets the names, one a line; `FRACTAL_DIE_AT` is one of them, or
 * `@n` for the n-th of all;
 * `FRACTAL_FAIL_FSYNC` is the number of the fsync, from 1, that fails with EIO.
 */
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";

const real = { ...fs };
const dieAt = process.env["FRACTAL_DIE_AT"];
const stepsFile = process.env["FRACTAL_STEPS"];
const failFsync = Number(process.env["FRACTAL_FAIL_FSYNC"]);

// Programs that fractal starts may be Node as well: they are let be.
if (basename(process.argv[1] ?? "") === "fractal.mjs") watch();

let steps = 0;

/** True when this is the step to die at; names are unique by the number at their end. */
function reach(name: string): boolean {
  steps += 1;
  if (stepsFile !== undefined) real.appendFileSync(stepsFile, `${name}\n`);
  return name === dieAt || `@${steps}` === dieAt;
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("killed, and still here");
}

function passOrDie(name: string): void {
  if (reach(name)) die();
}

/** `what #n`: the n-th of its kind. */
function counter(): (what: string) => string {
  const seen = new Map<string, number>();
  return (what) => {
    const count = (seen.get(what) ?? 0) + 1;
    seen.set(what, count);
    return `${what} #${count}`;
  };
}

function watch(): void {
  const number = counter();
  let journal = -1;
  let line = "";
  let fsyncs = 0;

  fs.openSync = ((path: fs.PathLike, flags: fs.OpenMode, mode?: fs.Mode) => {
    const file = real.openSync(path, flags, mode);
    if (flags === "a" && basename(String(path)) === "events.jsonl") journal = file;
    return file;
  }) as typeof fs.openSync;

  fs.writeSync = ((file: number, bytes: Buffer, at: number) => {
    if (file !== journal) return real.writeSync(file, bytes, at);
    line = number(`journal ${typesIn(bytes)}`);
    passOrDie(`before ${line}`);
    // Torn in the middle of a line, and between the lines of one write.
    for (const [end, name] of tearsOf(bytes)) {
      if (!reach(`${name} ${line}`)) continue;
      real.writeSync(file, bytes, at, end - at);
      die();
    }
    return real.writeSync(file, bytes, at);
  }) as typeof fs.writeSync;

  fs.fsyncSync = (file: number) => {
    fsyncs += 1;
    if (fsyncs === failFsync)
      throw Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO" });
    real.fsyncSync(file);
    if (file === journal) passOrDie(`after ${line}`);
  };

  fs.renameSync = (from, to) => {
    const name = number("blob");
    passOrDie(`before ${name}`);
    real.renameSync(from, to);
    passOrDie(`after ${name}`);
  };

  const spawn = childProcess.spawn as (...all: unknown[]) => childProcess.ChildProcess;
  childProcess.spawn = ((file: string, args: readonly string[], ...rest: unknown[]) => {
    const name = number(commandName(file, args));
    passOrDie(`before ${name}`);
    const child = spawn(file, args, ...rest);
    // Registered first, so fractal has not heard of the end yet.
    child.once("exit", () => passOrDie(`after ${name}`));
    // It has begun, and goes on without us.
    if (reach(`during ${name}`)) setImmediate(die);
    if (args.includes("update-ref")) watchMoves(child, number);
    return child;
  }) as typeof childProcess.spawn;
  syncBuiltinESMExports();
}

/** A git that is open for moves of refs: each of them is a step. */
function watchMoves(git: childProcess.ChildProcess, number: (what: string) => string): void {
  const { stdin, stdout } = git;
  if (stdin === null || stdout === null) throw new Error("a git without pipes");
  const write = stdin.write.bind(stdin) as (text: string) => boolean;
  let name = "";
  stdin.write = ((text: string) => {
    name = number("git move");
    passOrDie(`before ${name}`);
    const isTaken = write(text);
    if (reach(`during ${name}`)) setImmediate(die);
    return isTaken;
  }) as typeof stdin.write;
  // Registered first, so fractal has not heard of it yet.
  stdout.on("data", (text) => {
    if (String(text).includes("commit: ok")) passOrDie(`after ${name}`);
  });
}

/** Where a write may break off, and how that is called. */
function tearsOf(bytes: Buffer): [number, string][] {
  const tears: [number, string][] = [[Math.floor(bytes.length / 2), "half"]];
  for (let end = bytes.indexOf(10) + 1; end > 0 && end < bytes.length; ) {
    tears.push([end, `${tears.length} lines of`]);
    end = bytes.indexOf(10, end) + 1;
  }
  return tears;
}

/** The kinds of events in one write, each once. */
function typesIn(bytes: Buffer): string {
  const lines = bytes.toString("utf8").trimEnd().split("\n");
  const types = lines.map((each) => (JSON.parse(each) as { event_type: string }).event_type);
  return [...new Set(types)].join("+");
}

/** `git update-ref`, `bd create`: the program and its verb. */
function commandName(file: string, args: readonly string[]): string {
  const program = basename(file);
  if (program !== "git" && !args.includes("--json")) return program;
  const words = args.filter((arg, at) => !arg.startsWith("-") && args[at - 1] !== "-c");
  return `${program === "git" ? "git" : "bd"} ${words[0] ?? ""}`;
}
