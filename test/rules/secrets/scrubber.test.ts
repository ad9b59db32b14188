/** Secrets are taken out of texts in all their spellings, and nothing else is. */
import { globSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { knownSecrets, tooShort, withoutSecrets } from "../../../src/rules/secrets/known.ts";
import { SECRET_PATTERNS } from "../../../src/rules/secrets/patterns.ts";
import { compileScrubber } from "../../../src/rules/secrets/scrubber.ts";
import { runsOf } from "../../support/runs.ts";
import { drawer, keyFormats, spelledFormats } from "../../support/secret-formats.ts";

const SEED = 20;
const KEYS = keyFormats(SEED);
/** With all that needs escaping somewhere. */
const VALUE = `Zq7+/"&<${drawer(SEED)(18)}\\=x/é~y`;
const shapes = compileScrubber([]);
const both = compileScrubber([{ name: "DSN", value: VALUE }]);

describe("a key of a service", () => {
  it("is covered here in each of the shapes that are looked for", () => {
    const tested = new Set(KEYS.map(({ name }) => name));
    expect(SECRET_PATTERNS.filter(({ name }) => !tested.has(name))).toEqual([]);
  });

  it.each(KEYS)("$name is taken out, with a mark in its place", ({ name, written, secret }) => {
    const scrubbed = shapes.scrub(`before ${written} after`);
    expect(scrubbed).toContain(`[secret ${name}]`);
    expect(scrubbed).toMatch(/^before .* after$/s);
    expect(scrubbed).not.toContain(secret.slice(0, 20));
    expect(scrubbed).not.toContain(secret.slice(-12));
  });

  it.each(KEYS)("$name is taken out of JSON, which stays JSON", ({ name, written }) => {
    const json = JSON.stringify({
      a: written,
      b: [JSON.stringify({ written })],
      c: `x\n${written}`,
    });
    const scrubbed = shapes.scrub(json);
    expect(scrubbed.split(`[secret ${name}]`)).toHaveLength(4);
    expect(JSON.parse(scrubbed)).toHaveProperty("a");
  });

  it.each([
    ["an example out of AWS's documents", "AKIAIOSFODNN7EXAMPLE"],
    ["a placeholder", `ghp_${"x".repeat(36)}`],
    ["a header that names no key", "Authorization: Bearer <your token here, please>"],
    ["the password of every example", "postgres://postgres:postgres@localhost:5432/app"],
    ["a variable in a URL", `https://user:\${${"PASSWORD_1234"}}@host.org`],
    ["a commit", "9f06d88a1b2c3d4e5f60718293a4b5c6d7e8f901"],
    ["a long word", `task-${"implementation-of-the-parser-and-the-printer-of-numbers"}`],
    [
      "the beginning of a key alone",
      "keys begin with sk-ant-api03- or ghp_ or -----BEGIN RSA PRIVATE KEY-----",
    ],
  ])("is not seen in %s", (_, text) => {
    expect(shapes.scrub(text)).toBe(text);
  });

  it("is not seen in anything of this repository", () => {
    const files = globSync(
      "{src,test,docs,prompts,recordings,bench,setup}/**/*.{ts,mjs,md,json,jsonl,txt}",
    );
    expect(files.length).toBeGreaterThan(300);
    const seen = files.flatMap((file) =>
      shapes.find(readFileSync(file, "utf8")).map(({ name, at }) => `${file}@${at} ${name}`),
    );
    expect(seen).toEqual([]);
  });
});

describe("a known value", () => {
  it.each(spelledFormats(VALUE))("is taken out $name", ({ written }) => {
    const scrubbed = both.scrub(`a=${written}&b`);
    expect(scrubbed).toMatch(/^a=.{0,9}\[secret DSN\].{0,9}&b$/);
    expect(scrubbed).not.toContain(written.slice(4, 12));
  });

  it("leaves less than half of it where a text was cut in two", () => {
    for (let at = 1; at < VALUE.length; at++) {
      const pieces = [VALUE.slice(0, at), VALUE.slice(at)].map((piece) => both.scrub(piece));
      expect(pieces.join("")).toContain("[secret DSN]");
    }
  });

  it("of several lines is known by each of them", () => {
    const lines = [
      "-----BEGIN OF MINE-----",
      drawer(3)(64),
      drawer(4)(64),
      "-----END OF MINE-----",
    ];
    const { scrub } = compileScrubber([{ name: "PEM", value: lines.join("\n") }]);
    expect(scrub(`> ${lines[1]}\n> ${lines[2]}`)).toBe("> [secret PEM]\n> [secret PEM]");
  });

  it("that another one begins with does not hide it", () => {
    const short = drawer(5)(12);
    const { scrub } = compileScrubber([
      { name: "SHORT", value: short },
      { name: "LONG", value: `${short}-more` },
    ]);
    expect(scrub(`${short}-more ${short}`)).toBe("[secret LONG] [secret SHORT]");
  });

  it("that overlaps another is taken out with it, whole", () => {
    const [one, two] = ["qwertzuiop12", "iop12asdfghj"];
    const { scrub } = compileScrubber([
      { name: "ONE", value: one },
      { name: "TWO", value: two },
    ]);
    expect(scrub("x qwertzuiop12asdfghj y")).toBe("x [secret ONE] y");
  });
});

describe("what was scrubbed", () => {
  const secrets = fc.constantFrom(...[...KEYS, ...spelledFormats(VALUE)].map((one) => one.written));
  const texts = fc
    .array(
      fc.oneof(fc.string(), secrets, fc.constantFrom("[secret DSN]", "\n", '"', "\\", "https://")),
    )
    .map((parts) => parts.join(""));

  it("stays as it is when it is scrubbed again", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const once = both.scrub(text);
        expect(both.scrub(once)).toBe(once);
      }),
      runsOf(300),
    );
  });

  it("is found, and in order, exactly where the marks are", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const found = both.find(text);
        let end = 0;
        for (const { text: secret, at } of found) {
          expect(at).toBeGreaterThanOrEqual(end);
          expect(text.slice(at, at + secret.length)).toBe(secret);
          end = at + secret.length;
        }
      }),
      runsOf(300),
    );
  });

  it("is JSON where it was JSON", () => {
    fc.assert(
      fc.property(fc.array(texts), (values) => {
        const scrubbed: unknown = JSON.parse(both.scrub(JSON.stringify(values)));
        expect(scrubbed).toHaveLength(values.length);
      }),
      runsOf(300),
    );
  });
});

