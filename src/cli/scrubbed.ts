/** The ports through which anything leaves or is kept, with secrets taken out on the way. */
import { isFailure } from "../domain/failure.ts";
import type {
  Journal,
  LockedPackage,
  Model,
  Packages,
  Repository,
  Sandbox,
  Tracker,
  Web,
} from "../domain/ports.ts";
import type { Store } from "../orchestrator/store.ts";
import { type ChangedText, judgeSecrets } from "../rules/secrets/work.ts";
import type { Secrets } from "./secrets.ts";

/** Lines and blobs. A hash is that of what is stored. */
export function scrubbedJournal(journal: Journal, { scrub, scrubbed }: Secrets): Journal {
  return {
    ...journal,
    append: (events, at) => journal.append(scrubbed(events), at),
    putBlob: (text) => journal.putBlob(scrub(text)),
  };
}

/** The state is made of what the journal holds: a replay of it must come to the same. */
export function scrubbedStore(store: Store, { scrubbed }: Secrets): Store {
  return { ...store, record: (events) => store.record(scrubbed(events)) };
}

/**
 * What a model is asked, and what it answers: scrubbed before anybody acts on it, so that a stored
 * answer that is played again leads to the same.
 */
export function scrubbedModel(model: Model, secrets: Secrets): Model {
  return {
    ...model,
    ask: async (request, signal) =>
      asStored(await model.ask(asStored(request, secrets), signal), secrets),
  };
}

/** As it comes back out of a blob: in JSON a name and its value are one text, and may tell a key. Scrubbed, it is JSON still. */
function asStored<T>(value: T, { scrub, scrubbed }: Secrets): T {
  const inside = scrubbed(value);
  const json = JSON.stringify(inside);
  const kept = scrub(json);
  return kept === json ? inside : (JSON.parse(kept) as T);
}

/** What is written to issues; and what is read there, or a person's text would differ from ours for ever. */
export function scrubbedTracker(tracker: Tracker, { scrub, scrubbed }: Secrets): Tracker {
  return {
    ...tracker,
    read: async () => scrubbed(await tracker.read()),
    create: async (tasks) => scrubbed(await tracker.create(scrubbed(tasks))),
    mirror: async (lines, more = () => []) =>
      scrubbed(await tracker.mirror(scrubbed(lines), () => scrubbed(more()))),
    overwritten: async (lines) => scrubbed(await tracker.overwritten(scrubbed(lines))),
    comment: async (id, text) => scrubbed(await tracker.comment(id, scrub(text))),
    comments: async (id) => scrubbed(await tracker.comments(id)),
    respond: async (id, text) => scrubbed(await tracker.respond(id, scrub(text))),
    request: async (id, request, status) =>
      scrubbed(await tracker.request(id, scrubbed(request), status)),
  };
}

/** What commands print, before anything is cut out of it: half a secret is not found any more. */
export function scrubbedSandbox<T extends Sandbox>(sandbox: T, { scrubbed }: Secrets): T {
  return {
    ...sandbox,
    run: async (command, signal) => scrubbed(await sandbox.run(command, signal)),
    tool: async (call, signal) => scrubbed(await sandbox.tool(call, signal)),
  };
}

/**
 * Messages of commits, and diffs that are shown. Files are left as they are: work that brings a
 * secret along is refused where it would enter, before a commit or a ref holds it.
 */
export function scrubbedRepository<T extends Repository>(repository: T, secrets: Secrets): T {
  const { scrub } = secrets;
  return {
    ...repository,
    commit: (tree, parents, message) => repository.commit(tree, parents, scrub(message)),
    diff: async (from, to, bytesMax) => scrub(await repository.diff(from, to, bytesMax)),
    async diffOf(from, to, paths, bytesMax) {
      const found = await repository.diffOf(from, to, paths, bytesMax);
      return { ...found, text: scrub(found.text) };
    },
    async collect(folder, commit) {
      const collected = await repository.collect(folder, commit);
      if (isFailure(collected)) return secrets.scrubbed(collected);
      const texts: ChangedText[] = [];
      for (const { path, kind } of collected.changes) {
        if (kind === "deleted") continue;
        const after = (await repository.readLegible(collected.tree, path)) ?? "";
        const before = kind === "added" ? undefined : await repository.readLegible(commit, path);
        texts.push({ path, before, after });
      }
      // Rarely does a name hold one: only then the names that were there are of interest.
      const isNamed = texts.some(({ path }) => secrets.find(path).length > 0);
      const pathsBefore = isNamed ? await repository.listFiles(commit) : [];
      return judgeSecrets(texts, pathsBefore, secrets) ?? collected;
    },
  };
}

/** An address or a search that would carry a secret out is not asked; what comes back is scrubbed. */
export function scrubbedWeb(web: Web, { scrub, scrubbed }: Secrets): Web {
  const carries = { trouble: "what is asked would carry a secret out", refused: true } as const;
  return {
    ...web,
    async fetch(url, declared, signal) {
      if (scrub(url) !== url || scrub(decoded(url)) !== decoded(url)) return carries;
      return scrubbed(await web.fetch(url, declared, signal));
    },
    async search(query, signal) {
      return scrub(query) === query ? scrubbed(await web.search(query, signal)) : carries;
    },
  };
}

/** A package whose address would carry a secret out is not asked for: it is missing. */
export function scrubbedPackages(packages: Packages, { scrub }: Secrets): Packages {
  const carries = ({ url }: LockedPackage) =>
    scrub(url) !== url || scrub(decoded(url)) !== decoded(url);
  return {
    ...packages,
    async gather(named, folder, signal) {
      const clean = named.filter((one) => !carries(one));
      const found = await packages.gather(clean, folder, signal);
      return { ...found, missing: [...found.missing, ...named.filter(carries)] };
    },
  };
}

/** As the server reads it. */
function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
