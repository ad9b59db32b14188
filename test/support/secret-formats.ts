/** Made-up secrets of every kind that is looked for: put together here, so that no file holds one. */
export interface SecretFormat {
  /** The kind of key, or how a known value is written. */
  name: string;
  /** As it would stand in a text. */
  written: string;
  /** The part of it that must not be seen anywhere. */
  secret: string;
}

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGITS = "0123456789";
const ALNUM = LOWER + UPPER + DIGITS;
const HEX = `${DIGITS}abcdef`;
const URL_SAFE = `${ALNUM}_-`;
const BASE64 = `${ALNUM}+/`;

/** Letters drawn by a seed (mulberry32). */
export function drawer(seed: number): (count: number, letters?: string) => string {
  let state = seed;
  const chance = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return (count, letters = ALNUM) =>
    Array.from({ length: count }, () => letters[Math.floor(chance() * letters.length)]).join("");
}

/** A key of each service, as its documents describe it, and keys that only their place tells. */
export function keyFormats(seed: number): SecretFormat[] {
  const some = drawer(seed);
  const keys: [string, string][] = [
    ["anthropic-key", `sk-ant-api03-${some(93, URL_SAFE)}AA`],
    ["openrouter-key", `sk-or-v1-${some(64, HEX)}`],
    ["openai-key", `sk-proj-${some(58, URL_SAFE)}T3BlbkFJ${some(58)}`],
    ["openai-key", `sk-${some(20)}T3BlbkFJ${some(20)}`],
    ["huggingface-token", `hf_${some(34, LOWER + UPPER)}`],
    ["groq-key", `gsk_${some(52)}`],
    ["xai-key", `xai-${some(80)}`],
    ["replicate-token", `r8_${some(37)}`],
    ["perplexity-key", `pplx-${some(48)}`],
    ["github-token", `ghp_${some(36)}`],
    ["github-token", `ghs_${some(36)}`],
    ["github-token", `github_pat_${some(22)}_${some(59)}`],
    ["gitlab-token", `glpat-${some(20, URL_SAFE)}`],
    ["npm-token", `npm_${some(36)}`],
    ["pypi-token", `pypi-AgEIcHlwaS5vcmc${some(80, URL_SAFE)}`],
    ["rubygems-key", `rubygems_${some(48, HEX)}`],
    ["docker-token", `dckr_pat_${some(27, URL_SAFE)}`],
    ["aws-key-id", `AKIA${some(16, `${UPPER}234567`)}`],
    ["google-key", `AIza${some(35, URL_SAFE)}`],
    ["google-oauth-secret", `GOCSPX-${some(28, URL_SAFE)}`],
    ["google-oauth-token", `ya29.${some(120, URL_SAFE)}`],
    ["digitalocean-token", `dop_v1_${some(64, HEX)}`],
    ["cloudflare-token", `cfut_${some(40)}${some(8, HEX)}`],
    ["vercel-token", `vcp_${some(56)}`],
    ["netlify-token", `nfp_${some(36)}`],
    ["supabase-token", `sbp_${some(40, HEX)}`],
    ["databricks-token", `dapi${some(32, HEX)}`],
    ["vault-token", `hvs.${some(96, URL_SAFE)}`],
    ["doppler-token", `dp.pt.${some(43)}`],
    ["1password-token", `ops_eyJ${some(260)}`],
    ["tailscale-key", `tskey-auth-${some(16)}-${some(32)}`],
    ["stripe-key", `sk_live_${some(40)}`],
    ["stripe-webhook-secret", `whsec_${some(32)}`],
    ["square-token", `sq0atp-${some(22, URL_SAFE)}`],
    ["shopify-token", `shpat_${some(32, HEX)}`],
    ["sendgrid-key", `SG.${some(22, URL_SAFE)}.${some(43, URL_SAFE)}`],
    ["mailchimp-key", `${some(32, HEX)}-us12`],
    ["slack-token", `xoxb-${some(12, DIGITS)}-${some(13, DIGITS)}-${some(24)}`],
    ["telegram-token", `${some(9, "123456789")}:AA${some(33, URL_SAFE)}`],
    ["linear-key", `lin_api_${some(40)}`],
    ["notion-token", `ntn_${some(11, DIGITS)}${some(35)}`],
    ["figma-token", `figd_${some(40, URL_SAFE)}`],
    ["grafana-token", `glsa_${some(32)}_${some(8, HEX)}`],
    ["age-key", `AGE-SECRET-KEY-1${some(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")}`],
  ];
  const placed: [string, string, string][] = [
    ["aws-secret", `aws_secret_access_key = ${"@"}`, some(40, BASE64)],
    ["npm-token", `//registry.example.org/:_authToken=${"@"}`, some(36)],
    ["azure-storage-key", `AccountName=a;AccountKey=${"@"};`, `${some(86, BASE64)}==`],
    [
      "slack-webhook",
      `https://hooks.slack.com/services/${"@"}`,
      `T${some(9, UPPER)}/B${some(9, UPPER)}/${some(24)}`,
    ],
    [
      "discord-webhook",
      `https://discord.com/api/webhooks/${some(18, DIGITS)}/${"@"}`,
      some(68, URL_SAFE),
    ],
    ["authorization", `Authorization: Bearer ${"@"}`, `${some(30)}7`],
    [
      "url-password",
      `postgres://ada:${"@"}@db.internal:5432/app`.replace("@db", "\0db"),
      `${some(14)}7q`,
    ],
    ["private-key", "@", pem(some)],
  ];
  return [
    ...keys.map(([name, secret]) => ({ name, written: `key: ${secret} .`, secret })),
    ...placed.map(([name, around, secret]) => ({
      name,
      written: around.replace("@", () => secret).replace("\0", "@"),
      secret,
    })),
  ];
}

function pem(some: (count: number, letters?: string) => string): string {
  const kind = ["RSA", "PRIVATE", "KEY"].join(" ");
  const lines = Array.from({ length: 12 }, () => some(64, BASE64));
  return [`-----BEGIN ${kind}-----`, ...lines, `-----END ${kind}-----`].join("\n");
}

/** One value of no service's shape, as it is written down in one place or another. */
export function spelledFormats(value: string): SecretFormat[] {
  const bytes = Buffer.from(value);
  const around = (text: string) => Buffer.from(text).toString("base64");
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const half = Math.ceil(value.length / 2);
  return Object.entries({
    plain: value,
    "in JSON": JSON.stringify(value).slice(1, -1),
    "in JSON in JSON": JSON.stringify(JSON.stringify(value)).slice(3, -3),
    base64: around(value),
    "base64 of user:value": around(`u:${value}`),
    "base64 of value in a longer text": around(`user:${value}:more`),
    base64url: bytes.toString("base64url"),
    hex: bytes.toString("hex"),
    HEX: bytes.toString("hex").toUpperCase(),
    "URL-encoded": encodeURIComponent(value),
    "URL-encoded, small letters": encodeURIComponent(value).replace(/%../g, (code) =>
      code.toLowerCase(),
    ),
    "percent-encoded": percent,
    "in HTML": value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;"),
    reversed: [...value].reverse().join(""),
    "its first half": value.slice(0, half),
    "its second half": value.slice(-half),
  }).map(([name, written]) => ({ name, written, secret: written }));
}
