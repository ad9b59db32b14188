/** What any Repository promises about merging and moving the branch: the real one and the one in memory. */
import { expect, it } from "vitest";
import type { Repository } from "../../src/domain/ports.ts";

/** `open` gives a repository whose branch begins with these files. */
export function repositoryContract(
  open: (files: Record<string, string>) => Promise<Repository>,
): void {
  const commitOf = async (
    repository: Repository,
    from: string,
    files: Record<string, string | null>,
  ) => {
    const written = Object.entries(files).map(([path, text]) => ({ path, text }));
    return repository.commit(await repository.write(from, written), [from], "work\n");
  };

  it("joins changes of different files", async () => {
    const repository = await open({ "a.txt": "a\n", "b.txt": "b\n" });
    const head = await repository.head();
    const ours = await commitOf(repository, head, { "a.txt": "A\n" });
    const theirs = await commitOf(repository, head, { "b.txt": "B\n", "c.txt": "C\n" });
    const merged = await repository.merge(head, ours, theirs);
    if (!("tree" in merged)) throw new Error("a conflict");
    const texts = ["a.txt", "b.txt", "c.txt"].map((path) => repository.readFile(merged.tree, path));
    expect(await Promise.all(texts)).toEqual(["A\n", "B\n", "C\n"]);
  });

  it("finds the same change on both sides once", async () => {
    const repository = await open({ "a.txt": "a\n" });
    const head = await repository.head();
    const ours = await commitOf(repository, head, { "a.txt": "A\n" });
    const theirs = await commitOf(repository, head, { "a.txt": "A\n" });
    const merged = await repository.merge(head, ours, theirs);
    if (!("tree" in merged)) throw new Error("a conflict");
    expect(await repository.readFile(merged.tree, "a.txt")).toBe("A\n");
  });

  it("names the files in conflict, with the lines of both sides", async () => {
    const repository = await open({ "a.txt": "a\n", "b.txt": "b\n" });
    const head = await repository.head();
    const ours = await commitOf(repository, head, { "a.txt": "now\n" });
    const theirs = await commitOf(repository, head, { "a.txt": "tried\n" });
    const merged = await repository.merge(head, ours, theirs);
    if (!("conflicts" in merged)) throw new Error("no conflict");
    expect(merged.conflicts).toEqual(["a.txt"]);
    const [before = "", after = ""] = merged.hunks.split("=======");
    expect(before).toContain("a.txt:\n<<<<<<< as it is now\nnow");
    expect(after).toContain("tried");
    expect(after).toContain(">>>>>>> as the last try had it");
  });

  it("takes what one side deleted and the other changed for a conflict", async () => {
    const repository = await open({ "a.txt": "a\n", "b.txt": "b\n" });
    const head = await repository.head();
    const ours = await commitOf(repository, head, { "a.txt": null });
    const theirs = await commitOf(repository, head, { "a.txt": "changed\n" });
    expect(await repository.merge(head, ours, theirs)).toMatchObject({ conflicts: ["a.txt"] });
  });

  it("moves the branch from the commit named, and from no other", async () => {
    const repository = await open({ "a.txt": "a\n" });
    const head = await repository.head();
    const one = await commitOf(repository, head, { "a.txt": "1\n" });
    const two = await commitOf(repository, head, { "a.txt": "2\n" });
    expect(await repository.advance(head, one)).toBe(true);
    expect(await repository.advance(head, two)).toBe(false);
    expect(await repository.head()).toBe(one);
  });

  it("tells what is on the branch beyond its base, and finds work by its trailer", async () => {
    const repository = await open({ "a.txt": "a\n" });
    const head = await repository.head();
    expect(await repository.landed()).toEqual(new Set());
    const tree = await repository.write(head, [{ path: "a.txt", text: "1\n" }]);
    const one = await repository.commit(tree, [head], "one\n\nFractal-Task: fr-1.a1 2\n");
    const other = await repository.commit(tree, [head], "two\n\nFractal-Task: fr-1.a2 1\n");
    expect(await repository.findMerged("fr-1.a1", 2)).toBeUndefined();
    await repository.advance(head, one);
    expect(await repository.landed()).toEqual(new Set([one]));
    expect(await repository.findMerged("fr-1.a1", 2)).toBe(one);
    expect(await repository.findMerged("fr-1.a1", 1)).toBeUndefined();
    expect((await repository.landed()).has(other)).toBe(false);
  });
}
