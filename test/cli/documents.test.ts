/** The documents say what is true: files, commands, exit codes and statuses they name exist. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXIT_MEANING } from "../../src/cli/exit.ts";
import type { TaskStatus } from "../../src/domain/task.ts";
import { runLine } from "./fake-world.ts";

const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "GLOSSARY.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...globSync("docs/**/*.md"),
];
const textOf = (path: string) => readFileSync(path, "utf8");

describe.each(DOCUMENTS)("%s", (path) => {
  it("links only to what is there", () => {
    const links = [...textOf(path).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]);
    const broken = links.filter((link) => !existsSync(join(dirname(path), link ?? "")));
    expect(broken).toEqual([]);
  });

  it("names only source files that exist", () => {
    const sources = globSync("{src,test}/**/*.ts");
    const named = [...textOf(path).matchAll(/`([\w./-]+\.ts)`/g)].map((match) => match[1] ?? "");
    const unknown = named.filter(
      (name) => !sources.some((source) => source === name || source.endsWith(`/${name}`)),
    );
    expect(unknown).toEqual([]);
  });

  it("names only commands and flags there are", async () => {
    const help = (await runLine(["--help"])).stdout;
    const lines = [...textOf(path).matchAll(/fractal ([a-z]+)([^\n`#|]*)/g)].filter(
      ([line]) =>
        textOf(path).includes(`\`${line.split(" ").slice(0, 2).join(" ")}`) || line.includes(" --"),
    );
    for (const [line, name = "", rest = ""] of lines) {
      expect(help, line).toMatch(new RegExp(`^ {2}${name} `, "m"));
      const own = (await runLine([name, "--help"])).stdout;
      const shown = name === "config" ? (await runLine(["config", "show", "--help"])).stdout : own;
      for (const [flag] of rest.matchAll(/--[a-z-]+/g)) expect(shown, line).toContain(flag);
    }
  });
});

it("the README fits a screen or two and lists every exit code with its meaning", () => {
  const text = textOf("README.md");
  expect(text.split("\n").length).toBeLessThan(140);
  for (const [code, meaning] of Object.entries(EXIT_MEANING)) {
    const cells = new RegExp(`\\| *${code} *\\| *${meaning} *\\|`);
    expect(text).toMatch(Number(code) < 100 ? cells : new RegExp(`\\b${code}\\b`));
  }
});

it("the glossary has every status a task can show", () => {
  const listed = /\*\*status\*\* — ([\s\S]*?)\. Derived/.exec(textOf("GLOSSARY.md"))?.[1] ?? "";
  const words = listed.split(/,\s*|\s+or\s+/).sort();
  // The compiler asks for every status here.
  const statuses: Record<TaskStatus, true> = {
    queued: true,
    waiting: true,
    running: true,
    escalated: true,
    needs_human: true,
    failed: true,
    split: true,
    done: true,
    accepted: true,
    paused: true,
    cancelled: true,
  };
  expect(words).toEqual(Object.keys(statuses).sort());
});
