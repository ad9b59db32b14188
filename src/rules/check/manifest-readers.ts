/** Ways to read a manifest: what of its text brings code of others, told apart from the rest. */
import { parse } from "yaml";
import { tomlEntries } from "./toml-entries.ts";

/** Empty where nothing brings code of others, undefined where nobody can tell. */
export type Reader = (text: string) => string | undefined;

type Settings = Readonly<Record<string, unknown>>;

/** The parser takes its time over broken YAML; who describes a package in it needs less. */
const YAML_CHARS_MAX = 10_000;

/** A line longer than this says more than it shows. */
const LINE_CHARS_MAX = 300;

/** All of it counts: a program, or a language of its own. */
export const whole: Reader = (text) => text.trim();

/** What a JSON object sets, but for what is empty and for these keys. */
export function json(harmless: readonly string[]): Reader {
  return jsonBy((settings) => without(settings, harmless));
}

/** What `pick` takes out of a JSON object. */
export function jsonBy(pick: (settings: Settings) => Settings): Reader {
  return (text) => {
    try {
      const value: unknown = JSON.parse(text);
      // Of a key that is said twice, or written with escapes, another program may read something else.
      if (JSON.stringify(value) !== withoutSpace(text)) return undefined;
      return isSettings(value) ? shown(pick(value)) : undefined;
    } catch {
      return undefined;
    }
  };
}

/** As `json`, and of what is left only what names an address (`npm:a`, `https://…`). */
export function addresses(harmless: readonly string[]): Reader {
  return jsonBy((settings) => {
    const left = without(settings, harmless);
    return Object.fromEntries(Object.entries(left).filter(([, value]) => hasAddress(value)));
  });
}

export function yaml(harmless: readonly string[]): Reader {
  return (text) => {
    if (text.length > YAML_CHARS_MAX) return undefined;
    try {
      const value: unknown = parse(text, { logLevel: "error" });
      return isSettings(value) ? shown(without(value, harmless)) : undefined;
    } catch {
      return undefined;
    }
  };
}

/** What a TOML file sets, but for these keys and all below them. */
export function toml(harmless: readonly string[]): Reader {
  return (text) =>
    tomlEntries(text)
      ?.filter(({ path }) => !harmless.some((key) => `${path}.`.startsWith(`${key}.`)))
      .map(({ path, value }) => `${path} = ${value}`)
      .join("\n");
}

/** Its lines, but for those that are empty, a comment, or match `harmless`. */
export function lines(comment: string, harmless?: RegExp): Reader {
  return (text) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => {
        if (line === "" || line.startsWith(comment)) return false;
        return line.length > LINE_CHARS_MAX || harmless?.test(line) !== true;
      })
      .join("\n");
}

/** All of it where it uses one of these words, in anything but a comment line. */
export function words(telling: RegExp, harmless: RegExp): Reader {
  return (text) => {
    const said = lines("#")(text) ?? "";
    return telling.test(said.replace(harmless, "")) ? said : "";
  };
}

/** All of it where XML has any other element than these, or `isHarmless` denies it. */
export function elements(
  names: readonly string[],
  isHarmless: (text: string) => boolean = () => true,
): Reader {
  return (text) => {
    // A document type may stand for any text.
    if (!/^\s*<[^<]/.test(text) || /<!(?!--)/.test(text)) return undefined;
    const used = [...text.matchAll(/<\/?([^\s/<>!?]+)/g)].map(([, name = ""]) => name);
    return used.every((name) => names.includes(name)) && isHarmless(text) ? "" : text.trim();
  };
}

function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function without(settings: Settings, keys: readonly string[]): Settings {
  return Object.fromEntries(
    Object.entries(settings).filter(([key, value]) => !keys.includes(key) && !isEmpty(value)),
  );
}

/** Those of the settings that are there and not empty. */
export function only(settings: Settings, keys: readonly string[]): Settings {
  return Object.fromEntries(
    Object.entries(settings).filter(([key, value]) => keys.includes(key) && !isEmpty(value)),
  );
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== "object") return value === "" || value === false || value === undefined;
  return value === null || Object.keys(value).length === 0;
}

function hasAddress(value: unknown): boolean {
  if (typeof value === "string") return value.includes(":") || value.startsWith("//");
  return typeof value === "object" && value !== null && Object.values(value).some(hasAddress);
}

function shown(settings: Settings): string {
  return Object.keys(settings).length === 0 ? "" : JSON.stringify(settings);
}

function withoutSpace(json: string): string {
  return json.replace(/("(?:\\.|[^"\\])*")|\s+/g, "$1");
}
