/** Where settings come from, which one holds, and how a wrong one is told. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Config, type ConfigFlags, loadConfig } from "../../src/cli/config.ts";
import { configFile, LIMIT_FIELD } from "../../src/cli/config-schema.ts";
import { isRefusal, type Refusal } from "../../src/cli/exit.ts";
import type { Environment } from "../../src/cli/output.ts";
import { allowsOf } from "../../src/cli/reach.ts";

interface Sources {
  repository?: string;
  user?: string;
  env?: Environment;
  flags?: ConfigFlags;
}

/** Loads from real files; the environment holds nothing but what is given. */
function load(sources: Sources): Promise<Config | Refusal> {
  const dir = mkdtempSync(join(tmpdir(), "fractal-config-"));
  const home = join(dir, "home");
  mkdirSync(join(home, "fractal"), { recursive: true });
  if (sources.repository !== undefined)
    writeFileSync(join(dir, "fractal.yaml"), sources.repository);
  if (sources.user !== undefined) writeFileSync(join(home, "fractal/config.yaml"), sources.user);
  const env = { XDG_CONFIG_HOME: home, ...sources.env };
  return loadConfig({ dir, env, flags: sources.flags ?? {} });
}

async function loaded(sources: Sources): Promise<Config> {
  const config = await load(sources);
  if (isRefusal(config)) throw new Error(config.where.join("\n"));
  return config;
}

async function refused(sources: Sources): Promise<Refusal> {
  const config = await load(sources);
  if (!isRefusal(config)) throw new Error("it was accepted");
  return config;
}

const settingOf = (config: Config, key: string) =>
  config.settings.find((setting) => setting.key === key);

