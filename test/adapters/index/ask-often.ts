/** Opens one index again and again beside other processes, deleting it now and then: `ask-often.ts FILE EVENTS SEED`. */
import { readFileSync, rmSync } from "node:fs";
import type { RunEvent } from "../../../src/domain/event.ts";
import { hashOfIndex, indexOf } from "../../support/index-hash.ts";
import { chanceOf } from "../../support/toy-run.ts";

const [, , file = "", lines = "", seed = ""] = process.argv;
const events = JSON.parse(readFileSync(lines, "utf8")) as RunEvent[];
const chance = chanceOf(Number(seed));
const right = new Map<number, string>();
for (let round = 0; round < 40; round++) {
  const length = 1 + chance(4) * Math.floor((events.length - 1) / 3);
  const known = events.slice(0, length);
  const hash = hashOfIndex(indexOf(file, known));
  if (chance(3) === 0) rmSync(file, { force: true });
  const first = right.get(length) ?? hashOfIndex(indexOf(`${file}-${seed}/alone.db`, known));
  right.set(length, first);
  if (hash !== first) throw new Error(`round ${round}: the index is wrong`);
}
process.stdout.write("right");
