/** The flags that several commands share. */
import { type Command, InvalidArgumentError } from "commander";
import { type Environment, isOn } from "./output.ts";

/** Flags of `run` and `resume`. */
export interface RunFlags {
  /** Keeps every model answer here, to be played again with `recorded:DIR`. */
  record?: string;
  /** A recording that answers another question than is asked fails the call. */
  strict: boolean;
  /** Starts a new run though one of this specification is open. */
  fresh: boolean;
  /** --dangerously-no-sandbox. */
  noSandbox: boolean;
  /** Stays up when all is done, for what a person adds. */
  keep: boolean;
}

/** Flags that say which models are used. */
export function modelFlags(command: Command): Command {
  return command
    .option("-j, --jobs <n>", "attempts at a time (FRACTAL_JOBS)", wholeNumber)
    .option("--model <provider:name>", "one model for every role (FRACTAL_MODEL)")
    .option(
      "--models <role=provider:name>",
      "one role or tier, may be repeated (FRACTAL_MODELS, comma-separated)",
      (pair: string, before: string[] | undefined) => [...(before ?? []), pair],
    )
    .option("--base-url <url>", "server of openai: models (FRACTAL_BASE_URL)");
}

/** What may be used up. */
export function budgetFlag(command: Command): Command {
  return command.option(
    "--budget <[scope=]amount>",
    "5usd, 200ktokens, 300calls or 90min, of the run or of a role, tier, `task` (each) or task id; may be repeated (FRACTAL_BUDGET)",
    (one: string, before: string[] | undefined) => [...(before ?? []), one],
  );
}

/** Flags of the commands that carry something out. */
export function runFlags(command: Command): Command {
  return budgetFlag(modelFlags(command))
    .option("--record <dir>", "keep every model answer (FRACTAL_RECORD)")
    .option("--keep", "stay up when nothing is left to do; follow what is added with bd")
    .option("--strict", "a recording of another question fails the call (FRACTAL_STRICT)")
    .option(
      "--dangerously-no-sandbox",
      "RUN MODEL-WRITTEN CODE WITHOUT A SANDBOX, with your rights; a flag only",
    );
}

/** Their values; a flag over its FRACTAL_ variable. */
export function runFlagsOf(command: Command, env: Environment): RunFlags {
  const flags = command.opts<{
    record?: string;
    strict?: boolean;
    new?: boolean;
    keep?: boolean;
    dangerouslyNoSandbox?: boolean;
  }>();
  const record = flags.record ?? (env.FRACTAL_RECORD || undefined);
  return {
    ...(record === undefined ? {} : { record }),
    strict: flags.strict ?? isOn(env.FRACTAL_STRICT),
    fresh: flags.new === true,
    keep: flags.keep === true,
    noSandbox: flags.dangerouslyNoSandbox === true,
  };
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text))
    throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}