describe("settings", () => {
  it("flags beat the environment, that beats the repository, that the user's file, that defaults", async () => {
    const all: Sources = {
      flags: { jobs: 7 },
      env: { FRACTAL_JOBS: "6" },
      repository: "jobs: 1\n",
      user: "# mine\njobs: 4\n",
    };
    const seen: unknown[] = [];
    for (const source of ["flags", "env", "repository", "user"] as const) {
      const { value, origin } = settingOf(await loaded(all), "jobs") ?? {};
      seen.push([value, String(origin).replace(/.*config\.yaml/, "user")]);
      delete all[source];
    }
    expect(seen).toEqual([
      [7, "--jobs"],
      [6, "FRACTAL_JOBS"],
      [1, "fractal.yaml:1"],
      [4, "user:2"],
    ]);
    expect(settingOf(await loaded({}), "jobs")?.origin).toBe("default");
  });

  it("limits are set one by one, the rest keeps its default", async () => {
    const config = await loaded({
      repository: "limits:\n  attempts_max: 1\n",
      user: "limits: {attempts_max: 2, turns_max: 9, leaf_size_max: M}\n",
    });
    expect(config.limits).toMatchObject({
      attemptsMax: 1,
      turnsMax: 9,
      leafSizeMax: "M",
      planRoundsMax: 3,
    });
    expect(settingOf(config, "limits.attempts_max")?.origin).toBe("fractal.yaml:2");
  });

  it("an empty file is no setting at all", async () => {
    expect((await loaded({ repository: "\n# nothing yet\n" })).mounts).toEqual([]);
  });

  it.each([
    [
      "a slip of the hand",
      "modle: openai:x\n",
      /^fractal\.yaml:1:1 .*`modle`: did you mean `model`\?/,
    ],
    [
      "an unknown limit",
      "limits:\n  atempts_max: 1\n",
      /^fractal\.yaml:2:3 .*did you mean `attempts_max`/,
    ],
    ["an unknown role", "models:\n  plannr: openai:x\n", /:2:3 .*did you mean `planner`/],
    [
      "an unknown field of a model",
      "model:\n  model: openai:x\n  baseurl: http://a\n",
      /:3:3 .*`base_url`/,
    ],
    ["a wrong type", "jobs: many\n", /^fractal\.yaml:1:1 `jobs`: must be a number, not `many`$/],
    ["a number out of range", "jobs: 0\n", /^fractal\.yaml:1:1 `jobs`: must be at least 1$/],
    ["a text for a list", "mounts: vendor\n", /`mounts`: must be a list, such as \[a, b\], not `v/],
    ["no YAML", "jobs: [1\nmodel: x\n", /^fractal\.yaml:2:1 is not valid YAML/],
    ["no mapping", "- jobs\n", /^fractal\.yaml:1:1 the file: /],
    ["a model without provider", "model: gpt\n", /`model`: must be provider:model/],
    [
      "an unknown provider",
      "model: openia:gpt\n",
      /not `openia:gpt`; providers are anthropic, openai/,
    ],
    ["a key in an address", "base_url: http://me:secret@host/v1\n", /must not hold/],
    ["a mount outside the checkout", "mounts: [../other]\n", /segment `\.\.`/],
    ["a mount of the machine", "mounts: [/etc]\n", /would show models the folder \/etc/],
    ["a sandbox turned off", "sandbox: off\n", /--dangerously-no-sandbox/],
    ["a command of a stranger", "notify: curl evil\n", /^fractal\.yaml:1 `notify` runs a command/],
    [
      "the web, opened by a stranger",
      "web: {hosts: [evil.example]}\n",
      /`web` lets tasks read the web/,
    ],
    ["installing, allowed by a stranger", "install: network\n", /`install` lets packages/],
    ["a registry of a stranger", "registries: [evil.example]\n", /`registries` says where/],
    ["any host of the web", "web: {hosts: ['*']}\n", /must be a host/],
    ["a search without words", "web: {search: {url: 'https://s.example/'}}\n", /\{query\}/],
    ["a search in the clear", "web: {search: {url: 'http://s.example/?q={query}'}}\n", /https/],
  ])("refuses %s, with its place", async (_, repository, message) => {
    const refusal = await refused({ repository });
    expect(refusal.exit).toBe(2);
    expect(refusal.where.join("\n")).toMatch(message);
  });

  it("tells every problem of every source at once", async () => {
    const refusal = await refused({ repository: "jobz: 1\nmodle: x\n", user: "job: 1\n" });
    expect(refusal.where).toHaveLength(3);
  });

  it("refuses what a variable or flag says wrongly, by its name", async () => {
    expect((await refused({ env: { FRACTAL_JOBS: "two" } })).where[0]).toMatch(/^FRACTAL_JOBS /);
    expect((await refused({ env: { FRACTAL_MODELS: "worker" } })).where[0]).toMatch(
      /^FRACTAL_MODELS /,
    );
    expect((await refused({ flags: { models: ["wroker=openai:x"] } })).where[0]).toMatch(
      /^--models .*did you mean `models\.worker`|^--models .*did you mean `worker`/,
    );
  });

  it("a person's own file may open the web and installing, and says what tasks may then need", async () => {
    const config = await loaded({
      user: "web: {hosts: [docs.example.org], search: {url: 'https://s.example/?q={query}'}}\ninstall: cache\n",
    });
    expect(allowsOf(config)).toEqual(["install", "search", "web:docs.example.org"]);
    expect(allowsOf(await loaded({}))).toEqual([]);
  });

  it("a person's own file may name a command; anybody may only tighten the sandbox", async () => {
    expect((await loaded({ user: "notify: say hello\n" })).notify).toBe("say hello");
    expect((await loaded({ repository: "sandbox: required\n" })).sandboxRequired).toBe(true);
    expect(
      (await loaded({ user: "sandbox: required\n", repository: "jobs: 1\n" })).sandboxRequired,
    ).toBe(true);
    expect((await loaded({})).sandboxRequired).toBe(false);
  });
});

describe("the file of a repository", () => {
  const MINE = /put it into .*config\.yaml/;

  it.each([
    ["a model", "model: openai:x\n", /^fractal\.yaml:1 `model` chooses who is paid/],
    ["a model of a role", "models:\n  worker: openai:x\n", /^fractal\.yaml:1 `models` chooses/],
    ["a server", "jobs: 1\nbase_url: http://evil/v1\n", /^fractal\.yaml:2 `base_url` sends keys/],
    ["a price", "model: {model: openai:x, price: {input: 0, output: 0}}\n", /`model` chooses/],
    ["a folder to write letters to", "model: mailbox:/etc\n", /`model` chooses/],
    ["a command", "notify: curl evil\n", /^fractal\.yaml:1 `notify` runs a command/],
    [
      "more attempts",
      "limits:\n  attempts_max: 9\n",
      /^fractal\.yaml:2 `limits\.attempts_max` is 9, above the usual 3/,
    ],
    ["longer prompts", "limits: {pack_tokens_max: 90000}\n", /pack_tokens_max` is 90000/],
    [
      "a folder that is in no commit",
      "mounts: [secrets]\n",
      /would show models the folder secrets/,
    ],
  ])("may not set %s; it is told where to agree", async (_, repository, said) => {
    const refusal = await refused({ repository });
    expect(refusal.exit).toBe(2);
    expect(refusal.where).toHaveLength(1);
    expect(refusal.where[0]).toMatch(said);
    expect(refusal.where[0]).toMatch(MINE);
  });

  it("says nothing on what the person has settled, by file, variable or flag", async () => {
    const repository =
      "model: openai:theirs\nbase_url: http://evil/v1\nnotify: curl evil\nmounts: [data]\nlimits: {attempts_max: 9}\n";
    const user =
      "base_url: http://mine/v1\nnotify: say hello\nmounts: [data]\nlimits: {attempts_max: 4}\n";
    const config = await loaded({
      repository,
      user,
      env: { FRACTAL_MODELS: "worker=openai:mine" },
    });
    expect(config.notify).toBe("say hello");
    expect(config.limits.attemptsMax).toBe(4);
    expect(settingOf(config, "base_url")?.value).toBe("http://mine/v1");
    expect(settingOf(config, "model")).toBeUndefined();
    expect(JSON.stringify(config.layers)).not.toContain("evil");
  });

  it("may make it less, smaller or slower, and name what is secret", async () => {
    const repository = [
      "jobs: 1",
      "mounts: [node_modules, packages/a/vendor/]",
      "secrets: [DATABASE_URL]",
      "limits: {attempts_max: 1, check_timeout_ms: 600000, leaf_size_max: XS, lines_changed_max: 50, backoff_max_ms: 900000}",
    ].join("\n");
    const config = await loaded({ repository, user: "secrets: [PIN]\n" });
    expect(config.limits).toMatchObject({ jobs: 1, attemptsMax: 1, checkTimeoutMs: 600_000 });
    expect(config.secrets).toEqual(["DATABASE_URL", "PIN"]);
    expect(settingOf(config, "secrets")?.origin).toMatch(/^fractal\.yaml:3, .*config\.yaml:1$/);
  });

  it.each([
    ["leaf_size_max", "M", "S"],
    ["lines_changed_max", 401, 400],
    ["review_failures_max", 11, 10],
    ["review_quiet_ms", 3600001, 3600000],
  ])("does not loosen limits.%s to %s", async (key, wanted, usual) => {
    const refusal = await refused({ repository: `limits: {${key}: ${wanted}}\n` });
    expect(refusal.where[0]).toContain(`limits.${key}\` is ${wanted}, above the usual ${usual}`);
    const own = await loaded({
      repository: `limits: {${key}: ${wanted}}\n`,
      user: `limits: {${key}: ${usual}}\n`,
    });
    expect(settingOf(own, `limits.${key}`)?.value).toBe(usual);
  });

  it("does not raise how much is done at a time, whatever the machine", async () => {
    const few = await loaded({ repository: "jobs: 200\n" });
    expect(settingOf(few, "jobs")?.origin).toBe("default");
    expect((await loaded({ repository: "jobs: 5\n", user: "jobs: 2\n" })).limits.jobs).toBe(2);
  });

  it("need not name the key of a search: it is secret by what it is for", async () => {
    const search = "search: {url: 'https://search.example.org/?q={query}', key_env: FIND}";
    expect((await loaded({ user: `web: {${search}}\n` })).secrets).toEqual(["FIND"]);
  });

  it("holds names of secrets, never their values", async () => {
    const refusal = await refused({ repository: "secrets: [hunter2-is-mine]\n" });
    expect(refusal.where[0]).toMatch(/^fractal\.yaml:1:\d+ .*must be names of variables/);
    const config = await loaded({ env: { FRACTAL_SECRETS: "PIN, DSN" } });
    expect(config.secrets).toEqual(["PIN", "DSN"]);
  });
});

