/** The two ends of an output that may be longer than memory. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { Output } from "../../../src/adapters/sandbox/output.ts";

const chunks = fc.array(fc.string({ minLength: 1, maxLength: 30 }), { maxLength: 40 });

it("is the whole output up to the limit, and its two ends beyond, in bounded memory", () => {
  fc.assert(
    fc.property(chunks, fc.integer({ min: 2, max: 200 }), (texts, bytesMax) => {
      const output = new Output(bytesMax);
      for (const text of texts) {
        output.add(Buffer.from(text));
        expect(output.heldBytes).toBeLessThanOrEqual(bytesMax + 30);
      }
      const whole = texts.join("");
      const { text, truncated } = output.read();
      expect(truncated).toBe(whole.length > bytesMax);
      const half = Math.ceil(bytesMax / 2);
      const end = whole.slice(whole.length - bytesMax + half);
      const cut = `${whole.slice(0, half)}\n[${whole.length - bytesMax} bytes left out]\n${end}`;
      expect(text).toBe(truncated ? cut : whole);
    }),
  );
});
