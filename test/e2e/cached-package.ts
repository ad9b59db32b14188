/** A package in npm's cache of the person's home, named by the lock file of a repository. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { execaSync } from "execa";
import type { Rig } from "./rig.ts";

/** Commits a `package.json` and lock file that name one package, whose bytes are in the cache; its name. */
export function commitCachedPackage(rig: Rig): string {
  const name = `tiny-${process.pid}`;
  const home = join(rig.dir, "..", "home");
  mkdirSync(join(home, "package"), { recursive: true });
  const manifest = { name, version: "1.0.0", main: "i.js", scripts: { postinstall: "exit 1" } };
  writeFileSync(join(home, "package/package.json"), JSON.stringify(manifest));
  writeFileSync(join(home, "package/i.js"), "module.exports = 42;\n");
  execaSync("tar", ["-czf", "t.tgz", "package"], { cwd: home });
  const bytes = readFileSync(join(home, "t.tgz"));
  const digest = createHash("sha512").update(bytes).digest();
  const hex = digest.toString("hex");
  const kept = join(
    home,
    ".npm/_cacache/content-v2/sha512",
    hex.slice(0, 2),
    hex.slice(2, 4),
    hex.slice(4),
  );
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, bytes);
  const dependencies = { [name]: "^1.0.0" };
  rig.write({
    "package.json": JSON.stringify({ name: "app", version: "1.0.0", dependencies }),
    "package-lock.json": JSON.stringify({
      name: "app",
      version: "1.0.0",
      lockfileVersion: 3,
      requires: true,
      packages: {
        "": { name: "app", version: "1.0.0", dependencies },
        [`node_modules/${name}`]: {
          version: "1.0.0",
          resolved: `https://registry.npmjs.org/${name}/-/${name}-1.0.0.tgz`,
          integrity: `sha512-${digest.toString("base64")}`,
        },
      },
    }),
  });
  rig.commit("packages");
  return name;
}

/** The installs of a run; what they left in the cache of this machine's user is removed. */
export function installsOf(rig: Rig) {
  const installed = rig.events().filter((one) => one.event_type === "packages.installed");
  const cache = process.getuid?.() === 0 ? "/var/cache/fractal" : join(homedir(), ".cache/fractal");
  for (const { key } of installed) {
    rmSync(join(cache, "sandbox/installed", key), { recursive: true, force: true });
  }
  return installed;
}
