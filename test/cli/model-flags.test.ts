/** `fractal resume` names no model, and goes on with the one the run was given last. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ConfigFlags } from "../../src/cli/config.ts";
import type { Context } from "../../src/cli/context.ts";
import { isRefusal } from "../../src/cli/exit.ts";
import {
  modelFlagsField,
  rememberModelFlags,
  withLastModelFlags,
} from "../../src/cli/model-flags.ts";
import type { ModelFlags } from "../../src/domain/event/run.ts";
import type { RunEvent } from "../../src/domain/event.ts";

const LOCAL = { model: "openai:qwen3-coder", base_url: "http://localhost:11434/v1" };
const started = { event_type: "run.started", model_flags: LOCAL } as RunEvent;
const resumed = (given: object) => ({ event_type: "run.resumed", ...given }) as RunEvent;
const cache = mkdtempSync(join(tmpdir(), "fractal-flags-"));
afterAll(() => rmSync(cache, { recursive: true }));

const contextWith = (configFlags: ConfigFlags, env: Record<string, string> = {}) =>
  ({ env: { XDG_CACHE_HOME: cache, ...env }, configFlags }) as unknown as Context;

/** What `fractal resume` goes on with, where this person gave the last flags in this place. */
function flagsAfter(
  events: RunEvent[],
  o: { typed?: ConfigFlags; env?: Record<string, string> } = {},
): ConfigFlags {
  const runId = `run${Math.random()}`;
  for (const { model_flags: given } of events as { model_flags?: ModelFlags }[]) {
    if (given === undefined) continue;
    const { base_url, ...rest } = given;
    const baseUrl = base_url === undefined ? {} : { baseUrl: base_url };
    rememberModelFlags(contextWith({ ...rest, ...baseUrl } as ConfigFlags), runId);
  }
  const context = withLastModelFlags(contextWith(o.typed ?? {}, o.env), { runId, events });
  if (isRefusal(context)) throw new Error(context.what);
  return context.configFlags;
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

  it("of a journal that came with the repository are refused, and shown to be agreed to", () => {
    const run = { runId: "theirs", events: [started] };
    const refusal = withLastModelFlags(contextWith({}), run);
    expect(refusal).toMatchObject({ refusal: true, exit: 2 });
    expect(JSON.stringify(refusal)).toContain(
      "fractal resume theirs --model openai:qwen3-coder --base-url http://localhost:11434/v1",
    );
    rememberModelFlags(contextWith({ model: "openai:other" }), "theirs");
    expect(withLastModelFlags(contextWith({}), run)).toMatchObject({ refusal: true });
    const agreed = contextWith({ model: LOCAL.model, baseUrl: LOCAL.base_url });
    expect(withLastModelFlags(agreed, run)).toBe(agreed);
  });

  it("are journaled only where some were typed", () => {
    expect(modelFlagsField({ jobs: 3 })).toEqual({});
    expect(modelFlagsField({ model: LOCAL.model, baseUrl: LOCAL.base_url })).toEqual({
      model_flags: LOCAL,
    });
  });
});
