/** Where words go: data on stdout, everything else on stderr; colours and width decided once. */
import type { Readable, Writable } from "node:stream";
import pc from "picocolors";
import { harmless } from "../domain/harmless.ts";
import type { ExitCode, Refusal } from "./exit.ts";

/** The three streams of a process, as narrow as commands need them. */
export interface Streams {
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
}

/** The process environment; the names commands read themselves are spelled out. */
export interface Environment {
  [name: string]: string | undefined;
  ANTHROPIC_API_KEY?: string | undefined;
  OPENAI_API_KEY?: string | undefined;
  XDG_CONFIG_HOME?: string | undefined;
  NO_COLOR?: string | undefined;
  FORCE_COLOR?: string | undefined;
  CLICOLOR_FORCE?: string | undefined;
  CLICOLOR?: string | undefined;
  CI?: string | undefined;
  TERM?: string | undefined;
  USER?: string | undefined;
  FRACTAL_DIR?: string | undefined;
  FRACTAL_JSON?: string | undefined;
  FRACTAL_COLOR?: string | undefined;
  FRACTAL_YES?: string | undefined;
  FRACTAL_NO_INPUT?: string | undefined;
  FRACTAL_RECORD?: string | undefined;
  FRACTAL_STRICT?: string | undefined;
}

export interface Output {
  /** True under --json: data is printed, and only data. */
  readonly json: boolean;
  /** How text on stdout may look. `tables` is false when piped. */
  readonly look: { width: number; colour: boolean; tables: boolean };
  /** The same for stderr. */
  readonly noteLook: { width: number; colour: boolean; tables: boolean };
  /** Under --json the data in its envelope, else the text. */
  show(data: () => unknown, text: () => string): void;
  /** A line on stderr. */
  note(text: string): void;
  /** Says why not, where, and what to do; returns the exit code. */
  refuse(refusal: Refusal): ExitCode;
}

export interface OutputOptions {
  json: boolean;
  /** From --color or --no-color; undefined leaves it to the environment and the terminal. */
  colour: boolean | undefined;
  env: Environment;
}

/** Narrowest and widest text laid out for a terminal. */
const COLUMNS_MIN = 40;
const COLUMNS_DEFAULT = 100;

/** Writes to the streams; a reader that left (`| head`) is not an error. */
export function createOutput(streams: Streams, options: OutputOptions): Output {
  for (const stream of [streams.stdout, streams.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  const look = lookOf(streams.stdout, options);
  const noteLook = lookOf(streams.stderr, options);
  const write = (stream: Writable, text: string) =>
    stream.write(text.endsWith("\n") ? text : `${text}\n`);
  return {
    json: options.json,
    look,
    noteLook,
    show(data, text) {
      write(streams.stdout, options.json ? envelope({ data: data() }) : text());
    },
    note(text) {
      write(streams.stderr, text);
    },
    refuse(refusal) {
      write(streams.stderr, renderRefusal(refusal, noteLook.colour));
      if (options.json) {
        const { what, where, next, exit } = refusal;
        write(streams.stdout, envelope({ error: { message: what, where, next, exit_code: exit } }));
      }
      return refusal.exit;
    },
  };
}

/** `{"schema_version":1, …}` as one line. */
function envelope(content: Record<string, unknown>): string {
  return JSON.stringify({ schema_version: 1, ...content });
}

/** A refusal for a person: one red line, then where, then what to type. */
export function renderRefusal(refusal: Refusal, colour: boolean): string {
  const paint = pc.createColors(colour);
  return [
    `${paint.red("fractal:")} ${harmless(refusal.what)}`,
    ...refusal.where.map((line) => `  ${harmless(line)}`),
    ...refusal.next.map((line) => `  ${paint.dim("→")} ${harmless(line)}`),
    paint.dim(`  (exit ${refusal.exit})`),
  ].join("\n");
}

function lookOf(
  stream: { isTTY?: boolean; columns?: number },
  options: OutputOptions,
): Output["look"] {
  const isTerminal = stream.isTTY === true;
  const columns = stream.columns ?? COLUMNS_DEFAULT;
  return {
    // Piped text is not cut: a program or a file reads it.
    width: isTerminal ? Math.max(COLUMNS_MIN, columns) : Number.POSITIVE_INFINITY,
    colour: isColourWanted(isTerminal, options),
    // A dumb terminal cannot take a line back.
    tables: isTerminal && options.env.TERM !== "dumb",
  };
}

/** Flag over NO_COLOR over FORCE_COLOR and CLICOLOR_FORCE over CLICOLOR over what the stream is. */
function isColourWanted(isTerminal: boolean, options: OutputOptions): boolean {
  const { NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM } = options.env;
  if (options.colour !== undefined) return options.colour;
  if (NO_COLOR) return false;
  if (isOn(FORCE_COLOR) || isOn(CLICOLOR_FORCE)) return true;
  return isTerminal && CLICOLOR !== "0" && TERM !== "dumb";
}

/** An environment variable as a switch: absent, empty, `0`, `false` and `no` are off. */
export function isOn(value: string | undefined): boolean {
  return !["", "0", "false", "no"].includes((value ?? "").toLowerCase());
}
