/** The switches fit the sources, and a few of them, others every time, are tried. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fractionOf } from "../../src/rules/retry.ts";
import { sabotage, sabotaged, switchOf } from "./plugin.ts";
import { SWITCHES } from "./switches.ts";
import { trial } from "./trial.ts";

const PACKAGE = join(import.meta.dirname, "../..");
const SAMPLE = 3;

const given = Number(process.env["SABOTAGE_SEED"]);
const seed = Number.isInteger(given) && given > 0 ? given : Math.floor(Math.random() * 1e9);
const sample = [...SWITCHES]
  .sort((a, b) => fractionOf(`${seed}/${a.name}`) - fractionOf(`${seed}/${b.name}`))
  .slice(0, SAMPLE);

describe("the switches that take a safeguard out", () => {
  it("are at least sixteen, no two of one name", () => {
    expect(new Set(SWITCHES.map((one) => one.name)).size).toBe(SWITCHES.length);
    expect(SWITCHES.length).toBeGreaterThanOrEqual(16);
  });

  it.each(SWITCHES)("$name fits its source, and its tests are there", (one) => {
    const code = readFileSync(join(PACKAGE, one.file), "utf8");
    expect(sabotaged(code, one)).not.toBe(code);
    expect(one.tests.length).toBeGreaterThan(0);
    for (const file of one.tests) expect(existsSync(join(PACKAGE, file)), file).toBe(true);
  });

  it("are refused where the name or the text is unknown", () => {
    expect(() => switchOf("none")).toThrow("no switch none; there are");
    expect(() => sabotage("none")).toThrow("no switch none; there are");
    const [one] = SWITCHES;
    if (one === undefined) throw new Error("no switch");
    expect(() => sabotaged("something else", one)).toThrow("0 times");
    expect(() => sabotaged(one.from + one.from, one)).toThrow("2 times");
  });
});

describe(`a sample of them (SABOTAGE_SEED=${seed})`, () => {
  it.each(sample)(
    "$name turns its tests red, which are green without it",
    {
      timeout: 700_000,
    },
    async (one) => {
      const whole = await trial(one, true);
      expect({ red: whole.red, trouble: whole.trouble }).toEqual({ red: [], trouble: undefined });
      expect(whole.green).toBeGreaterThan(0);
      const { red, trouble } = await trial(one);
      expect(red.length, `${one.name}: ${trouble ?? one.removes}`).toBeGreaterThan(0);
    },
  );
});
