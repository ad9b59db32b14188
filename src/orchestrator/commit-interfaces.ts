/** Commits what children share before they run: stubs of interfaces, and the oracle of examples. */
import { type Failure, isFailure } from "../domain/failure.ts";
import type { FileWrite } from "../domain/ports.ts";
import type { TaskState } from "../domain/run-state.ts";
import { leafChecks } from "../rules/check/gates.ts";
import { isOutdated } from "../rules/status.ts";
import { checkTree } from "./check-tree.ts";
import type { Lease } from "./lease.ts";
import type { World } from "./world.ts";

/**
 * Commits stubs and oracle onto the run's branch, so that siblings build against them. Files that
 * are there already with these words make no commit: doing it twice changes nothing. Stubs that
 * would turn a green `leaf` check red are left out, and that is noted.
 */
export function commitInterfaces(
  world: World,
  lease: Lease,
  task: TaskState,
  files: FileWrite[],
  stubFiles: readonly string[],
  signal: AbortSignal,
): Promise<{ commit?: string; notes: string[] } | Failure> {
  return world.integration(async () => {
    const { repository, spec } = world;
    const head = await repository.head();
    const headTree = await repository.treeOf(head);
    const missing: FileWrite[] = [];
    for (const file of files) {
      const isStub = stubFiles.includes(file.path);
      const there = await repository.readFile(head, file.path);
      // A stub never replaces a file; an oracle of ours may be completed by a later plan.
      if (there === undefined || (!isStub && there !== file.text)) missing.push(file);
    }
    const commitOf = async (written: FileWrite[]) => {
      if (written.length === 0) return undefined;
      const tree = await repository.write(head, written);
      if (tree === headTree) return undefined;
      const message = `plan: interfaces and examples of ${task.contract.title}\n\nFractal-Stub: ${task.id}\n`;
      return repository.commit(tree, [head], message);
    };
    const notes: string[] = [];
    let commit = await commitOf(missing);
    if (commit !== undefined && missing.some((file) => stubFiles.includes(file.path))) {
      const broken = await brokenLeafChecks(world, head, commit, signal);
      if (isFailure(broken)) return broken;
      if (broken.length > 0) {
        notes.push(`interfaces were not committed as stubs: they turn ${broken.join(", ")} red`);
        commit = await commitOf(missing.filter((file) => !stubFiles.includes(file.path)));
      }
    }
    if (commit === undefined) return { notes };
    if (!lease.isCurrent() || isOutdated(task)) return { failure: "cancelled", detail: "let go" };
    if (!(await repository.advance(head, commit))) {
      const detail = `the branch of run ${world.store.state.runId} was moved by somebody else; root ${spec.root}`;
      return { failure: "tracker-unavailable", detail };
    }
    return { commit, notes };
  });
}

/** The spec's leaf checks that are green on one commit and red on the next. */
async function brokenLeafChecks(
  world: World,
  before: string,
  after: string,
  signal: AbortSignal,
): Promise<string[] | Failure> {
  const checks = leafChecks(world.spec);
  const was = await checkTree(world, before, checks, { stopAtFirst: false }, signal);
  if (isFailure(was)) return was;
  const green = checks.filter((check) => was.some((one) => one.name === check.name && one.passed));
  const is = await checkTree(world, after, green, { stopAtFirst: false }, signal);
  if (isFailure(is)) return is;
  return is.filter((one) => !one.passed).map((one) => one.name);
}
