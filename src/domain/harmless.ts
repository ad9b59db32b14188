/** Text from models and issues, made safe to print: nothing in it that a terminal would obey. */

/** A whole escape sequence, so that no `[31m` is left behind. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that character is what is looked for
const SEQUENCE = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** The text with all that a terminal would obey, or an eye not see, written out as `\\u{1b}`. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{DI}\u2028\u2029\u2800]/gu, (char) =>
    char === "\n" || char === "\t" ? char : `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
}

/** The text without control characters (line ends and tabs stay) and without direction changes. */
export function harmless(text: string): string {
  let safe = "";
  for (const char of text.replace(SEQUENCE, "").replaceAll("\r\n", "\n")) {
    const code = char.codePointAt(0) ?? 0;
    const isControl = code < 0x20 && char !== "\n" && char !== "\t";
    const isDeleteOrC1 = code >= 0x7f && code <= 0x9f;
    const turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    if (!isControl && !isDeleteOrC1 && !turns) safe += char;
  }
  return safe;
}
