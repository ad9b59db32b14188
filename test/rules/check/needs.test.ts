/** What tasks need from outside the sandbox, against what the user's settings allow. */
import { describe, expect, it } from "vitest";
import { hostsNeeded, need } from "../../../src/domain/needs.ts";
import { hostProblem, urlProblem } from "../../../src/domain/web.ts";
import {
  askedTogether,
  linesToAllow,
  needsMissing,
  needsOf,
  needsToOffer,
  needsUnasked,
  renderOffered,
} from "../../../src/rules/check/needs.ts";
import { needsQuestion } from "../../../src/rules/check/needs-question.ts";
import { aQuestion, aState, aTask } from "../../support/builders.ts";

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

describe("a planner", () => {
  const can = { installs: true, browses: true };
  it.each([
    ["nothing where nothing is allowed", [], [], can, []],
    ["what is allowed", [], ["install", "web:a.org"], can, ["install", "web:a.org"]],
    ["nothing that the task has", ["install"], ["install"], can, []],
    ["no host where it has all", ["web"], ["search", "web:a.org"], can, ["search"]],
    ["the host it does not have", ["web:a.org"], ["web:a.org", "web:b.org"], can, ["web:b.org"]],
    ["no packages without a lock file", [], ["install"], { ...can, installs: false }, []],
    [
      "no web where its workers have no tools",
      [],
      ["install", "search", "web:a.org"],
      { ...can, browses: false },
      ["install"],
    ],
  ])("is offered %s", (_, has, allows, able, offered) => {
    expect(needsToOffer(has, allows, able)).toEqual(offered);
  });

  it("is not told a long list of hosts", () => {
    const hosts = Array.from({ length: 11 }, (_, at) => `web:h${at}.org`);
    const offered = needsToOffer([], ["install", ...hosts], can);
    expect(offered).toEqual(["install", "web"]);
    expect(renderOffered(offered)).toBe(
      "`install` (the packages of the lock file), `web` (pages of the hosts that are allowed)",
    );
  });
});

describe("what nobody allowed", () => {
  const parts = (over: Parameters<typeof aState>[0] = {}) =>
    aState({
      allows: ["web:a.org"],
      tasks: [
        aTask("r", { shape: "split" }),
        aTask("r.a1", { parent: "r", contract: { needs: ["install"] } }),
        aTask("r.a2", { parent: "r", contract: { needs: ["search", "web:a.org"] } }),
        aTask("r.a3", { parent: "r", contract: { needs: ["web:a.org"] } }),
        aTask("r.a4", { parent: "r", end: "done", contract: { needs: ["install"] } }),
        aTask("r.a5", { parent: "r", paused: true, contract: { needs: ["install"] } }),
      ],
      ...over,
    });
  const get = (state: ReturnType<typeof parts>, id: string) => state.tasks.get(id) ?? aTask("x");

  it("is asked about once for a whole plan", () => {
    const state = parts();
    const together = askedTogether(state, get(state, "r.a1"));
    expect(together.map(({ id }) => id)).toEqual(["r.a1", "r.a2"]);
    expect(needsQuestion(state, together, () => true)).toEqual({
      question:
        '"r.a1" and "r.a2" need what your settings do not allow: install, search. What now?',
      why: expect.stringMatching(
        /^A planner says so; its word allows nothing\.\n[\s\S]*\ninstall: cache .*\nweb: \{search: \{url: [\s\S]*`fractal resume`/,
      ),
      options: ["do without"],
      needs: ["install", "search"],
    });
    expect(needsQuestion(state, together, () => false).why).not.toContain("planner");
  });

  it("is named, not listed, where many need it", () => {
    const tasks = ["a", "b", "c", "d"].map((id) => aTask(id, { contract: { needs: ["install"] } }));
    const { question } = needsQuestion(aState({ tasks }), tasks, () => false);
    expect(question).toMatch(/^"a" and 3 others need what your settings do not allow: install\./);
  });

  it("is not asked about again, below whom it was asked, but for what is new", () => {
    const asked = aQuestion("q", "r.a1", { kind: "needs", state: "answered", needs: ["install"] });
    const state = parts({
      questions: [asked],
      tasks: [
        aTask("r", { shape: "split" }),
        aTask("r.a1", { parent: "r", questions: ["q"], contract: { needs: ["install"] } }),
        aTask("r.a1.a1", { parent: "r.a1", contract: { needs: ["install"] } }),
        aTask("r.a1.a2", { parent: "r.a1", contract: { needs: ["install", "search"] } }),
      ],
    });
    expect(needsUnasked(state, get(state, "r.a1"))).toEqual([]);
    expect(needsUnasked(state, get(state, "r.a1.a1"))).toEqual([]);
    expect(needsUnasked(state, get(state, "r.a1.a2"))).toEqual(["search"]);
    // Older journals do not say which: then it was about all of it.
    delete asked.needs;
    expect(needsUnasked(state, get(state, "r.a1.a2"))).toEqual([]);
  });

  it("is a line for each setting, not for each need", () => {
    expect(linesToAllow(["web:a.org", "install", "web:b.org", "search"])).toEqual([
      "install: cache   # or `network`: what the cache lacks is downloaded",
      `web: {hosts: ["a.org", "b.org"], search: {url: 'https://HOST/search?format=json&q={query}'}}`,
    ]);
    expect(linesToAllow(["web"])).toEqual(['web: {hosts: ["HOST"]}']);
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