describe("JSON", () => {
  /** With letters of escapes at their ends, pieces of its syntax, and digits alone. */
  const VALUES = [
    `n${drawer(31)(20)}`,
    `u001b${drawer(32)(11)}`,
    `1b${drawer(33)(12)}`,
    `${drawer(34)(20)}\\`,
    `\\n${drawer(35)(20)}`,
    `"${drawer(36)(20)}`,
    `q":"${drawer(37)(12)}`,
    "7350192846",
  ];
  const tricky = compileScrubber(VALUES.map((value, at) => ({ name: `V${at}`, value })));
  const broken = [
    "\npm_",
    "\ntn_30192837465",
    "\nfp_",
    "\r8_",
    "\rk_live_",
    "\tskey-auth-",
    "\figd_",
  ];

  it.each(broken)(
    "%j: a line that is a key with the letter of the escape before it is none",
    (start) => {
      const told = {
        text: `see${start}${drawer(40)(40)}${start.includes("skey") ? `-${drawer(41)(30)}` : ""}`,
      };
      const text = JSON.stringify(told);
      expect(shapes.find(text)).not.toEqual([]);
      expect(JSON.parse(shapes.scrub(text))).toEqual(told);
      const aws = drawer(42)(40);
      const both = `${JSON.stringify({ told, aws_secret_access_key: aws })}\n`;
      expect(shapes.scrub(both)).toBe(both.replace(aws, "[secret aws-secret]"));
    },
  );

  it("a number that is a secret becomes a text", () => {
    expect(tricky.scrub('{"pin": 7350192846, "a": 1}')).toBe('{"pin":"[secret V7]","a":1}');
  });

  it("stays JSON whatever is taken out of it, and holds no known value in any text", () => {
    const piece = fc.oneof(
      fc.constantFrom(...VALUES, ...KEYS.map(({ written }) => written)),
      fc.constantFrom(
        ...VALUES.map((value) => value.slice(1)),
        ...VALUES.map((value) => value.slice(2)),
      ),
      fc.constantFrom(...broken.map((start) => `${start}${drawer(43)(60)}`)),
      fc.constantFrom("\n", "\r", "\t", "\b", "\f", "\u001b", "\\", '"', "/", "n", '":"', "x\ny"),
      fc.string({ maxLength: 5 }),
    );
    const text = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(""));
    const nested = fc.oneof(
      text,
      text.map((inner) => JSON.stringify({ inner })),
    );
    const value = fc.oneof(
      nested,
      fc.array(fc.oneof(nested, fc.constantFrom(7350192846, 1, null))),
      fc.dictionary(text, nested),
    );
    fc.assert(
      fc.property(value, (told) => {
        const scrubbed = tricky.scrub(JSON.stringify(told));
        const texts: string[] = [];
        JSON.parse(scrubbed, (key, inner: unknown) => {
          texts.push(key, typeof inner === "object" ? "" : String(inner));
          return inner;
        });
        for (const one of VALUES) expect(texts.filter((left) => left.includes(one))).toEqual([]);
        expect(tricky.scrub(scrubbed)).toBe(scrubbed);
      }),
      runsOf(500),
    );
  });
});

