/** Gathers what a worker or fixer is given for one attempt. */
import type { AttemptStyle } from "../domain/limits.ts";
import type { Pack, PackFile } from "../domain/pack.ts";
import type { Repository } from "../domain/ports.ts";
import type { Attempt, TaskState } from "../domain/run-state.ts";
import { contextOf } from "../rules/spec/spec-slice.ts";
import { ancestorsOf, taskOf } from "../rules/status.ts";
import type { World } from "./world.ts";

/** The pack of a task for an attempt that starts from `base`. */
export async function gatherPack(
  world: World,
  taskId: string,
  base: string,
  style: AttemptStyle,
): Promise<Pack> {
  const { store, spec, repository } = world;
  const task = taskOf(store.state, taskId);
  const { contract } = task;
  const last = lastFailed(task);
  return {
    key: task.key,
    contract,
    requirements: contract.requirements.flatMap((id) => {
      const found = spec.requirements.find((requirement) => requirement.id === id);
      return found ? [{ id, text: found.text }] : [];
    }),
    context: surroundings(world, task),
    language: spec.language,
    files: await readFiles(repository, base, contract.files),
    dependencies: await dependenciesOf(world, task, base),
    packages: await packagesOf(repository, base),
    guidance: task.guidance,
    ...(last === undefined
      ? {}
      : { last: await lastOf(repository, last, contract.files, base, style) }),
    tried: triedOf(task),
  };
}

/** What was tried so far, a line an attempt, for the fixer and for people. */
export function triedOf(task: TaskState): string[] {
  return task.attempts
    .filter((attempt) => attempt.failure !== undefined)
    .map((attempt) => `attempt ${attempt.number} (${attempt.role}): ${reasonOf(attempt)}`);
}

function reasonOf(attempt: Attempt): string {
  return attempt.verdict?.reason || attempt.failure?.detail || attempt.summary;
}

/** The last failed attempt since guidance or the episode began; a cancelled one teaches nothing. */
function lastFailed(task: TaskState): Attempt | undefined {
  const last = task.attempts.filter((attempt) => attempt.endedAt !== undefined).at(-1);
  if (last?.failure === undefined || last.failure.failure === "cancelled") {
    return task.attempts.findLast(
      (attempt) => attempt.role === "worker" && attempt.failure?.failure === "check-failed",
    );
  }
  if (last.role === "worker") return last;
  return task.attempts.findLast((attempt) => attempt.role === "worker" && attempt.failure);
}

async function lastOf(
  repository: Repository,
  attempt: Attempt,
  declared: readonly string[],
  base: string,
  style: AttemptStyle,
): Promise<NonNullable<Pack["last"]>> {
  const [wrote, before, now] = await Promise.all([
    attempt.kept === undefined ? [] : readFiles(repository, attempt.kept, declared),
    readFiles(repository, attempt.base, declared),
    readFiles(repository, base, declared),
  ]);
  // Written from another state of the file, it would undo what others did there meanwhile.
  const files = wrote.filter((_, at) => before[at]?.text === now[at]?.text);
  const { failure } = attempt;
  const hunks = failure?.failure === "merge-conflict" ? failure.hunks : undefined;
  const conflict = hunks === undefined ? {} : { conflict: hunks };
  return { number: attempt.number, style, reason: reasonOf(attempt), files, ...conflict };
}

function readFiles(
  repository: Repository,
  commit: string,
  paths: readonly string[],
): Promise<PackFile[]> {
  return Promise.all(
    paths.map(async (path) => ({ path, text: await repository.readFile(commit, path) })),
  );
}

async function dependenciesOf(
  world: World,
  task: TaskState,
  base: string,
): Promise<Pack["dependencies"]> {
  const { store, repository } = world;
  const ids = new Set([task, ...ancestorsOf(store.state, task.id)].flatMap((one) => one.dependsOn));
  const packs: Pack["dependencies"] = [];
  for (const id of ids) {
    const dependency = store.state.tasks.get(id);
    if (dependency === undefined) continue;
    const { contract } = dependency;
    const declarations = contract.interfaces.map(
      (one) => `${one.file}: ${one.declaration}${one.doc ? ` // ${one.doc}` : ""}`,
    );
    const resultFile = contract.kind === "text" ? contract.files[0] : undefined;
    const result = resultFile && (await repository.readFile(base, resultFile));
    packs.push({
      key: dependency.key,
      title: contract.title,
      declarations,
      ...(result ? { result } : {}),
    });
  }
  return packs.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** What it needs of the spec besides its own requirements, and why the pieces above it exist. */
function surroundings(world: World, task: TaskState): string {
  const { spec, limits, store } = world;
  const above = ancestorsOf(store.state, task.id)
    .reverse()
    .filter((one) => one.parent !== null)
    .map((one) => `${one.contract.title}: ${one.contract.purpose}`);
  const tokensMax = Math.floor(limits.packTokensMax / 4);
  return [contextOf(spec, task.contract.requirements, tokensMax), ...above].join("\n\n");
}

async function packagesOf(repository: Repository, base: string): Promise<string[]> {
  const text = await repository.readFile(base, "package.json");
  if (text === undefined) return [];
  try {
    const json = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
    const names = [json["dependencies"], json["devDependencies"]].flatMap((one) =>
      Object.keys(one ?? {}),
    );
    return [...new Set(names)].sort();
  } catch {
    // Somebody else's broken package.json is not this task's trouble.
    return [];
  }
}
