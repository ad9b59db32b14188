/** A process that dies at one of its steps: nothing that it does afterwards reaches the world. */
import type { Journal } from "../../src/domain/ports.ts";

export interface Mortal {
  /** How many steps it made. */
  readonly steps: number;
  readonly isDead: boolean;
  /** Resolves when it is killed. */
  readonly killed: Promise<undefined>;
  /** It has ended, whatever is still under way. */
  end(): void;
  /** Before and after it is a step; whoever is dead waits for ever. */
  act<T>(body: () => Promise<T> | T): Promise<T>;
  /** The port with these methods as steps. */
  port<Port extends object>(port: Port, names: readonly (keyof Port)[]): Port;
  /** Each line written is two steps: who dies at the first has not written, at the second it has. */
  journal(journal: Journal): Journal;
}

/** Dies at step `killAt`; `look` is told of each step before. */
export function aMortal(killAt: number, look: (step: number) => void = () => {}): Mortal {
  let steps = 0;
  let isDead = false;
  let kill = () => {};
  const killed = new Promise<undefined>((resolve) => {
    kill = () => resolve(undefined);
  });
  const step = () => {
    steps += 1;
    look(steps);
    if (steps >= killAt && !isDead) {
      isDead = true;
      kill();
    }
    return isDead;
  };
  const mortal: Mortal = {
    get steps() {
      return steps;
    },
    get isDead() {
      return isDead;
    },
    killed,
    end() {
      isDead = true;
    },
    async act(body) {
      if (step()) return never();
      const done = await body();
      return step() ? never() : done;
    },
    port(port, names) {
      const wrapped = { ...port };
      for (const name of names) {
        const method = port[name] as (...all: unknown[]) => unknown;
        const mortalMethod = (...all: unknown[]) => mortal.act(() => method.apply(port, all));
        wrapped[name] = mortalMethod as (typeof port)[typeof name];
      }
      return wrapped;
    },
    journal: (journal) => ({
      ...journal,
      append(events, at) {
        if (step()) throw new Error("dead");
        const lines = journal.append(events, at);
        if (step()) throw new Error("dead");
        return lines;
      },
    }),
  };
  return mortal;
}

/** Made anew each time: one promise would keep everybody who ever waited for it. */
export const never = () => new Promise<never>(() => undefined);
