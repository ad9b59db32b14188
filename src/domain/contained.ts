/** What is run in the sandbox, and what came of it: a command, or a tool of the worker. */

export interface SandboxCommand {
  /** A folder made by `workspace()`; the working directory, and the only writable one. */
  folder: string;
  argv: string[];
  stdin?: string;
  env?: Record<string, string>;
  /** Files and folders below `folder` that this command may read only: what a check is made of. */
  readOnly?: string[];
  /** Files below `folder` that it has no business with: those it changed are told, also when it put them back. */
  watched?: readonly string[];
  timeoutMs: number;
  /** For each of stdout and stderr; what is beyond is left out of the middle. */
  outputBytesMax: number;
}

export interface SandboxResult {
  /** Null when it was killed. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  truncated: boolean;
  durationMs: number;
  /** The watched files that were written, moved, replaced or removed while it ran; absent: none. */
  touched?: string[];
  /** Where `folder` was for the command: absolute paths in its output begin with it. */
  place?: string;
}

export interface SandboxToolCall {
  folder: string;
  tool: string;
  args: unknown;
  timeoutMs: number;
}

/** What a tool answers to the model. */
export interface ToolResult {
  text: string;
  isError: boolean;
  /** The task may not do this: nothing was carried out. */
  refused?: true;
}
