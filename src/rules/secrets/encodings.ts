/** The ways in which a value is usually written down: as it is, escaped, or encoded. */

/** Shorter than this, an encoded piece might be anything. */
const PIECE_MIN = 10;
/** A value this long is known by its halves as well: whoever cuts a text in two leaves one of them whole. */
const HALVED_MIN = 24;
/** Lines of a value that are long enough to be told from other text. */
const LINE_MIN = 16;

/** Every spelling to look for, each once, the longest first so that none hides a longer one. */
export function spellingsOf(value: string): string[] {
  const lines = value
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= LINE_MIN && !line.startsWith("-----"));
  const whole = [value, ...(lines.length > 1 ? lines : [])];
  const found = new Set(whole.flatMap(encodingsOf));
  for (const one of whole) {
    if (one.length < HALVED_MIN) continue;
    const half = Math.ceil(one.length / 2);
    for (const piece of [one.slice(0, half), one.slice(-half)]) found.add(piece);
  }
  // Each of them inside JSON, and inside a text that is JSON itself: arguments in a stored request.
  for (const one of [...found]) {
    const inside = inJson(one);
    const twice = inJson(inside);
    for (const spelling of [inside, inside.replaceAll("/", "\\/"), twice, inJson(twice)]) {
      found.add(spelling);
    }
  }
  return [...found].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

function encodingsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  const url = encodeURIComponent(value);
  return [
    value,
    [...value].reverse().join(""),
    inHtml(value),
    url,
    url.replaceAll("%20", "+"),
    url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    hex.map((code) => `%${code.toUpperCase()}`).join(""),
    hex.map((code) => `%${code}`).join(""),
    hex.join(""),
    hex.join("").toUpperCase(),
    hex.map((code) => `\\x${code}`).join(""),
    ...inBase64(bytes),
  ].filter((one) => one.length >= Math.min(PIECE_MIN, value.length));
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function inHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/**
 * What base64 makes of the bytes wherever they stand in a longer text (`user:key` in a header): by
 * the place there are three ways, each without the letters that its neighbours have a part in.
 */
function inBase64(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (const shift of [0, 1, 2]) {
    const shifted = new Uint8Array(shift + bytes.length);
    shifted.set(bytes, shift);
    const text = btoa(String.fromCharCode(...shifted)).replaceAll("=", "");
    const core = text.slice(shift === 0 ? 0 : shift + 1, shifted.length % 3 === 0 ? undefined : -1);
    found.push(core, core.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return found.filter((core) => core.length >= PIECE_MIN);
}
