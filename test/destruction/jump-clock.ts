/**
 * Preloaded into fractal: the machine's clock is set while it runs.
 *
 * `FRACTAL_CLOCK_MS` is how far the clock is off; with `FRACTAL_CLOCK_FROM=n` only from the n-th
 * write to the journal on. `FRACTAL_SLEPT_MS` is how much time has passed, for every clock, once the
 * process is continued after SIGSTOP: so that a test need not wait that long.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";

if (basename(process.argv[1] ?? "") === "fractal.mjs") watch();

function watch(): void {
  const offMs = Number(process.env["FRACTAL_CLOCK_MS"] ?? 0);
  const from = Number(process.env["FRACTAL_CLOCK_FROM"] ?? 0);
  const sleptMs = Number(process.env["FRACTAL_SLEPT_MS"] ?? 0);
  let wallMs = from === 0 ? offMs : 0;
  let passedMs = 0;

  const RealDate = Date;
  const realNow = Date.now.bind(Date);
  const now = () => realNow() + wallMs + passedMs;
  // Called without arguments it tells the time; every other use is the real thing's.
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, self) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, self),
    apply: () => new RealDate(now()).toString(),
    get: (target, name, self) => (name === "now" ? now : Reflect.get(target, name, self)),
  });
  const monotonic = performance.now.bind(performance);
  performance.now = () => monotonic() + passedMs;
  process.on("SIGCONT", () => {
    passedMs += sleptMs;
  });

  const real = { ...fs };
  let journal = -1;
  let writes = 0;
  fs.openSync = ((path: fs.PathLike, flags: fs.OpenMode, mode?: fs.Mode) => {
    const file = real.openSync(path, flags, mode);
    if (flags === "a" && basename(String(path)) === "events.jsonl") journal = file;
    return file;
  }) as typeof fs.openSync;
  fs.writeSync = ((file: number, bytes: Buffer, at: number, length?: number) => {
    if (file === journal) writes += 1;
    if (writes === from) wallMs = offMs;
    return real.writeSync(file, bytes, at, length);
  }) as typeof fs.writeSync;
  syncBuiltinESMExports();
}
