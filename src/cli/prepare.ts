/** What a run needs of the machine, found in order, each with its own refusal. */
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { ROLES, type Role } from "../domain/conversation.ts";
import { type Failure, isFailure } from "../domain/failure.ts";
import type { Human, Sandbox, Tracker } from "../domain/ports.ts";
import type { ModelProfile } from "../domain/profile.ts";
import { parsePrompt } from "../rules/text/prompt.ts";
import type { Config } from "./config.ts";
import type { Context } from "./context.ts";
import { EXIT, type Refusal, refusalOf, refuse } from "./exit.ts";
import { type ModelSetting, type RoleModels, refuseMissingKeys } from "./models.ts";
import type { Environment } from "./output.ts";
import { PACKAGE, readVersion } from "./package-folder.ts";
import { refuseFolder } from "./refuse-folder.ts";
import { scrubbedModel, scrubbedTracker } from "./scrubbed.ts";
import type { Secrets } from "./secrets.ts";
import { machine } from "./wire.ts";

/** A repository a run can work in. */
export interface Place {
  /** The top folder of the checkout. */
  top: string;
  gitCommonDir: string;
  /** The commit to base on; empty on an unborn branch. */
  head: string;
  uncommitted: string[];
}

/** Finds the repository around `dir`; where there is none it is made, if the person says so. */
export async function findPlace(context: Context, human: Human): Promise<Place | Refusal> {
  const { dir } = context;
  let found = await machine.surveyFolder(dir);
  const refused = refuseFolder(dir, found);
  if (refused !== undefined) return refused;
  if (found.repository === undefined) {
    const question = `${dir} is not a git repository. Make it one with git init?`;
    const yes = context.yes || (await human.confirm(question, context.signal)) === true;
    if (!yes) {
      return refuse(EXIT.usage, `${dir} is not a git repository`, {
        next: [`git init ${dir}`, "or give -y, and fractal does it"],
      });
    }
    await machine.initRepository(dir);
    found = await machine.surveyFolder(dir);
  }
  const { repository } = found;
  if (repository?.top === undefined) throw new Error(`git init made no repository in ${dir}`);
  if (repository.nameTaken) {
    return refuse(EXIT.usage, "a branch named `fractal` keeps fractal/<run>/main from being made", {
      next: ["git branch -m fractal another-name"],
    });
  }
  const { top, commonDir, head = "", uncommitted } = repository;
  return { top, gitCommonDir: commonDir, head, uncommitted };
}

/**
 * The tracker over bd; an older database is upgraded first when the person agrees. A missing one is
 * made only for a new run: the issues of an older run were in the one that is gone.
 */
export function openTracker(
  context: Context,
  human: Human,
  top: string,
  actor: string,
  mayCreate: boolean,
): Promise<Tracker | Refusal> {
  return trackerOver(context, top, actor, mayCreate, async (detail) => {
    return (await human.confirm(`${detail}\nUpgrade it?`, context.signal)) === true;
  });
}

/** The tracker over a database that is there and of our schema. */
export function findBeads(
  process: { env: Environment; secrets: Secrets },
  top: string,
  actor: string,
): Promise<Tracker | Refusal> {
  return trackerOver(process, top, actor, false, async () => false);
}

async function trackerOver(
  { env, secrets }: { env: Environment; secrets: Secrets },
  top: string,
  actor: string,
  mayCreate: boolean,
  mayUpgrade: (detail: string) => Promise<boolean>,
): Promise<Tracker | Refusal> {
  const bd = await machine.findBd({ env, packageDir: PACKAGE });
  if (isFailure(bd)) return refusalOf(bd);
  const order = { bd: bd.path, repository: top, cacheDir: cacheFolder(env), mayCreate };
  let found = await machine.prepareBeads({ ...order, mayUpgrade: false });
  if (!isFailure(found) && found.state === "older-schema" && (await mayUpgrade(found.detail))) {
    found = await machine.prepareBeads({ ...order, mayUpgrade: true });
  }
  if (isFailure(found)) return refusalOf(found);
  if (found.state === "older-schema") {
    return refuse(EXIT.usage, found.detail, {
      next: ["run fractal at a terminal and agree, or upgrade it yourself: bd migrate schema"],
    });
  }
  const { beadsDir, prefix } = found;
  const tracker = machine.beadsTracker({ bd: bd.path, beadsDir, actor, prefix, cwd: top });
  return scrubbedTracker(tracker, secrets);
}

/** Where fractal keeps what is dear to make: `$XDG_CACHE_HOME/fractal`. */
export function cacheFolder(env: Environment): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "fractal");
}

