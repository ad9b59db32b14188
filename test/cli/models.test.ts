/** Which model answers for which role. */
import { describe, expect, it } from "vitest";
import type { Layer } from "../../src/cli/config.ts";
import { parseConfig } from "../../src/cli/config-file.ts";
import { isRefusal, type Refusal } from "../../src/cli/exit.ts";
import {
  missingKeys,
  type RoleModels,
  refuseMissingKeys,
  resolveModels,
} from "../../src/cli/models.ts";
import type { Environment } from "../../src/cli/output.ts";

/** Layers from YAML texts, the strongest first. */
function layers(...texts: string[]): Layer[] {
  return texts.map((text, index) => {
    const read = parseConfig(`file${index}`, text);
    if ("problems" in read) throw new Error(JSON.stringify(read.problems));
    return { source: "repository", ...read };
  });
}

function resolved(texts: string[], env: Environment = {}, recordings?: string): RoleModels {
  const models = resolveModels({ layers: layers(...texts) }, env, recordings);
  if (isRefusal(models)) throw new Error(models.what);
  return models;
}

function refused(texts: string[], env: Environment = {}): Refusal {
  const models = resolveModels({ layers: layers(...texts) }, env);
  if (!isRefusal(models)) throw new Error("it was accepted");
  return models;
}

const names = (models: RoleModels) =>
  Object.fromEntries(Object.entries(models).map(([role, { name }]) => [role, name]));

const all = (name: string) => ({
  planner: name,
  worker: name,
  router: name,
  fixer: name,
  reviewer: name,
});

describe("the model of a role", () => {
  it("is the one configured model, when there is only one", () => {
    expect(names(resolved(["model: openai:a"]))).toEqual(all("openai:a"));
    expect(names(resolved(["models: {worker: openai:a}"]))).toEqual(all("openai:a"));
    expect(names(resolved(["models: {strong: openai:a}"]))).toEqual(all("openai:a"));
  });

  it("is its own, else its tier's, else the one for all", () => {
    expect(
      names(resolved(["model: openai:all\nmodels: {strong: openai:strong, fixer: openai:fixer}"])),
    ).toEqual({ ...all("openai:strong"), worker: "openai:all", fixer: "openai:fixer" });
  });

  it("is the worker's small one and everybody else's strong one with two tiers", () => {
    expect(names(resolved(["models: {strong: openai:s, small: openai:w}"]))).toEqual({
      ...all("openai:s"),
      worker: "openai:w",
    });
  });

  it("is the other tier's when its own is not configured", () => {
    expect(names(resolved(["models: {strong: openai:s, reviewer: openai:r}"]))).toEqual({
      ...all("openai:s"),
      reviewer: "openai:r",
    });
  });

  it("is what a flag says, also where a file is more particular", () => {
    expect(names(resolved(["model: openai:flag", "models: {worker: openai:file}"]))).toEqual(
      all("openai:flag"),
    );
    expect(
      names(resolved(["models: {worker: openai:flag}", "models: {strong: openai:file}"])),
    ).toEqual({ ...all("openai:file"), worker: "openai:flag" });
  });

  it("is refused where two are configured and neither says for whom the rest is", () => {
    const refusal = refused(["models: {worker: openai:a, reviewer: openai:b}"]);
    expect(refusal.exit).toBe(2);
    expect(refusal.what).toContain("planner");
  });

  it("carries what is particular about it; a shared server is for openai models", () => {
    const models = resolved([
      [
        "base_url: http://localhost:8080/v1",
        "models:",
        "  strong: anthropic:s",
        "  small: {model: openai:w, protocol: files, style: cases, planning: many,",
        "    context_tokens: 8192, output_tokens: 2000, temperature: 0.2, price: {input: 1, output: 2}}",
      ].join("\n"),
    ]);
    expect(models.planner).toEqual({
      name: "anthropic:s",
      provider: "anthropic",
      model: "s",
      origin: "file0:3",
    });
    expect(models.worker).toEqual({
      name: "openai:w",
      provider: "openai",
      model: "w",
      baseUrl: "http://localhost:8080/v1",
      protocol: "files",
      style: "cases",
      planning: "many",
      contextTokens: 8192,
      outputTokensMax: 2000,
      temperature: 0.2,
      price: { inputUsd: 1, outputUsd: 2, cacheReadUsd: 1, cacheWriteUsd: 1 },
      origin: "file0:4",
    });
  });

  it("keeps the colons of a model's own name", () => {
    expect(resolved(["model: openai:qwen2.5-coder:1.5b"]).worker.model).toBe("qwen2.5-coder:1.5b");
  });
});

describe("with nothing configured", () => {
  it("an Anthropic key brings two tiers, before any recording", () => {
    const models = resolved([""], { ANTHROPIC_API_KEY: "k" }, "/recordings");
    expect(models.planner.name).toBe("anthropic:claude-sonnet-5-5");
    expect(models.worker.name).toBe("anthropic:claude-haiku-5-5");
  });

  it("an OpenAI key alone asks for a model's name", () => {
    expect(refused([""], { OPENAI_API_KEY: "k" })).toMatchObject({ exit: 2 });
  });

  it("no key plays the recorded answers of the specification, where it has some", () => {
    expect(names(resolved([""], {}, "/recordings"))).toEqual(all("recorded:/recordings"));
  });

  it("no key and no recording names both variables and shows an example, exit 4", () => {
    const refusal = refused([""]);
    expect(refusal.exit).toBe(4);
    expect(refusal.what).toMatch(/ANTHROPIC_API_KEY.*OPENAI_API_KEY/);
    expect(refusal.next.join("\n")).toContain("models: {strong:");
  });
});

describe("keys", () => {
  it("are named with the model and the roles that lack them", () => {
    const models = resolved(["models: {strong: anthropic:s, small: openai:w}"]);
    expect(missingKeys(models, { ANTHROPIC_API_KEY: "k" })).toEqual([
      { variable: "OPENAI_API_KEY", model: "openai:w", roles: ["worker"] },
    ]);
    expect(refuseMissingKeys(models, {})).toMatchObject({
      exit: 4,
      what: "ANTHROPIC_API_KEY and OPENAI_API_KEY must be set",
    });
  });

  it("are not needed by a server of one's own, a mailbox or recorded answers", () => {
    for (const text of [
      "model: openai:w\nbase_url: http://localhost:1/v1",
      "model: mailbox:box",
      "model: recorded:here",
    ]) {
      expect(refuseMissingKeys(resolved([text]), {})).toBeUndefined();
    }
  });
});
