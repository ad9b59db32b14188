/** The only place that knows which adapters are in use. */
import { findBd } from "../adapters/beads/binary.ts";
import { awaitOrphans } from "../adapters/beads/orphans.ts";
import { beadsTracker, readBeads } from "../adapters/beads/tracker.ts";
import { prepareBeads } from "../adapters/beads/workspace.ts";
import { steadyClock, systemClock } from "../adapters/clock.ts";
import { isWithin, readCheckout } from "../adapters/git/checkout.ts";
import { draftRepository } from "../adapters/git/draft.ts";
import { GitLocked } from "../adapters/git/git-error.ts";
import { bytesOnlyIn, elsewhere, listKept, removeRefs } from "../adapters/git/kept.ts";
import { openRepository } from "../adapters/git/repository.ts";
import { readRunBranch } from "../adapters/git/run-branch.ts";
import { initRepository, surveyFolder } from "../adapters/git/survey.ts";
import { mergeIntoCheckout, recoverMerge } from "../adapters/git/user-merge.ts";
import { terminalHuman } from "../adapters/human/terminal.ts";
import { openIndex } from "../adapters/index/index-db.ts";
import { leaveBeside, readBeside, removeBeside } from "../adapters/journal/beside.ts";
import { inspectBlobs, inspectJournal } from "../adapters/journal/inspect.ts";
import { openJournal, readJournal, readRunBlob } from "../adapters/journal/jsonl.ts";
import { memoryJournal } from "../adapters/journal/memory.ts";
import { folderBytes, removeJournal } from "../adapters/journal/remove.ts";
import { isLockHeld, takeLock, takeMergeLock } from "../adapters/lock.ts";
import { modelDefaults, openModel } from "../adapters/models/catalog.ts";
import { PRICES_DATE } from "../adapters/models/prices.ts";
import { recordingModel } from "../adapters/models/recorded.ts";
import { noTracker } from "../adapters/no-tracker.ts";
import { openPackages, USUAL_REGISTRY } from "../adapters/outside/packages.ts";
import { openWeb } from "../adapters/outside/web.ts";
import { readPrompts } from "../adapters/prompt-files.ts";
import { isCacheUsed, listCached, removeCached } from "../adapters/sandbox/cache.ts";
import { findLeftovers, removeWorkspaces } from "../adapters/sandbox/leftovers.ts";
import { proveSandbox } from "../adapters/sandbox/proof.ts";
import { cacheBase } from "../adapters/sandbox/quarters.ts";
import { createSandbox } from "../adapters/sandbox/sandbox.ts";
import { selfTest } from "../adapters/sandbox/self-test.ts";

/** Every way this program reaches the world, by name. */
export const machine = {
  awaitOrphans,
  beadsTracker,
  bytesOnlyIn,
  cacheBase,
  createSandbox,
  draftRepository,
  elsewhere,
  modelDefaults,
  findBd,
  findLeftovers,
  folderBytes,
  GitLocked,
  initRepository,
  inspectBlobs,
  inspectJournal,
  isCacheUsed,
  isLockHeld,
  isWithin,
  leaveBeside,
  listCached,
  listKept,
  memoryJournal,
  mergeIntoCheckout,
  noTracker,
  openIndex,
  openJournal,
  openModel,
  openPackages,
  openRepository,
  openWeb,
  prepareBeads,
  proveSandbox,
  pricesDate: PRICES_DATE,
  readBeads,
  readBeside,
  readCheckout,
  readJournal,
  readPrompts,
  readRunBlob,
  readRunBranch,
  recordingModel,
  recoverMerge,
  removeBeside,
  removeCached,
  removeJournal,
  removeRefs,
  removeWorkspaces,
  selfTest,
  steadyClock,
  surveyFolder,
  systemClock,
  takeLock,
  usualRegistry: USUAL_REGISTRY,
  takeMergeLock,
  terminalHuman,
};
