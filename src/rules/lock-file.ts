/** A package-lock.json as data: which packages it names, and how they are installed from files beside it. */
import { z } from "zod";
import type { LockedPackage } from "../domain/ports.ts";

/** Its name, at the root of a run. */
export const LOCK_FILE = "package-lock.json";
/** Where the packages lie beside the lock file while they are installed. */
export const PACKAGES_FOLDER = ".packages";

const entry = z.looseObject({
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  optional: z.boolean().optional(),
});
const lockFile = z.looseObject({
  lockfileVersion: z.union([z.literal(2), z.literal(3)]),
  packages: z.record(z.string(), entry),
});
type LockFile = z.infer<typeof lockFile>;

/** Strongest first, as a lock file may name several. */
const HASH = /(?:^|\s)(sha512-[A-Za-z0-9+/]{86}==)(?:\s|$)/;

/**
 * The packages a lock file names, each with the hash of its bytes, or why it cannot be installed:
 * what is no package of a registry (a git address, a folder, a workspace) or has no SHA-512 is not
 * fetched at all. An optional one that is not there is left out, as npm does.
 */
export function lockedPackages(text: string): LockedPackage[] | { problem: string } {
  const lock = parseLock(text);
  if (lock === undefined) return { problem: "it is no package-lock.json of version 2 or 3" };
  const packages: LockedPackage[] = [];
  for (const [path, one] of Object.entries(lock.packages)) {
    if (path === "" || one.inBundle === true) continue;
    const hash = HASH.exec(one.integrity ?? "")?.[1];
    if (one.link === true || !path.startsWith("node_modules/")) {
      return { problem: `${path} is a folder of the repository, which cannot be installed yet` };
    }
    const isRegistrys = one.resolved?.startsWith("https://") === true;
    if (!isRegistrys || hash === undefined || one.resolved === undefined) {
      return { problem: `${path} is not named by an https address and a SHA-512` };
    }
    packages.push({ url: one.resolved, hash, optional: one.optional === true });
  }
  return packages;
}

/** The lock file with each package that is there taken from the file of its name in that folder. */
export function withLocalPackages(text: string, files: ReadonlyMap<string, string>): string {
  const lock = parseLock(text);
  if (lock === undefined) return text;
  const packages = Object.entries(lock.packages).map(([path, one]) => {
    const hash = HASH.exec(one.integrity ?? "")?.[1];
    const file = hash === undefined ? undefined : files.get(hash);
    if (file === undefined || one.resolved === undefined) return [path, one] as const;
    return [path, { ...one, resolved: `file:${PACKAGES_FOLDER}/${file}` }] as const;
  });
  return `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`;
}

function parseLock(text: string): LockFile | undefined {
  try {
    return lockFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
