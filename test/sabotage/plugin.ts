/** Takes one safeguard out of the sources as the tests load them: the one FRACTAL_SABOTAGE names. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SWITCHES, type Switch } from "./switches.ts";

const PACKAGE = join(import.meta.dirname, "../..");

/** The sources without the safeguard. Throws where the text it stands on is not there exactly once. */
export function sabotaged(code: string, { name, file, from, to }: Switch): string {
  const times = code.split(from).length - 1;
  if (times === 1) return code.replace(from, () => to);
  throw new Error(
    `switch ${name}: its text stands ${times} times in ${file}, it must once:\n${from}`,
  );
}

/** The switch of this name; throws where there is none. */
export function switchOf(name: string): Switch {
  const found = SWITCHES.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new Error(`no switch ${name}; there are ${SWITCHES.map((one) => one.name).join(", ")}`);
}

/** A plugin of Vite that carries out one switch; none where the name is empty. */
export function sabotage(name: string) {
  if (name === "") return [];
  const chosen = switchOf(name);
  const path = join(PACKAGE, chosen.file);
  sabotaged(readFileSync(path, "utf8"), chosen);
  return [
    {
      name: `sabotage:${name}`,
      enforce: "pre" as const,
      transform: (code: string, id: string) =>
        id.split("?")[0] === path ? sabotaged(code, chosen) : undefined,
    },
  ];
}
