/** HTML as words: what readers see, whatever the markup does. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textOfHtml } from "../../../src/adapters/outside/page-text.ts";

describe("textOfHtml", () => {
  it.each([
    ["a <b>word</b> here", "a word here"],
    ["<p>one</p><p>two</p>", "one\n\ntwo"],
    ["<ul><li>a<li>b</ul>", "- a\n- b"],
    ["x<script>if (a < b) alert('</p>')</script>y", "xy"],
    ["x<style>p { }</style >y", "xy"],
    ["x<!-- <p>no</p> -->y", "xy"],
    ["x<!-- never closed", "x"],
    ["<script>never closed", ""],
    ['<a title="a > b" href=x>link</a>', "link"],
    ["1 < 2 &amp; 3 &#62; 2 &#x41; &nope; &#xd800;", "1 < 2 & 3 > 2 A &nope;"],
    ["<!doctype html><html><head><title>t</title></head>body", "body"],
    ["<p", ""],
    ["", ""],
  ])("reads %j", (html, text) => {
    expect(textOfHtml(html)).toBe(text);
  });

  it("never throws, and grows no longer than what it was given and its lines", () => {
    const bits = fc.constantFrom(
      "<",
      ">",
      "</",
      "<!--",
      "-->",
      '"',
      "script",
      "p",
      " ",
      "&#",
      "a",
      ";",
    );
    fc.assert(
      fc.property(fc.array(bits, { maxLength: 200 }), (parts) => {
        const html = parts.join("");
        expect(textOfHtml(html).length).toBeLessThanOrEqual(html.length * 3);
      }),
    );
  });
});
