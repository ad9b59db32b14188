/** The environment of programs that fractal starts: by name, so that no key of the user's is in it. */

/** These variables and no others, where they are set. */
export function only(
  env: { readonly [name: string]: string | undefined },
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** What a git of the user's own needs to find its settings and its repository. */
export const GIT_VARIABLES = [
  ...["PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CEILING_DIRECTORIES"],
] as const;
