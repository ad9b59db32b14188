/** What keys of well-known services look like: only shapes that hardly anything else has. */

/** A kind of key. Only what `secret` matches is taken out; `before` must stand in front and stays. */
export interface SecretPattern {
  name: string;
  /** Source of a regular expression without capturing groups. */
  secret: string;
  before?: string;
  /** Also in the middle of a word; the others begin one. */
  inWord?: true;
}

/** Around a value in files of settings and headers, also where the file stands inside JSON. */
const SET = String.raw`\\{0,3}["']?[ \t]{0,8}[=:][ \t]{0,8}\\{0,3}["']?`;
const BASE64 = "A-Za-z0-9+/";
const WORD = "A-Za-z0-9_-";

/**
 * After the providers' own documents and the public rules of gitleaks and secretlint, without their
 * guesses (`password = …`, long random words): what is taken out here never reaches a model or a
 * file, so it must not be ordinary text.
 */
export const SECRET_PATTERNS: readonly SecretPattern[] = [
  // Models
  { name: "anthropic-key", secret: `sk-ant-[a-z]{2,10}\\d{2}-[${WORD}]{32,}` },
  { name: "openrouter-key", secret: "sk-or-v1-[0-9a-f]{64}" },
  { name: "openai-key", secret: `sk-(?:proj|svcacct|admin)-[${WORD}]{40,}` },
  { name: "openai-key", secret: "sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}" },
  { name: "huggingface-token", secret: "hf_[A-Za-z]{34}" },
  { name: "groq-key", secret: "gsk_[A-Za-z0-9]{52}" },
  { name: "xai-key", secret: "xai-[A-Za-z0-9]{80}" },
  { name: "replicate-token", secret: "r8_[A-Za-z0-9]{37}" },
  { name: "perplexity-key", secret: "pplx-[A-Za-z0-9]{48}" },
  // Code and packages
  { name: "github-token", secret: "gh[pousr]_[A-Za-z0-9]{36,}" },
  { name: "github-token", secret: "github_pat_[A-Za-z0-9_]{82}" },
  { name: "gitlab-token", secret: `gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[${WORD}]{20,}` },
  { name: "npm-token", secret: "npm_[A-Za-z0-9]{36}" },
  { name: "npm-token", before: "_auth(?:Token)?[ \\t]*=[ \\t]*", secret: `[.+/=${WORD}]{16,}` },
  { name: "pypi-token", secret: `pypi-AgE[${WORD}]{60,}` },
  { name: "rubygems-key", secret: "rubygems_[0-9a-f]{48}" },
  { name: "docker-token", secret: `dckr_(?:pat|oat)_[${WORD}]{27,}` },
  // Clouds
  { name: "aws-key-id", secret: "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])" },
  {
    name: "aws-secret",
    before: `[Aa][Ww][Ss]_?[Ss][Ee][Cc][Rr][Ee][Tt]_?[Aa][Cc][Cc][Ee][Ss][Ss]_?[Kk][Ee][Yy]${SET}`,
    secret: `[${BASE64}]{40}(?![${BASE64}=])`,
  },
  { name: "google-key", secret: `AIza[${WORD}]{35}` },
  { name: "google-oauth-secret", secret: `GOCSPX-[${WORD}]{28}` },
  { name: "google-oauth-token", secret: `ya29\\.[${WORD}]{40,}` },
  { name: "azure-storage-key", before: "AccountKey=", secret: `[${BASE64}]{86}==` },
  { name: "digitalocean-token", secret: "do[opr]_v1_[0-9a-f]{64}" },
  { name: "cloudflare-token", secret: "cf(?:k|ut|at)_[A-Za-z0-9]{40}[0-9a-f]{8}" },
  { name: "vercel-token", secret: "vc[piark]_[A-Za-z0-9]{24,60}" },
  { name: "netlify-token", secret: "nf[pcoub]_[A-Za-z0-9]{36}" },
  { name: "supabase-token", secret: "sbp_[0-9a-f]{40}" },
  { name: "databricks-token", secret: "dapi[0-9a-f]{32}" },
  { name: "vault-token", secret: `hv[sbr]\\.[${WORD}]{90,}` },
  { name: "doppler-token", secret: "dp\\.(?:pt|st|sa|ct)\\.[A-Za-z0-9._-]{40,}" },
  { name: "1password-token", secret: `ops_ey[${BASE64}=]{100,}` },
  { name: "tailscale-key", secret: "tskey-[a-z]{2,20}-[0-9A-Za-z]{8,40}-[0-9A-Za-z]{16,60}" },
  // Payments, mail, chat, tools
  { name: "stripe-key", secret: "(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{24,}" },
  { name: "stripe-webhook-secret", secret: `whsec_[${BASE64}]{32,}` },
  { name: "square-token", secret: `sq0(?:atp-[${WORD}]{22}|csp-[${WORD}]{43})` },
  { name: "shopify-token", secret: "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}" },
  { name: "sendgrid-key", secret: `SG\\.[${WORD}]{22}\\.[${WORD}]{43}` },
  { name: "mailchimp-key", secret: "[0-9a-f]{32}-us\\d{1,2}(?![A-Za-z0-9])" },
  {
    name: "slack-token",
    secret: "(?:xox[abeoprs]|xapp)-(?:\\d-)?[A-Za-z0-9]{8,}-[A-Za-z0-9-]{16,}",
  },
  {
    name: "slack-webhook",
    before: "hooks\\.slack\\.com/(?:services|workflows)/",
    secret: "T[A-Z0-9]{8,}/[A-Z0-9]{8,}/[A-Za-z0-9/]{16,}",
  },
  {
    name: "discord-webhook",
    before: "discord(?:app)?\\.com/api/webhooks/\\d{17,20}/",
    secret: `[${WORD}]{60,}`,
  },
  { name: "telegram-token", secret: `\\d{8,10}:AA[${WORD}]{33}` },
  { name: "linear-key", secret: "lin_api_[A-Za-z0-9]{40}" },
  { name: "notion-token", secret: "ntn_\\d{11}[A-Za-z0-9]{35}" },
  { name: "figma-token", secret: `figd_[${WORD}]{40,}` },
  { name: "grafana-token", secret: "glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}" },
  { name: "grafana-token", secret: `glc_eyJ[${BASE64}]{60,}={0,2}` },
  // Keys and headers of any service
  {
    name: "private-key",
    inWord: true,
    // The headers of an older key, the line ends of a key inside a string; never a quote.
    secret: String.raw`-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s\\,:.]|-(?!-)){64,20000}-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----`,
  },
  { name: "age-key", secret: "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}" },
  {
    name: "authorization",
    before: `[Aa]uthorization${SET}(?:Bearer|Basic|[Tt]oken)[ \\t]+`,
    secret: `(?=[A-Za-z._~+/=-]*\\d)[A-Za-z0-9._~+/=-]{20,}`,
  },
  {
    name: "url-password",
    inWord: true,
    // Short, wordy and local ones stand in every example.
    before: String.raw`:\/\/[^\s:/?#\[\]@"'<>{}$]{1,80}:`,
    secret: String.raw`(?=[^\s@]{0,80}\d)(?=[^\s@]{0,80}[A-Za-z])[^\s:/@"'<>{}$\\]{12,100}(?=@(?!localhost|127\.|example\.|\[::1\])[A-Za-z0-9])`,
  },
];

/** True for a key out of a document, which is none: one of few letters, or that says it is an example. */
export function isPlaceholder(secret: string): boolean {
  return (
    /EXAMPLE|x{5}|\*{4}|0{7}|1234567|abcdefg|your[-_]|\.{3}/i.test(secret) ||
    new Set(secret).size < 7
  );
}
