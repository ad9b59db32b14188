/** What fractal itself costs a task: whole runs on ports in memory, with a model that answers at once. */
import { performance } from "node:perf_hooks";
import { systemClock } from "../src/adapters/clock.ts";
import type { ModelRequest } from "../src/domain/conversation.ts";
import type { Part, Plan } from "../src/domain/plan.ts";
import { runLoop } from "../src/orchestrator/loop.ts";
import { aMemoryWorld } from "../test/support/memory-world.ts";

/** Children of one split; the tree gets a level more when there are more leaves than this. */
const WIDTH = 20;

/** Milliseconds a leaf takes of a run with this many, planning of its parents included. */
export async function costOfTask(leaves: number): Promise<number> {
  const { spec, splits } = treeOf(leaves);
  const world = aMemoryWorld({
    clock: systemClock,
    spec,
    splits,
    script: wordOf,
    limits: { jobs: 8, tasksMax: 100_000, depthMax: 20 },
  });
  const startedAt = performance.now();
  const rest = await runLoop(world, new AbortController().signal);
  const tookMs = performance.now() - startedAt;
  if (rest.exitCode !== 0) throw new Error(`the run ended with ${JSON.stringify(rest)}`);
  return tookMs / leaves;
}

/** What a leaf of `treeOf` answers: its one file. */
export function wordOf({ taskKey }: ModelRequest): string {
  const name = taskKey.split(".").at(-1);
  return `\`\`\`txt ${name}.txt\n${name}\n\`\`\`\n`;
}

/**
 * A tree of this many leaves, 20 to a parent, each with one requirement, one file and one check:
 * a command of the memory sandbox unless another is given.
 */
export function treeOf(
  leaves: number,
  check = (file: string, text: string) => `has ${file} ${text}`,
): { spec: string; splits: Record<string, Plan> } {
  const names = Array.from({ length: leaves }, (_, index) => `w${index + 1}`);
  const spec = `---\nlanguage: text\n---\n# Words\n\n${names.map((name, i) => `- R${i + 1}: ${name}.txt has ${name}`).join("\n")}\n`;
  const splits: Record<string, Plan> = {};
  const build = (key: string, from: number, to: number, depth: number): void => {
    const width = Math.max(1, Math.ceil((to - from) / WIDTH));
    const groups: [number, number][] = [];
    for (let at = from; at < to; at += width) groups.push([at, Math.min(to, at + width)]);
    const isLast = width === 1;
    const parts = groups.map(([start, end]): Part => {
      const name = isLast ? (names[start] ?? "") : `g${start + 1}`;
      return {
        key: name,
        title: `Words ${start + 1} to ${end}${isLast ? " alone" : ""}`,
        purpose: `Write words ${start + 1} to ${end}, level ${depth}.`,
        kind: "code",
        size: isLast ? "S" : (["L", "M", "M"][depth] as "L"),
        files: isLast ? [`${name}.txt`] : [`group-${start + 1}/`],
        risks: [],
      };
    });
    const ownership: Record<string, string> = {};
    groups.forEach(([start, end], index) => {
      for (let i = start; i < end; i++) ownership[`R${i + 1}`] = parts[index]?.key ?? "";
    });
    splits[key] = {
      decision: "split",
      size: (["XL", "L", "M"] as const)[depth] ?? "M",
      reason: "words",
      parts,
      ownership,
      interfaces: [],
      dependencies: [],
      acceptance: isLast
        ? groups.map(([start]) => ({
            part: names[start] ?? "",
            requirement: `R${start + 1}`,
            example: {
              kind: "command",
              run: check(`${names[start]}.txt`, names[start] ?? ""),
              exit: 0,
            },
          }))
        : [],
      questions: [],
    };
    if (isLast) return;
    groups.forEach(([start, end], index) => {
      const name = parts[index]?.key ?? "";
      build(key === "root" ? name : `${key}.${name}`, start, end, depth + 1);
    });
  };
  build("root", 0, leaves, 0);
  return { spec, splits };
}
