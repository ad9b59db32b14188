/** Models by name: what is known of each, what a wrong name says, and what is loaded when. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelDefaults, openModel, PROVIDERS } from "../../../src/adapters/models/catalog.ts";
import { PRICES_DATE, priceOf } from "../../../src/adapters/models/prices.ts";
import {
  isAllRequired,
  isEnforceable,
  withoutBounds,
} from "../../../src/adapters/models/schema.ts";
import { costOf } from "../../../src/domain/usage.ts";
import { startModelServer } from "../../support/model-server.ts";
import { aRequest, NEVER } from "../../support/scripted.ts";

const env = {};

describe("a model's name", () => {
  it.each([
    ["antropic:claude-x", "anthropic:claude-x"],
    ["claude-haiku-5-5", "anthropic:claude-haiku-5-5"],
    ["gpt-5.4-mini", "openai:gpt-5.4-mini"],
    ["qwen2.5-coder:7b", "openai:qwen2.5-coder:7b"],
    ["record:x", "recorded:x"],
  ])("%s is refused with the suggestion %s", async (name, suggestion) => {
    const failure = await openModel(name, { env });
    expect(failure).toMatchObject({
      failure: "config-unusable",
      detail: expect.stringContaining(`"${suggestion}"`),
    });
  });

  it.each(["", ":", "anthropic:", "anthropic"])(
    "%j is refused, and every provider named",
    (name) => {
      const failure = modelDefaults(name, { env });
      const detail = "failure" in failure ? failure.detail : "";
      expect(PROVIDERS.filter((provider) => !detail.includes(`${provider}:`))).toEqual([]);
    },
  );
});

describe("a missing key", () => {
  it.each([
    ["anthropic:claude-x", "ANTHROPIC_API_KEY"],
    ["openai:gpt-x", "OPENAI_API_KEY"],
  ])("of %s is named", async (name, variable) => {
    expect(await openModel(name, { env: { [variable]: " " } })).toMatchObject({
      failure: "credentials-missing",
      variable,
    });
  });

  it("is no trouble for a server of one's own", async () => {
    await using server = await startModelServer(["hi"]);
    const model = await openModel("openai:qwen:7b", { env, baseUrl: server.openaiUrl });
    expect(model).toHaveProperty("name", "openai:qwen:7b");
    expect("ask" in model && (await model.ask(aRequest(), NEVER))).toMatchObject({ text: "hi" });
    expect(server.calls[0]?.model).toBe("qwen:7b");
  });

  it("is not made up for by an address that is none", async () => {
    expect(await openModel("openai:x", { env, baseUrl: "localhost 80" })).toMatchObject({
      failure: "config-unusable",
    });
  });
});

describe("what is known of a model", () => {
  it("makes strong models work with tools and local ones with whole files", () => {
    expect(modelDefaults("anthropic:claude-sonnet-5-5", { env })).toMatchObject({
      protocol: "tools",
      style: "repair",
      planning: "one",
    });
    const local = { env: { OPENAI_BASE_URL: "http://127.0.0.1:1/v1" } };
    expect(modelDefaults("openai:gpt-5.4-mini", local)).toMatchObject({
      protocol: "files",
      style: "fresh",
      planning: "many",
      price: undefined,
    });
    expect(modelDefaults("recorded:dir", { env })).toMatchObject({
      protocol: "files",
      price: { inputUsd: 0 },
    });
    expect(modelDefaults("mailbox:dir", { env })).toMatchObject({ price: undefined });
  });

  it("never leaves less room for the prompt than for the answer", () => {
    const names = [
      "anthropic:claude-x",
      "anthropic:other",
      "openai:gpt-4.1",
      "openai:gpt-5.4",
      "openai:o3",
      "openai:zzz",
      "mailbox:d",
      "recorded:d",
    ];
    for (const name of names) {
      const known = modelDefaults(name, { env });
      if ("failure" in known) throw new Error(known.detail);
      expect(known.outputTokensMax * 2).toBeLessThan(known.contextTokens);
    }
  });
});

describe("prices", () => {
  it("are dated, and known for the longest name that fits", () => {
    expect(PRICES_DATE).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(priceOf("anthropic", "claude-opus-5-5")).toMatchObject({ inputUsd: 4 });
    expect(priceOf("anthropic", "claude-opus-5")).toMatchObject({ inputUsd: 5 });
    expect(priceOf("openai", "gpt-5.4-mini-2026-03-17")).toMatchObject({ inputUsd: 0.75 });
    expect(priceOf("anthropic", "claude-haiku-4-5-20251001")).toMatchObject({ inputUsd: 1 });
  });

  it.each([
    ["openai", "gpt-5.4-pro"],
    ["openai", "qwen"],
    ["anthropic", "claude-sonnet-5-9"],
    ["toString", "x"],
    ["anthropic", "constructor"],
  ])("of %s %s are unknown rather than guessed", (provider, model) => {
    expect(priceOf(provider, model)).toBeUndefined();
  });

  it("rise for a long prompt, cache included", () => {
    const usage = {
      inputTokens: 1_000_000,
      outputTokens: 1_000_000,
      cacheReadTokens: 1_000_000,
      cacheWriteTokens: 0,
    };
    expect(costOf(usage, priceOf("anthropic", "claude-haiku-5-5"))).toBeCloseTo(0.5 + 2.5 + 0.05);
    const short = {
      inputTokens: 50_000,
      outputTokens: 0,
      cacheReadTokens: 50_000,
      cacheWriteTokens: 0,
    };
    expect(costOf(short, priceOf("anthropic", "claude-haiku-5-5"))).toBeCloseTo(0.0055);
  });
});

it("loads no SDK before a model of it is opened", () => {
  const catalog = join(import.meta.dirname, "../../../src/adapters/models/catalog.ts");
  const script = `
    const { registerHooks } = await import("node:module");
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { openModel } = await import(${JSON.stringify(catalog)});
    const sdks = () => ["@anthropic-ai/sdk", "/openai/"].filter((name) => loaded.some((url) => url.includes("node_modules") && url.includes(name)));
    const before = sdks();
    await openModel("openai:x", { env: {}, baseUrl: "http://127.0.0.1:1/v1" });
    console.log(JSON.stringify([before, sdks()]));
  `;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  expect(JSON.parse(printed)).toEqual([[], ["/openai/"]]);
});

describe("schemas for structured output", () => {
  const object = (properties: object, required: string[] = Object.keys(properties)) => ({
    type: "object",
    properties,
    required,
    additionalProperties: false,
  });

  it.each([
    ["plain fields", object({ a: { type: "string" }, b: { enum: ["x"] } }), true],
    [
      "lists of objects",
      object({ a: { type: "array", items: object({ b: { type: "number" } }) } }),
      true,
    ],
    ["a choice", { anyOf: [{ type: "null" }, object({ a: { const: 1 } })] }, true],
    ["a record", { type: "object", additionalProperties: { type: "string" } }, false],
    ["anything at all", object({ a: {} }), false],
    ["a list of anything", object({ a: { type: "array", items: {} } }), false],
  ])("can hold a model to %s: %#", (_what, schema, able) => {
    expect(isEnforceable(schema)).toBe(able);
  });

  it("knows when every key is required, at any depth", () => {
    expect(isAllRequired(object({ a: object({ b: { type: "string" } }) }))).toBe(true);
    expect(isAllRequired(object({ a: object({ b: { type: "string" } }, []) }))).toBe(false);
  });

  it("drops bounds, but no property that is called like one", () => {
    const schema = object({
      maxLength: { type: "string", maxLength: 3 },
      format: { type: "string", format: "date" },
    });
    expect(withoutBounds(schema)).toEqual(
      object({ maxLength: { type: "string" }, format: { type: "string" } }),
    );
  });
});
