/** Finding bd: where it is looked for, in which order, and what is believed. */
import { copyFile, mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { cachedBd, findBd } from "../../../src/adapters/beads/binary.ts";
import { fakeBd } from "./fake-bd.ts";
import { realBd } from "./real-beads.ts";

const answers = (version: string) => `echo '{"version":"${version}","build":"dev"}'`;

/** An environment in which nothing is installed. */
async function anEmptyPlace() {
  const packageDir = await mkdtemp(join(tmpdir(), "fractal-place-"));
  return { packageDir, env: { HOME: packageDir, PATH: "" } as NodeJS.ProcessEnv };
}

async function install(path: string, script: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await copyFile((await fakeBd(script)).path, path);
  return path;
}

it("accepts the real one", async () => {
  const FRACTAL_BD = await realBd();
  const found = await findBd({ ...(await anEmptyPlace()), env: { FRACTAL_BD } });
  expect(found).toEqual({ path: FRACTAL_BD, version: "1.3.0" });
});

it("looks in the cache, then in the package, then on PATH", async () => {
  const place = await anEmptyPlace();
  const onPath = await fakeBd(answers("1.3.0"));
  const env = { ...place.env, PATH: `/nowhere:${onPath.folder}` };
  const search = { ...place, env };
  expect(await findBd(search)).toEqual({ path: onPath.path, version: "1.3.0" });

  const inPackage = join(place.packageDir, "node_modules/@beads/bd/bin/bd");
  await install(inPackage, answers("1.3.1"));
  expect(await findBd(search)).toEqual({ path: inPackage, version: "1.3.1" });

  const inCache = await install(cachedBd(env), answers("1.4.0"));
  expect(await findBd(search)).toEqual({ path: inCache, version: "1.4.0" });
});

it("passes over one that does not fit when another does", async () => {
  const place = await anEmptyPlace();
  const [old, wrong, right] = await Promise.all([
    fakeBd(answers("1.2.2")),
    fakeBd("echo bead"),
    fakeBd(answers("1.3.0")),
  ]);
  const PATH = [old.folder, wrong.folder, right.folder].join(":");
  expect(await findBd({ ...place, env: { ...place.env, PATH } })).toMatchObject({
    path: right.path,
  });
});

it("says how to get one when there is none", async () => {
  const place = await anEmptyPlace();
  expect(await findBd(place)).toEqual({
    failure: "tracker-unavailable",
    detail: expect.stringMatching(/bd 1\.3\.0 is not installed.*setup\.mjs.*FRACTAL_BD/),
  });
});

it.each([
  ["too old", answers("1.2.2"), /which is bd 1\.2\.2; fractal needs 1\.3\.0.*FRACTAL_BD/],
  ["of another major version", answers("2.0.0"), /which is bd 2\.0\.0/],
  ["another program", "echo 'beads 0.1 -- necklace designer'", /is not Beads/],
  ["another program that fails", "exit 64", /is not Beads/],
  ["another program that speaks JSON", `echo '{"name":"beads"}'`, /is not Beads/],
])("says which one it found when it is %s", async (_, script, detail) => {
  const place = await anEmptyPlace();
  const { path, folder } = await fakeBd(script);
  const failure = { failure: "tracker-unavailable", detail: expect.stringMatching(detail) };
  expect(await findBd({ ...place, env: { ...place.env, PATH: folder } })).toEqual(failure);
  const named = await findBd({ ...place, env: { ...place.env, FRACTAL_BD: path } });
  expect(named).toEqual({
    ...failure,
    detail: expect.stringContaining(`FRACTAL_BD names ${path}`),
  });
});

it("does not look elsewhere when the one that was named is missing", async () => {
  const place = await anEmptyPlace();
  const { folder } = await fakeBd(answers("1.3.0"));
  const env = { ...place.env, PATH: folder, FRACTAL_BD: "/nowhere/bd" };
  expect(await findBd({ ...place, env })).toMatchObject({
    detail: expect.stringContaining("FRACTAL_BD names /nowhere/bd"),
  });
});
