/** What every command is given: where it works, how it speaks, what the flags for all say. */
import { userInfo } from "node:os";
import { resolve } from "node:path";
import type { ConfigFlags } from "./config.ts";
import { createOutput, type Environment, isOn, type Output, type Streams } from "./output.ts";
import type { Secrets } from "./secrets.ts";
import type { Wire } from "./wiring.ts";

export interface Context {
  /** The folder named with -C, else the working directory; absolute. */
  dir: string;
  out: Output;
  streams: Streams;
  env: Environment;
  /** What must not get out. */
  secrets: Secrets;
  /** --yes: agrees to what is asked before a run, never to spending or leaving the sandbox. */
  yes: boolean;
  /** False under --no-input: nobody is asked anything. */
  mayAsk: boolean;
  /** Who acts, for the journal and Beads. */
  person: string;
  /** Model settings of the command line. */
  configFlags: ConfigFlags;
  /** Loaded when first needed, so that help and usage errors stay quick. */
  wire(): Promise<Wire>;
  /** Aborted by Ctrl-C or TERM. */
  signal: AbortSignal;
  /** Milliseconds since 1970. */
  now(): number;
}

/** What the process gives the program. */
export interface World {
  streams: Streams;
  env: Environment;
  secrets: Secrets;
  cwd: string;
  signal: AbortSignal;
  wire(): Promise<Wire>;
  now(): number;
}

/** The flags every command takes, as parsed. */
export interface GlobalFlags {
  C?: string;
  yes?: boolean;
  input?: boolean;
  json?: boolean;
  color?: boolean;
  jobs?: number;
  budget?: string[];
  model?: string;
  models?: string[];
  baseUrl?: string;
}

/** Flags over their FRACTAL_ variables, made into what commands use. */
export function contextOf(flags: GlobalFlags, world: World): Context {
  const { env, streams } = world;
  const colour = flags.color ?? (env.FRACTAL_COLOR ? isOn(env.FRACTAL_COLOR) : undefined);
  return {
    dir: resolve(world.cwd, flags.C ?? env.FRACTAL_DIR ?? "."),
    out: createOutput(streams, { json: flags.json ?? isOn(env.FRACTAL_JSON), colour, env }),
    streams,
    env,
    secrets: world.secrets,
    yes: flags.yes ?? isOn(env.FRACTAL_YES),
    // Commander turns --no-input into `input: false` and leaves `true` otherwise.
    mayAsk: flags.input !== false && !isOn(env.FRACTAL_NO_INPUT),
    person: env.USER || personOfProcess(),
    configFlags: {
      ...(flags.model === undefined ? {} : { model: flags.model }),
      ...(flags.models === undefined ? {} : { models: flags.models }),
      ...(flags.baseUrl === undefined ? {} : { baseUrl: flags.baseUrl }),
      ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
      ...(flags.budget === undefined ? {} : { budget: flags.budget }),
    },
    wire: world.wire,
    signal: world.signal,
    now: world.now,
  };
}

function personOfProcess(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user id may have no name.
    return "someone";
  }
}
