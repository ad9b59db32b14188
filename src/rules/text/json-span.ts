/** Finds the pieces of a text that may be JSON, without parsing them. */

const DEPTH_MAX = 200;
const CANDIDATES_MAX = 2000;

/** True when JSON is nested deeper than any answer is. Counts brackets without caring for strings: an over-count only refuses what nobody sends. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (char === "{" || char === "[") {
      depth += 1;
      if (depth > DEPTH_MAX) return true;
    } else if (char === "}" || char === "]") depth = Math.max(0, depth - 1);
  }
  return false;
}

/**
 * The outermost balanced `{…}` and `[…]` pieces of a text. One that opens like JSON and never
 * closes is a cut-off answer; any other unclosed bracket is prose and is passed over.
 */
export function spansOf(text: string): { spans: string[]; cutOff: boolean } {
  const spans: string[] = [];
  let prose = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] !== "{" && text[i] !== "[") continue;
    const end = endOfSpan(text, i);
    if (end === undefined) {
      if (/^(?:\{\s*["}]|\[\s*[{"[\]]|[[{]\s*$)/.test(text.slice(i, i + 200))) {
        return { spans, cutOff: true };
      }
      prose += 1;
      if (prose > 20) break;
      continue;
    }
    spans.push(text.slice(i, end));
    if (spans.length > CANDIDATES_MAX) spans.shift();
    i = end - 1;
  }
  return { spans, cutOff: false };
}

/** Where the bracket at `start` closes, strings respected; undefined when it never does. */
function endOfSpan(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let i = start; i < text.length; i += 1) {
    const char = text[i];
    if (inString) {
      if (char === "\\") i += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return undefined;
}
