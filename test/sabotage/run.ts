/** Takes every safeguard out, one after the other, and shows which test went red for each. */
import Table from "cli-table3";
import { report } from "../support/report.ts";
import { switchOf } from "./plugin.ts";
import { SWITCHES, type Switch } from "./switches.ts";
import { trial, type Verdict } from "./trial.ts";

const AT_ONCE = 2;

const names = process.argv.slice(2);
const todo = names.length === 0 ? [...SWITCHES] : names.map(switchOf);
const table = new Table({
  head: ["switch", "what it removes", "red in", "seconds"],
  colWidths: [24, 44, 52, 9],
  wordWrap: true,
  style: { head: [], border: [] },
});
let green = 0;

const queue = [...todo];
await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(table.toString());
const total = `${todo.length} switches`;
console.log(
  green === 0 ? `the suite is red for each of ${total}` : `${green} of ${total} are not noticed`,
);
process.exitCode = green === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let one = queue.shift(); one !== undefined; one = queue.shift()) note(one, await trial(one));
}

function note(one: Switch, { red, trouble, seconds }: Verdict): void {
  const isRed = red.length > 0;
  if (!isRed) green += 1;
  const redIn = red[0] ?? (trouble === undefined ? "nothing: NOT NOTICED" : `trouble: ${trouble}`);
  console.error(`${isRed ? "red" : "GREEN"} ${one.name} (${seconds} s): ${redIn}`);
  table.push([one.name, one.removes, redIn, seconds]);
  report({
    suite: "sabotage",
    what: one.removes,
    count: 1,
    passed: isRed ? 1 : 0,
    details: { switch: one.name, red_in: redIn },
  });
}
