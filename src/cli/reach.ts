/** What a run may reach outside the sandbox: what the user's settings allow, and how it is reached. */
import type { Packages, Web } from "../domain/ports.ts";
import type { Config } from "./config.ts";
import type { WebEntry } from "./config-schema.ts";
import type { Environment } from "./output.ts";
import { scrubbedPackages, scrubbedWeb } from "./scrubbed.ts";
import type { Secrets } from "./secrets.ts";
import { machine } from "./wire.ts";

/** What is allowed, in the words in which tasks declare their needs. */
export function allowsOf({ web, install }: Config): string[] {
  return [
    ...(install === undefined ? [] : ["install"]),
    ...(web?.search === undefined ? [] : ["search"]),
    ...(web?.hosts ?? []).map((host) => `web:${host}`),
  ].sort();
}

/** The ways out that are allowed. */
export function openReach(
  env: Environment,
  config: Config,
  secrets: Secrets,
): { web?: Web; packages?: Packages } {
  const { install: from, registries = [machine.usualRegistry] } = config;
  return {
    ...(from === undefined
      ? {}
      : {
          packages: scrubbedPackages(machine.openPackages({ from, registries }, { env }), secrets),
        }),
    ...(config.web === undefined ? {} : { web: openWeb(env, config.web, secrets) }),
  };
}

/** The key of a search never leaves this process but to it. */
function openWeb(env: Environment, web: WebEntry, secrets: Secrets): Web {
  const { hosts = [], search } = web;
  if (search === undefined) return scrubbedWeb(machine.openWeb({ hosts }), secrets);
  if (search.key_env !== undefined) secrets.declare([search.key_env]);
  const key = search.key_env === undefined ? undefined : env[search.key_env];
  const name = search.key_header ?? "authorization";
  const value = search.key_header === undefined ? `Bearer ${key}` : (key ?? "");
  const header = key === undefined || key === "" ? {} : { header: { name, value } };
  return scrubbedWeb(machine.openWeb({ hosts, search: { url: search.url, ...header } }), secrets);
}
