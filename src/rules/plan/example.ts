/** An example in words: what people read, what a worker is told, and how its test is called. */
import type { Example } from "../../domain/example.ts";

const LINE_CHARS_MAX = 1500;

/** One line, such as `parse("1h") returns 3600`. */
export function describeExample(example: Example): string {
  const line = describe(example);
  return line.length <= LINE_CHARS_MAX ? line : `${line.slice(0, LINE_CHARS_MAX)}…`;
}

function describe(example: Example): string {
  switch (example.kind) {
    case "call": {
      const call = `${example.name}(${example.args.map(asJson).join(", ")})`;
      if (example.error === undefined) return `${call} returns ${asJson(example.value)}`;
      return example.error === "" ? `${call} fails` : `${call} fails with ${asJson(example.error)}`;
    }
    case "command": {
      const input = example.stdin === undefined ? "" : ` given ${asJson(example.stdin)}`;
      const output = example.stdout === undefined ? "" : ` and prints ${asJson(example.stdout)}`;
      return `\`${example.run}\`${input} exits with ${example.exit}${output}`;
    }
    case "http": {
      const body = example.body === undefined ? "" : ` with ${asJson(example.body)}`;
      const answer = example.contains === undefined ? "" : ` with ${asJson(example.contains)}`;
      return `${example.method} ${example.path}${body} answers ${example.status}${answer}`;
    }
    case "person":
      return `a person agrees: ${example.what}`;
    case "judgement":
      return `judged: ${example.what}`;
  }
}

/** JSON on one line with a space after each comma, as people write it. */
export function asJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(asJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const inner = Object.entries(value).map(
      ([key, one]) => `${JSON.stringify(key)}: ${asJson(one)}`,
    );
    return inner.length === 0 ? "{}" : `{ ${inner.join(", ")} }`;
  }
  return JSON.stringify(value) ?? "undefined";
}
