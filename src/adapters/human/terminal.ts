/** The Human port at a terminal: one prompt at a time on stderr, and nobody there without one. */
import { confirm, isCancel, select, text } from "@clack/prompts";
import pc from "picocolors";
import { harmless } from "../../domain/harmless.ts";
import type { Human, Prompt } from "../../domain/ports.ts";

export interface TerminalOptions {
  input: NodeJS.ReadStream;
  /** Prompts go here, never to stdout: that is for data. */
  output: NodeJS.WriteStream;
  env: { CI?: string | undefined; TERM?: string | undefined };
  /** False under --no-input. */
  mayAsk: boolean;
  colour: boolean;
  /** Takes what is drawn live off the screen while a prompt is up. */
  pause?: () => void;
  resume?: () => void;
  /** Ctrl-C at a prompt: the terminal is raw then, so no signal comes by itself. */
  onInterrupt?: () => void;
}

/** Somebody is there when both ends are a terminal, prompts are wanted, and this is no CI job. */
export function isPersonPresent(options: TerminalOptions): boolean {
  const { input, output, env, mayAsk } = options;
  const isCi = !["", "0", "false"].includes(env.CI ?? "");
  return mayAsk && !isCi && env.TERM !== "dumb" && isOpen(input) && output.isTTY === true;
}

function isOpen(input: NodeJS.ReadStream): boolean {
  return input.isTTY === true && input.readable && !input.destroyed;
}

/** A person at the terminal. A prompt ends unanswered when it is skipped, aborted, or stdin ends. */
export function terminalHuman(options: TerminalOptions): Human {
  const { input, output } = options;
  const paint = pc.createColors(options.colour);
  let last: Promise<unknown> = Promise.resolve();

  /** Runs one prompt after those before it; undefined when there is nobody to ask. */
  function inTurn<T>(
    signal: AbortSignal,
    prompt: (given: {
      input: typeof input;
      output: typeof output;
      signal: AbortSignal;
    }) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const turn = last.then(async () => {
      if (signal.aborted || !isPersonPresent(options)) return undefined;
      const gone = new AbortController();
      let isOver = false;
      const leave = () => gone.abort();
      const onKey = (_: string | undefined, key?: { ctrl?: boolean; name?: string }) => {
        if (key?.ctrl === true && key.name === "c") options.onInterrupt?.();
      };
      // Ctrl-D closes the prompt's reader without a word to the prompt: nobody reads any more.
      const onPause = () => setImmediate(() => !isOver && input.isPaused() && leave());
      input.once("end", leave).once("close", leave).once("error", leave);
      input.on("keypress", onKey).on("pause", onPause);
      options.pause?.();
      try {
        return await prompt({ input, output, signal: AbortSignal.any([signal, gone.signal]) });
      } finally {
        isOver = true;
        input.off("end", leave).off("close", leave).off("error", leave);
        input.off("keypress", onKey).off("pause", onPause);
        options.resume?.();
      }
    });
    last = turn.catch(() => undefined);
    return turn;
  }

  const OWN_WORDS = Symbol("own words");
  const SKIP = Symbol("skip");

  return {
    get present() {
      return isPersonPresent(options);
    },

    ask(prompt: Prompt, signal: AbortSignal): Promise<string | undefined> {
      return inTurn(signal, async (streams) => {
        output.write(renderContext(prompt, paint));
        if (prompt.options.length > 0) {
          const chosen = await select<string | symbol>({
            ...streams,
            message: "Your answer",
            options: [
              ...prompt.options.map((option) => ({ value: option, label: harmless(option) })),
              { value: OWN_WORDS, label: "Something else: type it" },
              { value: SKIP, label: "Skip: leave the question open" },
            ],
          });
          if (isCancel(chosen) || chosen === SKIP) return undefined;
          if (typeof chosen === "string") return chosen;
        }
        const typed = await text({
          ...streams,
          message: "Your answer (Esc leaves the question open)",
          validate: (value) =>
            value?.trim() ? undefined : "Type an answer, or press Esc to skip.",
        });
        return isCancel(typed) ? undefined : typed.trim();
      });
    },

    confirm(question: string, signal: AbortSignal): Promise<boolean | undefined> {
      return inTurn(signal, async (streams) => {
        const yes = await confirm({
          ...streams,
          message: harmless(question),
          // Enter alone agrees to nothing.
          initialValue: false,
        });
        return isCancel(yes) ? undefined : yes;
      });
    },
  };
}

/** What is asked, about which task, why, and what was tried: printed above the prompt. */
function renderContext(prompt: Prompt, paint: ReturnType<typeof pc.createColors>): string {
  const part = (name: string, body: string) =>
    body.trim() === ""
      ? []
      : [
          paint.dim(`  ${name}`),
          ...harmless(body.trim())
            .split("\n")
            .map((line) => `    ${line}`),
        ];
  return [
    "",
    `${paint.red("?")} ${paint.bold(harmless(prompt.title))}`,
    ...part("about", prompt.about),
    ...part("why", prompt.why),
    ...part("tried", prompt.tried),
    "",
  ].join("\n");
}
