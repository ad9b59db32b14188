/** Whether an example is the specification's own: its quote is found there and says all of it. */
import type { Example } from "../../domain/example.ts";
import type { Acceptance } from "../../domain/plan.ts";

/**
 * True when the quote stands in the specification (white space folded, emphasis and code marks set
 * aside) and itself names the function, command or request, what is given, and what is expected,
 * in this order. A command must stand there whole. A call that is written as one, `parse("1h")`, must have just these arguments, and
 * the expectation must stand before the next call of that function: a value next to another call
 * is no evidence.
 */
export function isQuoted(acceptance: Acceptance, specText: string): boolean {
  const { quote, example } = acceptance;
  if (quote === undefined || quote.trim() === "") return false;
  if (!folded(specText).includes(folded(quote))) return false;
  if (example.kind === "command" && !isWholeCommand(example.run, specText)) return false;
  return says(quote, example);
}

/** Whether a command stands there as a piece of code or a line of its own, not as the start of a longer one. */
function isWholeCommand(run: string, specText: string): boolean {
  const command = run.replace(/\s+/g, " ").trim();
  if (specText.replace(/\s+/g, " ").includes(`\`${command}\``)) return true;
  return specText.split("\n").some((line) => line.trim().replace(/^[$>]\s+/, "") === run.trim());
}

function folded(text: string): string {
  return text
    .replace(/`|\*\*/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

function says(quote: string, example: Example): boolean {
  const words = wordsOf(quote);
  switch (example.kind) {
    case "call": {
      const rests = restsAfterCall(words, example.name, example.args, quote);
      const wanted = example.error ?? example.value;
      return rests.some((rest) => {
        // Any failure is expected: the quote must speak of one.
        if (example.error === "") return /\b(?:throw|error|fail|reject)/i.test(rest.join(" "));
        return behind(rest, wanted, quote) !== undefined;
      });
    }
    case "command":
      return inOrder(words, quote, [
        example.run,
        ...(example.stdin === undefined ? [] : [example.stdin]),
        ...(example.exit === 0 ? [] : [example.exit]),
        ...(example.stdout === undefined ? [] : [example.stdout]),
      ]);
    case "http":
      return inOrder(words, quote, [
        `${example.method} ${example.path}`,
        ...(example.body === undefined ? [] : [example.body]),
        example.status,
        ...(example.contains === undefined ? [] : [example.contains]),
      ]);
    case "person":
    case "judgement":
      return false;
  }
}

/** What stands behind each mention of the call, up to the next one. */
function restsAfterCall(
  words: readonly string[],
  name: string,
  args: readonly unknown[],
  quote: string,
): string[][] {
  const isCalled = words.some((word, index) => word === name && words[index + 1] === "(");
  if (!isCalled) {
    const rest = args.reduce<readonly string[] | undefined>(
      (left, arg) => left && behind(left, arg, quote),
      behind(words, name, quote),
    );
    return rest ? [[...rest]] : [];
  }
  const starts = words.flatMap((word, index) =>
    word === name && words[index + 1] === "(" ? [index] : [],
  );
  return starts.flatMap((start, nth) => {
    const rest = words.slice(start + 2, starts[nth + 1]);
    const after = argsThenClose(rest, args, quote);
    return after ? [[...after]] : [];
  });
}

/** What stands behind exactly these arguments and the closing bracket. */
function argsThenClose(
  words: readonly string[],
  args: readonly unknown[],
  quote: string,
): readonly string[] | undefined {
  let rest = words;
  for (const [index, arg] of args.entries()) {
    if (index > 0 && rest[0] !== ",") return undefined;
    if (index > 0) rest = rest.slice(1);
    const spelling = spellings(arg, quote).find((one) => startsWith(rest, one));
    if (!spelling) return undefined;
    rest = rest.slice(spelling.length);
  }
  return rest[0] === ")" ? rest.slice(1) : undefined;
}

function inOrder(words: readonly string[], quote: string, values: readonly unknown[]): boolean {
  let rest: readonly string[] | undefined = words;
  for (const value of values) rest = rest && behind(rest, value, quote);
  return rest !== undefined;
}

/** What stands behind the first place where the value is spelled out; undefined where it is not. */
function behind(
  words: readonly string[],
  value: unknown,
  quote: string,
): readonly string[] | undefined {
  const ways = spellings(value, quote);
  for (let start = 0; start <= words.length; start += 1) {
    const rest = words.slice(start);
    const way = ways.find((one) => startsWith(rest, one));
    if (way) return rest.slice(way.length);
  }
  return undefined;
}

const startsWith = (words: readonly string[], start: readonly string[]) =>
  start.length <= words.length && start.every((word, index) => word === words[index]);

/** How a value may be written: as JSON, or, for a text, bare. Quotation marks make no difference. */
function spellings(value: unknown, quote: string): string[][] {
  const json = JSON.stringify(value) ?? "undefined";
  const ways = [wordsOf(json), ...(typeof value === "string" ? [wordsOf(value)] : [])];
  const spelled = ways.filter((way) => way.length > 0);
  if (spelled.length > 0) return spelled;
  // Nothing but quotation marks and white space is left of it: then these must stand there.
  const marks = [json, `'${json.slice(1, -1)}'`];
  return marks.some((mark) => quote.includes(mark)) ? [[]] : [];
}

/** Words, numbers and marks, without quotation marks and white space, and a sentence's last dot. */
function wordsOf(text: string): string[] {
  return (text.replaceAll("**", "").match(/[()[\]{},;:|=<>]|[^\s"'`()[\]{},;:|=<>]+/g) ?? [])
    .map((word) => (/^[.!?…]+$/.test(word) ? word : word.replace(/(?<![.!?…])[.!?…]+$/, "")))
    .filter((word) => word !== "");
}
