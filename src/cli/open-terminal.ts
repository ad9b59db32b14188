/** The person at this terminal, with the live view cleared while a prompt is up. */
import type { Human } from "../domain/ports.ts";
import type { LiveSlot } from "./carry-out.ts";
import type { Context } from "./context.ts";
import { machine } from "./wire.ts";

export function openTerminal(context: Context, slot: LiveSlot): Human {
  return machine.terminalHuman({
    input: context.streams.stdin as NodeJS.ReadStream,
    output: context.streams.stderr as NodeJS.WriteStream,
    env: context.env,
    mayAsk: context.mayAsk && !context.out.json,
    colour: context.out.noteLook.colour,
    pause: () => slot.live?.pause(),
    resume: () => slot.live?.resume(),
    // The terminal is raw during a prompt, so Ctrl-C is a key there and no signal.
    onInterrupt: () => process.kill(process.pid, "SIGINT"),
  });
}
