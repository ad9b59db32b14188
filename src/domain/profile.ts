/** A model as a role uses it: how it works, how it tries again, how much it can take. */
import type { AttemptStyle } from "./limits.ts";
import type { Model } from "./ports.ts";
import type { Price } from "./usage.ts";

/** `files`: one prompt, one reply of whole files. `tools`: a loop of tool calls. */
export type Protocol = "files" | "tools";

export interface ModelProfile {
  model: Model;
  protocol: Protocol;
  /** How its second and third attempt start. */
  style: AttemptStyle;
  /** `one` call answers all planning questions; `many`: a call each, for small models. */
  planning: "one" | "many";
  /** Prompt and answer together must fit in here. */
  contextTokens: number;
  outputTokensMax: number;
  temperature?: number;
  /** Undefined when unknown: its calls then cost an unknown amount, never 0. */
  price: Price | undefined;
}
