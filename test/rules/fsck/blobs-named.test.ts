/** Every field of an event that names a blob is known to who looks for the blobs of a journal. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type RunEvent, runEvent } from "../../../src/domain/event.ts";
import { blobsNamed } from "../../../src/rules/fsck/blobs-named.ts";
import { anEvent } from "../../support/builders.ts";

/** A value of a schema in which each blob's hash is its path; other values are whatever fits. */
function sample(schema: z.ZodType, path: string, marks: string[]): unknown {
  if (schema.meta()?.["holds"] === "blob") {
    marks.push(path);
    return path;
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return sample(schema.unwrap() as z.ZodType, path, marks);
  }
  if (schema instanceof z.ZodArray)
    return [sample(schema.element as z.ZodType, `${path}[]`, marks)];
  if (schema instanceof z.ZodObject) {
    return Object.fromEntries(
      Object.entries(schema.shape).map(([key, field]) => [
        key,
        sample(field as z.ZodType, `${path}.${key}`, marks),
      ]),
    );
  }
  if (schema instanceof z.ZodLiteral) return schema.value;
  return undefined;
}

const facts = runEvent.def.right as z.ZodDiscriminatedUnion<z.ZodObject[]>;
const variants = facts.options.map((option) => {
  const marks: string[] = [];
  const event = sample(option, "", marks) as RunEvent;
  return { type: event.event_type, event, marks };
});

describe("the blobs an event names", () => {
  it("are marked in the events' schema at all", () => {
    expect(variants.flatMap(({ marks }) => marks).length).toBeGreaterThan(9);
  });

  it.each(variants)("are all found: $type", ({ event, marks }) => {
    expect(blobsNamed(event).sort()).toEqual(marks.sort());
  });

  it("are none where there is no verdict", () => {
    const ended = anEvent({ event_type: "attempt.ended", attempt: 1 });
    expect(blobsNamed(ended)).toEqual([]);
  });

  it("of a real run are every hash in it that is no other", () => {
    const file = join(import.meta.dirname, "../..", "fixtures", "journals", "v1.jsonl");
    for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
      const { prev: _, spec_hash: __, ...event } = JSON.parse(line);
      const hashes = JSON.stringify(event).match(/\b[0-9a-f]{64}\b/g) ?? [];
      expect(blobsNamed(event).sort()).toEqual(hashes.sort());
    }
  });
});
