/** The towers of Hanoi as a plan: a tree of steps that can only be made one after the other. */
import type { Part, Plan } from "../../src/domain/plan.ts";
import { aPart, aPlan, files } from "./plans.ts";
import type { Line } from "./rig.ts";

/** The moves that bring `disks` disks from A to C: 2^disks − 1 of them, each from peg to peg. */
export function movesOf(disks: number, from = "A", to = "C", over = "B"): string[] {
  if (disks === 0) return [];
  return [
    ...movesOf(disks - 1, from, over, to),
    `${from} ${to}`,
    ...movesOf(disks - 1, over, to, from),
  ];
}

/** A program of the user's: `node hanoi.mjs K` prints `right` when the first K moves are there and lawful. */
const JUDGE = (disks: number) => `import { existsSync, readFileSync } from "node:fs";
const pegs = { A: [...Array(${disks}).keys()].reverse(), B: [], C: [] };
const last = Number(process.argv[2]);
for (let step = 1; step <= last; step++) {
  const file = "moves/" + String(step).padStart(4, "0") + ".txt";
  if (!existsSync(file)) throw new Error("there is no move " + step);
  const [from, to] = readFileSync(file, "utf8").trim().split(" ");
  const disk = pegs[from].pop();
  const below = pegs[to].at(-1);
  if (disk === undefined || (below !== undefined && below < disk)) throw new Error("not lawful: " + step);
  pegs[to].push(disk);
}
if (last === ${2 ** disks - 1} && pegs.C.length !== ${disks}) throw new Error("not all disks are on C");
console.log("right");
`;

export interface Towers {
  moves: string[];
  /** What the user's repository holds. */
  files: Record<string, string>;
  spec: string;
  splits: Record<string, Plan>;
  answers: Line[];
  /** Names of the steps in their order, as parts are called: `step-0001`. */
  steps: string[];
}

const SIZES = ["S", "M", "L", "XL"] as const;
const nameOf = (step: number) => `step-${String(step).padStart(4, "0")}`;
const fileOf = (step: number) => `moves/${String(step).padStart(4, "0")}.txt`;

/** A tree whose parents have at most `width` children, each of which waits for the one before. */
export function towersOf(disks: number, width: number): Towers {
  const moves = movesOf(disks);
  const steps = moves.map((_, index) => index + 1);
  const splits: Record<string, Plan> = {};
  const answers: Line[] = [];

  const quote = (step: number) => `\`node hanoi.mjs ${step}\` prints \`right\``;
  const planOf = (key: string, from: number[]): number => {
    const groups = groupsOf(from, width);
    const parts: Part[] = [];
    let level = 0;
    for (const [index, group] of groups.entries()) {
      const [step = 0] = group;
      if (group.length === 1) {
        parts.push(
          aPart(nameOf(step), {
            purpose: `Write move ${step}, from peg to peg, into ${fileOf(step)}.`,
            files: [fileOf(step)],
          }),
        );
        const task = key === "root" ? nameOf(step) : `${key}.${nameOf(step)}`;
        const text = files({ [fileOf(step)]: moves[step - 1] ?? "" });
        answers.push({ role: "worker", task, text });
        continue;
      }
      const name = `part-${index + 1}`;
      level = planOf(key === "root" ? name : `${key}.${name}`, group);
      parts.push(
        aPart(name, {
          title: `Moves ${step} to ${group.at(-1)}`,
          purpose: `Make moves ${step} to ${group.at(-1)} in their order.`,
          size: SIZES[level] ?? "XL",
          files: ["moves/"],
        }),
      );
    }
    splits[key] = aPlan(parts, {
      size: SIZES[level + 1] ?? "XL",
      ownership: Object.fromEntries(
        groups.flatMap((group, index) =>
          group.map((step) => [`R${step}`, parts[index]?.key ?? ""]),
        ),
      ),
      dependencies: parts
        .slice(1)
        .map((part, index) => ({ part: part.key, needs: [parts[index]?.key ?? ""] })),
      acceptance: groups.flatMap((group, index) =>
        group.length > 1
          ? []
          : group.map((step) => ({
              part: parts[index]?.key ?? "",
              requirement: `R${step}`,
              quote: quote(step),
              example: {
                kind: "command" as const,
                run: `node hanoi.mjs ${step}`,
                exit: 0,
                stdout: "right",
              },
            })),
      ),
    });
    return level + 1;
  };
  planOf("root", steps);

  return {
    moves,
    files: { "hanoi.mjs": JUDGE(disks) },
    spec: [
      `# The towers of Hanoi, ${disks} disks`,
      "",
      ...steps.map((step) => `- R${step}: move ${step} is in \`${fileOf(step)}\`: ${quote(step)}.`),
      "",
    ].join("\n"),
    splits,
    answers,
    steps: steps.map(nameOf),
  };
}

/** Cut into as few runs of equal length as there are children; single steps where they fit. */
function groupsOf(steps: number[], width: number): number[][] {
  if (steps.length <= width) return steps.map((step) => [step]);
  let each = width;
  while (each * width < steps.length) each *= width;
  const groups: number[][] = [];
  for (let at = 0; at < steps.length; at += each) groups.push(steps.slice(at, at + each));
  return groups;
}
