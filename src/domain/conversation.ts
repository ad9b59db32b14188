/** Messages, tool calls and stop reasons, the same for every provider. */
import type { Usage } from "./usage.ts";

export type Role = "planner" | "worker" | "router" | "fixer" | "reviewer";
export const ROLES: readonly Role[] = ["planner", "worker", "router", "fixer", "reviewer"];

export interface ToolCall {
  id: string;
  name: string;
  /** Parsed arguments; whatever the model sent, so a schema must accept it before use. */
  args: unknown;
}

export type Message =
  | { from: "user"; text: string }
  | { from: "model"; text: string; toolCalls: ToolCall[] }
  | { from: "tool"; callId: string; name: string; text: string; isError: boolean };

/** A tool as a model is told about it; `schema` is JSON Schema. */
export interface ToolOffer {
  name: string;
  description: string;
  schema: Record<string, unknown>;
}

export interface ModelRequest {
  role: Role;
  taskId: string;
  /** Readable and the same in every run of one spec: names recordings. */
  taskKey: string;
  attempt: number;
  /** The turn number or the name of the question; with role, key and attempt it names the call. */
  turn: string;
  system: string;
  messages: Message[];
  tools: ToolOffer[];
  /** JSON Schema the answer must fit, where structure is wanted. */
  schema?: { name: string; json: Record<string, unknown> };
  outputTokensMax: number;
  /** Left out when the provider's own default is right. */
  temperature?: number;
}

export type StopReason = "end" | "tool-calls" | "length" | "refusal";

export interface ModelReply {
  text: string;
  toolCalls: ToolCall[];
  stopReason: StopReason;
  usage: Usage;
  /** Who answered: the model's own name as the provider reports it, or "written by hand". */
  answeredBy: string;
  /** Set when a recording answered something other than what is asked now. */
  mismatch?: boolean;
}
