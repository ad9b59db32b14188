/** The Packages port: tarballs by their hash, from npm's cache on this machine, or downloaded. */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { LockedPackage, Packages } from "../../domain/ports.ts";
import { urlProblem } from "../../domain/web.ts";
import { getOnce, type Resolve, systemResolve } from "./get.ts";

/** Larger than any package that is code; its bytes are held in memory. */
const PACKAGE_BYTES_MAX = 200_000_000;
const TIME_MS_MAX = 120_000;
const AT_ONCE = 8;

/** npm's own public registry: where lock files point unless somebody has another. */
export const USUAL_REGISTRY = "registry.npmjs.org";

/**
 * Whatever the lock file says, a package is only taken with the bytes its SHA-512 names, and only
 * downloaded from a host of `registries`, followed nowhere. No package manager runs out here.
 */
export function openPackages(
  settings: { from: "cache" | "network"; registries: readonly string[] },
  o: { env: Record<string, string | undefined>; resolve?: Resolve },
): Packages {
  const { resolve = systemResolve } = o;
  const cache = o.env["npm_config_cache"] ?? o.env["NPM_CONFIG_CACHE"] ?? join(homedir(), ".npm");
  const { from, registries } = settings;

  const download = async ({ url, hash }: LockedPackage, signal: AbortSignal) => {
    if (urlProblem(url, [registries]) !== undefined) return undefined;
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TIME_MS_MAX)]);
      const got = await getOnce(new URL(url), { resolve, bytesMax: PACKAGE_BYTES_MAX }, limit);
      return got.status === 200 && hashOf(got.body) === hash ? got.body : undefined;
    } catch {
      // Told by what is missing in the end.
      return undefined;
    }
  };

  return {
    downloads: from === "network",
    async gather(packages, folder, signal) {
      await mkdir(folder, { recursive: true });
      const files = new Map<string, string>();
      const missing: LockedPackage[] = [];
      let downloaded = 0;
      const rest = [...new Map(packages.map((one) => [one.hash, one])).values()];
      const work = async () => {
        for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
          if (signal.aborted) return;
          const kept = await fromCache(cache, one.hash);
          const bytes = kept ?? (from === "network" ? await download(one, signal) : undefined);
          if (bytes === undefined) {
            missing.push(one);
            continue;
          }
          if (kept === undefined) downloaded += 1;
          const name = `${createHash("sha256").update(one.hash).digest("hex").slice(0, 24)}.tgz`;
          await writeFile(join(folder, name), bytes, { mode: 0o644 });
          files.set(one.hash, name);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return { files, missing, downloaded };
    },
  };
}

/** The bytes npm keeps under this hash; none when they are not what it says. */
async function fromCache(cache: string, hash: string): Promise<Buffer | undefined> {
  const hex = Buffer.from(hash.slice("sha512-".length), "base64").toString("hex");
  const place = [hex.slice(0, 2), hex.slice(2, 4), hex.slice(4)];
  const path = join(cache, "_cacache", "content-v2", "sha512", ...place);
  const bytes = await readFile(path).catch(() => undefined);
  return bytes !== undefined && hashOf(bytes) === hash ? bytes : undefined;
}

function hashOf(bytes: Buffer): string {
  return `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
}
