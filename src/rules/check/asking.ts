/**
 * What the work is asked while rendered examples are tried: everything but what is expected of it.
 * That stays outside of the sandbox (answers.ts), where nothing that runs inside can look it up.
 */
import type { Runnable } from "../../domain/example.ts";
import { renderAsking } from "../plan/oracle-asking.ts";

/** An example without what is expected. */
export type Ask =
  | { kind: "call"; file: string; name: string; args: unknown[] }
  | { kind: "command"; run: string; stdin?: string }
  | { kind: "http"; start: string; method: string; path: string; body?: string };

/** In the order of the examples. */
export function asksOf(examples: readonly Runnable[]): Ask[] {
  return examples.map(askOf);
}

function askOf(example: Runnable): Ask {
  switch (example.kind) {
    case "call": {
      const { kind, file, name, args } = example;
      return { kind, file, name, args };
    }
    case "command": {
      const { kind, run, stdin } = example;
      return { kind, run, ...(stdin === undefined ? {} : { stdin }) };
    }
    case "http": {
      const { kind, start, method, path, body } = example;
      return { kind, start, method, path, ...(body === undefined ? {} : { body }) };
    }
  }
}

/** The command that asks, and its input: it prints a line of JSON for each answer. */
export function askingOf(examples: readonly Runnable[]): { argv: string[]; stdin: string } {
  // No signal of the work's makes it listen.
  const argv = ["node", "--disable-sigusr1", "--input-type=module", "--eval", TELLER];
  return { argv, stdin: JSON.stringify(asksOf(examples)) };
}

/** What it may print: as much of each text as an example can expect, many times over. */
export const ANSWER_BYTES_MAX = 16_000_000;
const TEXT_CHARS_MAX = 1_000_000;

const TELLER = `import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
const root = process.cwd() + "/";
${renderAsking(new Set(["call", "command", "http"]))}
const tell = {
  call: ({ file, name, args }) => called(file, name, args),
  command: ({ run, stdin }) => ran(run, stdin),
  http: ({ start, ...request }) => asked(start, request),
};
const cut = (_, value) => (typeof value === "string" ? value.slice(0, ${TEXT_CHARS_MAX}) : value);
for (const ask of JSON.parse(await text(process.stdin))) {
  process.stdout.write(JSON.stringify(await tell[ask.kind](ask), cut) + "\\n");
}
end();
process.stdout.write("", () => process.exit(0));
`;
