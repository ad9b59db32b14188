/** Before it is merged: a change of configuration, lock files or CI needs a person's yes, once. */
import type { Failure } from "../domain/failure.ts";
import type { Repository } from "../domain/ports.ts";
import { MANIFEST_PATHS } from "../rules/check/manifest.ts";
import { isUnder } from "../rules/check/path-pattern.ts";
import { consentText, sensitiveChanges, type Texts } from "../rules/check/sensitive.ts";
import { nextQuestionId } from "../rules/people/cancel.ts";
import { taskOf } from "../rules/status.ts";
import type { Lease, LeaseEnd } from "./lease.ts";
import { ACTOR, type World } from "./world.ts";

/** More than a question shows. */
const DIFF_BYTES_MAX = 1_000_000;

/**
 * Undefined where nothing of the candidate is sensitive, or a person said yes to exactly this change;
 * the failure where they said no. Otherwise the question, and the attempt stays open for its answer:
 * then it comes here again, by its stored replies and for no money, with the same change.
 */
export async function askConsent(
  world: World,
  lease: Lease,
  candidate: string,
  { said, isChecked }: { said: string; isChecked: boolean },
): Promise<LeaseEnd | Failure | undefined> {
  const { repository, store } = world;
  const task = taskOf(store.state, lease.taskId);
  const changes = await repository.changes(lease.base, candidate);
  const texts = new Map<string, Texts>();
  for (const { path } of changes.filter((one) => isUnder(one.path, MANIFEST_PATHS))) {
    const before = await plainText(repository, lease.base, path);
    texts.set(path, { before, after: await plainText(repository, candidate, path) });
  }
  const sensitive = sensitiveChanges(changes, task.contract, (path) => texts.get(path));
  if (sensitive.length === 0) return undefined;
  const paths = sensitive.map(({ path }) => path);
  const {
    text: diff,
    isCut,
    id,
  } = await repository.diffOf(lease.base, candidate, paths, DIFF_BYTES_MAX);
  // What is binary, or beyond the limit, is known by what it is all the same.
  const hash = store.journal.putBlob(JSON.stringify([diff, id]));
  const consent = task.consents?.[hash];
  if (consent?.yes === true) return undefined;
  if (consent !== undefined) {
    const detail = `${consent.by} said no to changing ${paths.join(", ")}: ${consent.text}`;
    return { failure: "out-of-scope", detail, paths };
  }
  const text = consentText({
    title: task.contract.title,
    paths,
    diff,
    isCut,
    command: task.contract.kind === "command" ? task.contract.command : undefined,
    said,
    isChecked,
    look: `git diff ${lease.base} ${candidate}`,
  });
  return {
    events: [
      {
        task_id: task.id,
        actor: ACTOR,
        event_type: "question.opened",
        question: nextQuestionId(store.state, task),
        kind: "consent",
        ...text,
        tried: "",
        blocks: [task.id],
        attempt: lease.attempt,
        diff: hash,
        work: { commit: candidate, said },
      },
    ],
    left: "consent",
  };
}

/** What a file holds itself: a link holds what may change without it, and is no text. */
async function plainText(
  repository: Repository,
  treeish: string,
  path: string,
): Promise<string | undefined> {
  const text = await repository.readFile(treeish, path);
  return text === (await repository.readLegible(treeish, path)) ? text : undefined;
}