/** A sandbox, the paths in its workspaces that are shown from the checkout, and its end. */
export type OpenSandbox = Sandbox & { readonly mounts: string[]; close(): Promise<void> };

/** The sandbox; nothing is trusted to it before it held every probe, once after each start of the machine. */
export async function openSandbox(
  o: {
    top: string;
    root: string;
    runId: string;
    mounts: string[];
    noSandbox: boolean;
    required: boolean;
  },
  signal: AbortSignal,
): Promise<OpenSandbox | Refusal> {
  if (o.noSandbox && o.required) {
    return refuse(EXIT.usage, "the configuration demands the sandbox (`sandbox: required`)");
  }
  const sandbox = await machine.createSandbox({
    mode: o.noSandbox ? "unconfined" : "contained",
    checkout: o.top,
    root: o.root,
    runId: o.runId,
    mountNames: o.mounts.filter((path) => !path.startsWith("/")),
    toolFolders: o.mounts.filter((path) => path.startsWith("/")),
  });
  if (isFailure(sandbox)) return refusalOf(sandbox);
  const failure = await machine.proveSandbox(
    sandbox,
    { checkout: o.top, version: readVersion() },
    signal,
  );
  return failure === undefined ? sandbox : refusalOf(failure);
}

/** What is the same for every model of a run. */
interface ModelOptions {
  /** Keeps every answer in this folder. */
  record?: string;
  /** A recording of another question fails. */
  strict: boolean;
  callTimeoutMs: number;
}

/** The model of each role, ready to be asked. */
export async function openProfiles(
  env: Environment,
  secrets: Secrets,
  models: RoleModels,
  o: ModelOptions,
): Promise<Record<Role, ModelProfile> | Refusal> {
  const missing = refuseMissingKeys(models, env);
  if (missing !== undefined) return missing;
  const opened = new Map<string, ModelProfile>();
  const profiles: Partial<Record<Role, ModelProfile>> = {};
  for (const role of ROLES) {
    const setting = models[role];
    const key = JSON.stringify(setting);
    const profile = opened.get(key) ?? (await openProfile(env, secrets, setting, o));
    if (isFailure(profile)) return refusalOf(profile);
    opened.set(key, profile);
    profiles[role] = profile;
  }
  return profiles as Record<Role, ModelProfile>;
}

async function openProfile(
  env: Environment,
  secrets: Secrets,
  setting: ModelSetting,
  o: ModelOptions,
): Promise<ModelProfile | Failure> {
  const options = {
    env,
    strict: o.strict,
    limits: { timeoutMs: o.callTimeoutMs },
    ...(setting.baseUrl === undefined ? {} : { baseUrl: setting.baseUrl }),
  };
  const opened = await machine.openModel(setting.name, options);
  if (isFailure(opened)) return opened;
  const model = scrubbedModel(opened, secrets);
  const facts = machine.modelDefaults(setting.name, options);
  if ("failure" in facts) return facts;
  const temperature = setting.temperature ?? facts.temperature;
  return {
    model:
      o.record === undefined
        ? model
        : // Once more around it: a recording says what was asked, and that is what was sent.
          scrubbedModel(
            machine.recordingModel(model, o.record, {
              today,
              promptVersions: await versionsOfPrompts(),
            }),
            secrets,
          ),
    protocol: setting.protocol ?? facts.protocol,
    style: setting.style ?? facts.style,
    planning: setting.planning ?? facts.planning,
    contextTokens: setting.contextTokens ?? facts.contextTokens,
    outputTokensMax: setting.outputTokensMax ?? facts.outputTokensMax,
    ...(temperature === undefined ? {} : { temperature }),
    price: setting.price ?? facts.price,
  };
}

/** The day, as recordings are dated. */
function today(): string {
  return new Date(machine.systemClock.now()).toISOString().slice(0, 10);
}

/** The text of every role's prompt. */
export async function promptTexts(): Promise<Record<Role, string>> {
  const prompts = await machine.readPrompts();
  return Object.fromEntries(ROLES.map((role) => [role, prompts[role].text])) as Record<
    Role,
    string
  >;
}

async function versionsOfPrompts(): Promise<Partial<Record<Role, string>>> {
  const texts = await promptTexts();
  return Object.fromEntries(ROLES.map((role) => [role, parsePrompt(texts[role]).version]));
}

/** Unique to this process, and readable: `host/pid/nonce`. */
export function processName(nonce: string): string {
  return `${hostname().slice(0, 40)}/${process.pid}/${nonce}`;
}

/** Mounts of the configuration and the specification, each once. */
export function mountsOf(config: Config, specMounts: readonly string[]): string[] {
  return [...new Set([...config.mounts, ...specMounts])];
}
