/** What tasks need from outside the sandbox, against what the user's settings allow. */
import { describe, expect, it } from "vitest";
import { hostsNeeded, need } from "../../../src/domain/needs.ts";
import { hostProblem, urlProblem } from "../../../src/domain/web.ts";
import { needsMissing, needsOf } from "../../../src/rules/check/needs.ts";
import { aState, aTask } from "../../support/builders.ts";

describe("needs", () => {
  it.each([
    [["install"], [], ["install"]],
    [["install"], ["install"], []],
    [["search", "install"], ["search"], ["install"]],
    [["web"], [], ["web"]],
    [["web"], ["web:a.org"], []],
    [["web:a.org"], ["web:a.org"], []],
    [["web:a.org"], ["web:b.org"], ["web:a.org"]],
    [["web:docs.a.org"], ["web:*.a.org"], []],
    [["web:*.a.org"], ["web:docs.a.org"], []],
    [["web:a.org"], ["web:*.a.org"], ["web:a.org"]],
    [["web:xa.org"], ["web:*.a.org"], ["web:xa.org"]],
  ])("of %j with %j allowed: %j is missing", (needs, allows, missing) => {
    expect(needsMissing(needs, allows)).toEqual(missing);
  });

  it("are those of a task and of all above it", () => {
    const state = aState({
      tasks: [
        aTask("r", { contract: { needs: ["install"] } }),
        aTask("r.a1", { parent: "r", contract: { needs: ["web:a.org"] } }),
        aTask("r.a2", { parent: "r" }),
      ],
    });
    const of = (id: string) => needsOf(state, state.tasks.get(id) ?? aTask("x"));
    expect(of("r.a1")).toEqual(["install", "web:a.org"]);
    expect(of("r.a2")).toEqual(["install"]);
  });

  it("are written in a few words", () => {
    for (const good of ["install", "search", "web", "web:a.org"]) {
      expect(need.safeParse(good).success).toBe(true);
    }
    for (const bad of ["", "network", "install:x", "web:", "web: a"]) {
      expect(need.safeParse(bad).success).toBe(false);
    }
    expect(hostsNeeded(["install", "web:A.org", "web"])).toEqual(["a.org", "*"]);
  });
});

describe("an allowed host", () => {
  it.each([
    "docs.python.org",
    "*.python.org",
    "http://127.0.0.1:80",
    "http://localhost",
    "http://[::1]:9",
  ])("may be %s", (entry) => expect(hostProblem(entry)).toBeUndefined());

  it.each([
    "*",
    "*.",
    "org",
    "localhost",
    "127.0.0.1",
    "1.2.3.4",
    "https://a.org",
    "a.org/path",
    "a.org:80",
    "http://10.0.0.1",
    "http://a.org",
    "http://127.0.0.1.evil.org",
    "http://127.0.0.1:80/x",
    "-a.org",
    "A.org",
    "",
  ])("may not be %j", (entry) => expect(hostProblem(entry)).toBeDefined());
});

describe("an address", () => {
  const allow = [["a.org", "*.b.org", "http://127.0.0.1:80"], ["*"]];

  it.each([
    "https://a.org/",
    "https://a.org/x?y#z",
    "https://x.y.b.org",
    "http://127.0.0.1/",
    "HTTPS://A.ORG",
  ])("%s may be read", (url) => expect(urlProblem(url, allow)).toBeUndefined());

  it.each([
    "http://a.org/",
    "https://a.org:8443/",
    "https://b.org/",
    "https://xa.org/",
    "https://a.org.evil.org/",
    "https://a.org@evil.org/",
    "https://evil.org/a.org",
    "https://evil.org#a.org",
    "https://a.org\\@evil.org",
    "http://127.0.0.1:81/",
    "http://localhost/",
    "https://127.0.0.1/",
    "https://xb.org",
    "https://a.org./",
    "javascript:alert(1)",
    "//a.org",
    "",
    "https://",
    `https://a.org/${"x".repeat(2000)}`,
  ])("%s may not", (url) => {
    const problem = urlProblem(url, allow);
    // A backslash is a slash to the web: what stands before it is the host.
    if (url === "https://a.org\\@evil.org") expect(problem).toBeUndefined();
    else expect(problem).toBeDefined();
  });

  it("is judged by every list, and no list allows all", () => {
    expect(urlProblem("https://a.org/", [["a.org"], ["b.org"]])).toBeDefined();
    expect(urlProblem("https://a.org/", [["a.org"], []])).toBeDefined();
    expect(urlProblem("https://a.org/", [])).toBeDefined();
  });
});