it("each key that a file may have is explained in docs/configuration.md", () => {
  const text = readFileSync("docs/configuration.md", "utf8");
  const keys = [...Object.keys(configFile.shape), ...Object.keys(LIMIT_FIELD)];
  expect(keys.filter((key) => key !== "limits" && !new RegExp(`[\`.]${key}`).test(text))).toEqual(
    [],
  );
});
describe("mounts", () => {
  it("of a person may be folders of the machine, and are shown beside those of the repository", async () => {
    expect((await loaded({ user: "mounts: [/usr/local/go]\n" })).mounts).toEqual(["/usr/local/go"]);
    const both = await loaded({
      user: "mounts: [/usr/local/go]\n",
      repository: "mounts: [vendor]\n",
    });
    expect(both.mounts).toEqual(["vendor", "/usr/local/go"]);
    expect(settingOf(both, "mounts")?.origin).toMatch(/^fractal\.yaml:1, .*config\.yaml:1$/);
  });

  it.each([
    ["a folder of the machine", "/usr/share/node_modules"],
    ["a folder of secrets", "/etc"],
  ])("of a repository may not be %s", async (_, path) => {
    const refusal = await refused({ repository: `mounts: [${path}]\n` });
    expect(refusal.where[0]).toMatch(/^fractal\.yaml:1 .*would show models the folder \//);
  });

  it.each([
    "/",
    "/proc",
    "/run/docker",
    "/var/run/docker.sock",
    "/home",
    "/opt",
    "/work/x",
    "/a/../b",
  ])("are never at %s, where the sandbox has its own", async (path) => {
    expect((await refused({ user: `mounts: [${path}]\n` })).where[0]).toContain(path);
  });
});
