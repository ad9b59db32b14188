/** A run in few words: a requirement and a part for each key, whose file `<key>.txt` must hold it. */
import type { ModelRequest } from "../../src/domain/conversation.ts";
import type { Part, Plan } from "../../src/domain/plan.ts";

export const part = (key: string, over: Partial<Part> = {}): Part => ({
  key,
  title: `The ${key}`,
  purpose: `Write ${key}.`,
  kind: "code",
  size: "S",
  files: [`${key}.txt`],
  risks: [],
  ...over,
});

/** A plan of one part a key; `first` is the number of its first requirement. */
export const planOf = (keys: string[], over: Partial<Plan> = {}, first = 1): Plan => ({
  decision: "split",
  size: "L",
  reason: "one a word",
  parts: keys.map((key) => part(key)),
  ownership: Object.fromEntries(keys.map((key, i) => [`R${first + i}`, key])),
  interfaces: [],
  dependencies: [],
  acceptance: keys.map((key, i) => ({
    part: key,
    requirement: `R${first + i}`,
    example: { kind: "command", run: `has ${key}.txt ${key}`, exit: 0 },
  })),
  questions: [],
  ...over,
});

/** The specification of these keys; `front` stands in its front matter. */
export const specOf = (keys: string[], front = "") =>
  `---\nlanguage: text\n${front}---\n# Words\n\n${keys.map((key, i) => `- R${i + 1}: ${key}.txt has ${key}`).join("\n")}\n`;

/** A worker's answer: one file. */
export const block = (path: string, text: string) => `\`\`\`txt ${path}\n${text}\n\`\`\`\n`;

/** A worker that writes what is asked for. */
export const right = ({ taskKey }: Pick<ModelRequest, "taskKey">) => {
  const word = taskKey.split(".").at(-1) ?? "";
  return block(`${word}.txt`, word);
};
