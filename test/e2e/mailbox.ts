/** A mailbox for end-to-end tests: holds calls open, answers them, and shows what was asked. */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Rig, until } from "./rig.ts";

/** One call, as a person who answers it would read it. */
export interface Letter {
  stem: string;
  role: string;
  /** The task's key. */
  task: string;
  task_id: string;
  attempt: number;
  messages: { text: string }[];
  /** All that is said in it. */
  text: string;
}

export interface Mailbox {
  /** The model's name for the command line. */
  readonly model: string;
  letters(): Letter[];
  /** The first letter of this kind, once it is there. */
  letter(role: string, task: string, attempt: number): Promise<Letter>;
  reply(letter: Letter, text: string): void;
  /** Answers every letter that `answer` has a text for, until `ended` is settled. */
  serve(answer: (letter: Letter) => string | undefined, ended: Promise<unknown>): void;
}

const POLL_MS = 50;

/** A mailbox beside the repository. */
export function aMailbox(rig: Rig): Mailbox {
  const folder = join(rig.dir, "..", "mail");
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const mailbox: Mailbox = {
    model: `mailbox:${folder}`,
    letters() {
      if (!existsSync(folder)) return [];
      const names = readdirSync(folder).filter((name) => name.endsWith(".request.json"));
      return names.sort().map((name) => {
        const letter = JSON.parse(read(name)) as Omit<Letter, "stem" | "text">;
        const text = letter.messages.map((message) => message.text).join("\n");
        return { ...letter, stem: name.slice(0, -".request.json".length), text };
      });
    },
    letter(role, task, attempt) {
      return until(`a letter to the ${role} of ${task}, attempt ${attempt}`, () =>
        mailbox
          .letters()
          .find((one) => one.role === role && one.task === task && one.attempt === attempt),
      );
    },
    reply({ stem }, text) {
      const path = join(folder, `${stem}.reply.json`);
      writeFileSync(`${path}.tmp`, JSON.stringify({ text }));
      renameSync(`${path}.tmp`, path);
    },
    serve(answer, ended) {
      const served = new Set<string>();
      const timer = setInterval(() => {
        for (const letter of mailbox.letters()) {
          const text = served.has(letter.stem) ? undefined : answer(letter);
          if (text === undefined) continue;
          served.add(letter.stem);
          mailbox.reply(letter, text);
        }
      }, POLL_MS);
      void ended.finally(() => clearInterval(timer));
    },
  };
  return mailbox;
}
