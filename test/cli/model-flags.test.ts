/** `fractal resume` names no model, and goes on with the one the run was given last. */
import { describe, expect, it } from "vitest";
import type { ConfigFlags } from "../../src/cli/config.ts";
import type { Context } from "../../src/cli/context.ts";
import { modelFlagsField, withLastModelFlags } from "../../src/cli/model-flags.ts";
import type { RunEvent } from "../../src/domain/event.ts";

const LOCAL = { model: "openai:qwen3-coder", base_url: "http://localhost:11434/v1" };
const started = { event_type: "run.started", model_flags: LOCAL } as RunEvent;
const resumed = (given: object) => ({ event_type: "run.resumed", ...given }) as RunEvent;

function flagsAfter(
  events: RunEvent[],
  o: { typed?: ConfigFlags; env?: Record<string, string> } = {},
): ConfigFlags {
  const context = { env: o.env ?? {}, configFlags: o.typed ?? {} } as unknown as Context;
  return withLastModelFlags(context, events).configFlags;
}

describe("the model flags of a resumed run", () => {
  it("are those of its last process", () => {
    expect(flagsAfter([started])).toEqual({ model: LOCAL.model, baseUrl: LOCAL.base_url });
    const later = resumed({ model_flags: { models: ["worker=openai:x"] } });
    expect(flagsAfter([started, later])).toEqual({ models: ["worker=openai:x"] });
    expect(flagsAfter([started, resumed({})])).toEqual({});
  });

  it("leave other flags alone", () => {
    expect(flagsAfter([started], { typed: { jobs: 4 } })).toMatchObject({
      jobs: 4,
      model: LOCAL.model,
    });
  });

  it.each<[string, Parameters<typeof flagsAfter>[1]]>([
    ["a flag", { typed: { models: ["worker=openai:x"] } }],
    ["the environment", { env: { FRACTAL_MODEL: "openai:x" } }],
  ])("are not mixed with what %s names now", (_, o) => {
    expect(flagsAfter([started], o)).toEqual(o?.typed ?? {});
  });

  it("are journaled only where some were typed", () => {
    expect(modelFlagsField({ jobs: 3 })).toEqual({});
    expect(modelFlagsField({ model: LOCAL.model, baseUrl: LOCAL.base_url })).toEqual({
      model_flags: LOCAL,
    });
  });
});
