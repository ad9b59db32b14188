/** The canary around every repository of these tests is heard wherever it gets to. */
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aRig, type Rig } from "./rig.ts";

/** Ends a rig by hand: what its end says of what was left behind. */
function endOf(rig: Rig): string {
  try {
    rig[Symbol.dispose]();
    return "";
  } catch (error) {
    return String(error);
  }
}

describe("a canary", () => {
  it("is not there in what nobody leaked into", () => {
    expect(endOf(aRig())).toBe("");
  });

  it.each<[string, (value: string) => string]>([
    ["as it is", (value) => value],
    ["in base64, beside other text", (value) => Buffer.from(`user:${value}`).toString("base64")],
    ["in part", (value) => value.slice(0, Math.ceil(value.length / 2))],
    ["reversed", (value) => [...value].reverse().join("")],
  ])("is found in a file %s", (_, spell) => {
    const rig = aRig();
    for (const value of Object.values(rig.canary)) {
      appendFileSync(join(rig.dir, "left.bin"), `\0${spell(value)}\0`);
    }
    expect(endOf(rig)).toContain("a canary was found in:\n  repo/left.bin");
  });

  it("is found in an object of git that nothing points to", () => {
    const rig = aRig();
    rig.write({ "a.txt": rig.canary["CANARY_PLACE"] ?? "" });
    rig.git("add", "a.txt");
    rig.git("rm", "--quiet", "--force", "a.txt");
    expect(endOf(rig)).toContain("the objects of git");
  });

  it("is found in what a command printed", async () => {
    const rig = aRig();
    await rig.fractal(["show", rig.canary["CANARY_PLACE"] ?? ""]);
    await rig.fractal([rig.canary["CANARY_PLACE"] ?? ""]);
    expect(endOf(rig)).toContain("what command 2 printed");
  });

  it("is found in Beads", () => {
    const rig = aRig();
    rig.bd("init", "--non-interactive", "-q", "-p", "fr", "--skip-agents", "--skip-hooks");
    rig.bd("create", `Look at ${rig.canary["CANARY_PLACE"]}`, "-q");
    expect(endOf(rig)).toContain("repo/.beads/");
  });

  it("in the file that holds it is where it belongs", () => {
    const rig = aRig();
    writeFileSync(join(rig.dir, "..", "home", "other"), "nothing");
    expect(endOf(rig)).toBe("");
  });
});
