/** The values that are known to be secret: in variables named so, and in those a person declared. */

/** A value to be kept back, and what stands in its place: `[secret NAME]`. */
export interface KnownSecret {
  name: string;
  value: string;
}

type Variables = { readonly [name: string]: string | undefined };

/** Shorter values could not be told from other text. */
export const SECRET_CHARS_MIN = 8;

const SECRET_NAME =
  /(?:API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|ENCRYPTION_?KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|_PWD|_PAT)$/i;
/** Columns and caches have keys as well, which are words: here one that is secret holds a digit. */
const KEY_NAME = /(?<!PUBLIC)_KEY$/i;
const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:([^\s@]+)@/i;

/** True for a variable whose name says that it holds a key: `OPENAI_API_KEY`, `GH_TOKEN`. */
function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) || KEY_NAME.test(name);
}

/**
 * What is secret in an environment. A variable in `declared` is in any case, as long as its value is
 * not too short; one that is only named like a key must hold what could be one.
 */
export function knownSecrets(
  variables: Variables,
  declared: readonly string[] = [],
): KnownSecret[] {
  const known: KnownSecret[] = [];
  const names = new Set([...declared, ...Object.keys(variables)]);
  for (const name of names) {
    const value = variables[name]?.trim() ?? "";
    if (value.length < SECRET_CHARS_MIN) continue;
    if (declared.includes(name) || isNamedKey(name, value)) {
      known.push({ name, value });
    }
    const password = URL_PASSWORD.exec(value)?.[1];
    if (password !== undefined && password.length >= SECRET_CHARS_MIN && couldBeKey(password)) {
      known.push({ name, value: password });
    }
  }
  return known;
}

/** Declared variables whose value is there and too short to be looked for. */
export function tooShort(variables: Variables, declared: readonly string[]): string[] {
  return declared.filter((name) => {
    const length = variables[name]?.trim().length ?? 0;
    return length > 0 && length < SECRET_CHARS_MIN;
  });
}

/** The variables without those that hold a secret: for programs that need none. */
export function withoutSecrets<T extends Variables>(
  variables: T,
  declared: readonly string[] = [],
): Record<string, string> {
  const secret = new Set(knownSecrets(variables, declared).map(({ name }) => name));
  const kept = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined || isSecretName(name) || secret.has(name) || declared.includes(name)
      ? []
      : [[name, value] as const],
  );
  return Object.fromEntries(kept);
}

function isNamedKey(name: string, value: string): boolean {
  return isSecretName(name) && couldBeKey(value) && (SECRET_NAME.test(name) || /\d/.test(value));
}

/** Longer words than this hardly stand in other text: letters alone are a password then. */
const WORD_CHARS_MAX = 11;

/** A path, a switch, a number or a plain word in such a variable is no key, and stands everywhere. */
function couldBeKey(value: string): boolean {
  if (/^[\d.]{1,12}$/.test(value) || isPath(value)) return false;
  return value.length > WORD_CHARS_MAX || !/^(?:[a-z]+|[A-Z]+)$/.test(value);
}

/** True for what begins where files are kept, ends like a file or is made of words: base64 may begin with `/`, too. */
function isPath(value: string): boolean {
  return (
    /^(?:~|\.{1,2})\/|^\/(?:etc|home|mnt|nix|opt|private|root|run|srv|tmp|usr|Users|var)\//.test(
      value,
    ) ||
    /^\/[^:@=+]*\w\.[a-z]{2,7}\d?$/i.test(value) ||
    /^(?:\/[.a-z][a-z_.-]{0,24}\d{0,3}){2,}\/?$/.test(value)
  );
}