describe("what is secret in an environment", () => {
  const key = drawer(9)(24);

  it.each([
    ...["MY_API_KEY", "GH_TOKEN", "DB_PASSWORD", "CLIENT_SECRET", "ANTHROPIC_AUTH_TOKEN"],
    ...["OPENAI_KEY", "MYSQL_PWD", "GITHUB_PAT"],
  ])("%s, by its name", (name) => {
    expect(knownSecrets({ [name]: key })).toEqual([{ name, value: key }]);
    expect(withoutSecrets({ [name]: key, LANG: "C" })).toEqual({ LANG: "C" });
  });

  it.each([
    ["KEY_FILE", key],
    ["MAX_TOKENS", "32000000"],
    ["GOOGLE_APPLICATION_CREDENTIALS", "/home/ada/key.json"],
    ["DB_PASSWORD", "postgres"],
    ["TOKEN", "true"],
    ["PATH", "/usr/bin:/bin"],
  ])("not %s=%s, which is no key or stands everywhere", (name, value) => {
    expect(knownSecrets({ [name]: value })).toEqual([]);
  });

  it("a key that begins with a slash, as one of 64 does in base64", () => {
    const keys = Array.from({ length: 300 }, (_, at) => {
      return `/${drawer(at)(39, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}`;
    });
    const known = keys.flatMap((value) => knownSecrets({ AWS_SECRET_ACCESS_KEY: value }));
    expect(known.map(({ value }) => value)).toEqual(keys);
  });

  it("a password of letters alone, when it is no everyday word", () => {
    const value = "correcthorsebattery";
    expect(knownSecrets({ DB_PASSWORD: value })).toEqual([{ name: "DB_PASSWORD", value }]);
  });

  it.each([
    "/run/secrets/db_password",
    "/home/ada/.config/gcloud/Key2.json",
    "/data/keys/token",
    "/srv7/Creds/aB3.pem",
    "~/.ssh/id_ed25519",
    "../keys/a1",
    "/tmp/x1Yz/agent.123",
  ])("not %s, which is a path", (value) => {
    expect(knownSecrets({ MY_TOKEN: value, SIGNING_KEY: value, X_PWD: value })).toEqual([]);
  });

  it("nothing in ordinary environments", () => {
    const env = {
      ...{ PWD: "/work/app-2/src", OLDPWD: "/Work2/App3", PATH: "/usr/local/bin:/usr/bin:/bin" },
      ...{ SSH_AUTH_SOCK: "/tmp/ssh-XXaB3dE9/agent.4242", HOME: "/home/ada", SHLVL: "1" },
      ...{
        XDG_RUNTIME_DIR: "/run/user/1000",
        XDG_SESSION_ID: "c2",
        XDG_DATA_DIRS: "/usr/share:/x1",
      },
      ...{
        KEYBOARD_LAYOUT: "de-latin1-nodeadkeys",
        XKB_DEFAULT_LAYOUT: "us1234567",
        LESSKEY: "/x/l3ss",
      },
      ...{ DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/1000/bus", DISPLAY: "localhost:10.0" },
      ...{
        NODE_OPTIONS: "--max-old-space-size=4096",
        NODE_COMPAT: "v24-strict-mode",
        EDITOR: "vim",
      },
      ...{ GITHUB_EVENT_PATH: "/home/runner/work/_temp/event7.json", GITHUB_SHA: drawer(1)(40) },
      ...{ INIT_CWD: "/work/app-2", npm_config_user_agent: "npm/11.6.0 node/v24.11.0 linux x64" },
      ...{ SORT_KEY: "created_at", CACHE_KEY: "linux-node-modules", SSH_PUBLIC_KEY: drawer(2)(40) },
      ...{
        HOSTNAME: "build-7f9c4d8b6-x2x5z",
        LS_COLORS: "rs=0:di=01;34:ln=01;36",
        TERM: "xterm-256color",
      },
    };
    expect(knownSecrets(env)).toEqual([]);
  });

  it("whatever a person declares, unless it is too short to be told from other text", () => {
    const env = { PLAIN: "postgres", PIN: "1234", GONE: undefined };
    const declared = ["PLAIN", "PIN", "GONE"];
    expect(knownSecrets(env, declared)).toEqual([{ name: "PLAIN", value: "postgres" }]);
    expect(tooShort(env, declared)).toEqual(["PIN"]);
    expect(withoutSecrets(env, declared)).toEqual({});
  });

  it("the password in an address", () => {
    const value = `postgres://ada:${key}@db/app`;
    expect(knownSecrets({ DATABASE_URL: value })).toEqual([{ name: "DATABASE_URL", value: key }]);
    expect(withoutSecrets({ DATABASE_URL: value })).toEqual({});
  });
});
