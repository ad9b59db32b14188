/** What tests of the roles start from: a request, a pack and a profile, of which they name what matters. */
import type { ModelRequest } from "../../src/domain/conversation.ts";
import type { Pack } from "../../src/domain/pack.ts";
import type { Model } from "../../src/domain/ports.ts";
import type { ModelProfile } from "../../src/domain/profile.ts";
import type { Contract } from "../../src/domain/task.ts";

export function aRequest(some: Partial<ModelRequest> = {}): ModelRequest {
  return {
    role: "worker",
    taskId: "fr-1.a1",
    taskKey: "core",
    attempt: 1,
    turn: "1",
    system: "You help.",
    messages: [{ from: "user", text: "Say hello." }],
    tools: [],
    outputTokensMax: 1000,
    ...some,
  };
}

export function aProfile(model: Model, some: Partial<ModelProfile> = {}): ModelProfile {
  return {
    model,
    protocol: "files",
    style: "repair",
    planning: "one",
    contextTokens: 100_000,
    outputTokensMax: 4000,
    price: undefined,
    ...some,
  };
}

export function aPack(
  some: Partial<Omit<Pack, "contract">> & { contract?: Partial<Contract> } = {},
): Pack {
  return {
    key: "core",
    requirements: [{ id: "R1", text: "Doubles a number." }],
    context: "A tool that counts.",
    language: "typescript",
    files: [{ path: "src/double.ts", text: undefined }],
    dependencies: [],
    packages: [],
    guidance: [],
    tried: [],
    ...some,
    contract: {
      title: "Double a number",
      purpose: "Gives twice a number.",
      kind: "code",
      size: "S",
      requirements: ["R1"],
      files: ["src/double.ts"],
      interfaces: [
        {
          file: "src/double.ts",
          name: "double",
          declaration: "export function double(value: number): number",
          doc: "Twice the value.",
        },
      ],
      checks: [],
      examples: ["double(2) returns 4"],
      risks: [],
      ...some.contract,
    },
  };
}

/** A model that keeps what it was asked. */
export function listening(model: Model): Model & { asked: ModelRequest[] } {
  const asked: ModelRequest[] = [];
  return {
    name: model.name,
    asked,
    ask(request, signal) {
      asked.push(structuredClone(request));
      return model.ask(request, signal);
    },
  };
}

export const NEVER = new AbortController().signal;
