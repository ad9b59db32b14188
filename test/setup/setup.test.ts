/** Set-up on machines that lack something: what it installs, what it says, and its exit code. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";

const packageDir = join(import.meta.dirname, "../..");

const GIT = "echo git version 2.39.5";
const BD = `echo '{"version":"1.3.0"}'`;
/** A Go that writes a bd where it is told to. */
const GO = (made: string) => `
case "$1" in
  env) case "$2" in GOVERSION) echo go1.26.1;; CC) echo cc;; esac;;
  build)
    echo "go: downloading example.com/one v1.0.0" >&2
    echo "example.com/one" >&2
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\n' > "$2"; chmod +x "$2"
    cat >> "$2" <<'END'
${made}
END
    ;;
esac`;

interface Machine {
  run(env?: Record<string, string>): Promise<{ exitCode?: number; stderr: string }>;
  folder: string;
  /** Where set-up puts its bd. */
  cache: string;
  log(): string[];
}

/**
 * A clone on a machine with nothing but the programs given, each a shell script; every call of
 * them is logged.
 */
async function aMachine(programs: Record<string, string>): Promise<Machine> {
  const top = await mkdtemp(join(tmpdir(), "fractal-machine-"));
  const [bin, folder] = [join(top, "bin"), join(top, "clone")];
  await mkdir(bin);
  await mkdir(folder);
  for (const path of ["setup", "src/adapters/beads/binary.ts", "src/domain"]) {
    await cp(join(packageDir, path), join(folder, path), { recursive: true });
  }
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await writeFile(join(folder, "package-lock.json"), "{}");
  await install(folder);
  for (const tool of ["sh", "chmod", "cat", "mkdir", "touch"]) {
    await symlink(`/bin/${tool}`, join(bin, tool));
  }
  for (const [name, script] of Object.entries(programs)) {
    const path = join(bin, name);
    await writeFile(path, `#!/bin/sh\necho "${name} $*" >> ${top}/log\n${script}\n`);
    await chmod(path, 0o755);
  }
  return {
    folder,
    cache: join(top, "cache/fractal/bd-1.3.0"),
    run: (env = {}) =>
      execa(process.execPath, [join(folder, "setup/setup.mjs")], {
        env: { PATH: bin, HOME: top, XDG_CACHE_HOME: join(top, "cache"), ...env },
        extendEnv: false,
        reject: false,
      }),
    log: () =>
      existsSync(`${top}/log`) ? readFileSync(`${top}/log`, "utf8").trim().split("\n") : [],
  };
}

/** Makes a clone look as \`npm ci\` leaves it. */
async function install(folder: string): Promise<void> {
  await mkdir(join(folder, "node_modules/node/bin"), { recursive: true });
  await symlink(process.execPath, join(folder, "node_modules/node/bin/node"));
  await symlink(join(packageDir, "node_modules/execa"), join(folder, "node_modules/execa"));
  await writeFile(join(folder, "node_modules/.package-lock.json"), "{}");
}

it("says nothing when everything is there", async () => {
  const machine = await aMachine({ git: GIT, bwrap: "true", bd: BD });
  expect(await machine.run()).toMatchObject({ exitCode: 0, stderr: "" });
  expect(machine.log().some((call) => call.startsWith("npm"))).toBe(false);
  expect(readdirSync(join(machine.folder, "node_modules/.bin"))).toEqual(["fractal"]);
});

it.each([
  ["git is missing", { bwrap: "true", bd: BD }, /git is missing\n {2}→ install git/],
  [
    "git is too old",
    { git: "echo git version 2.30.2", bwrap: "true", bd: BD },
    /git 2\.30\.2 is too old\n {2}→ install git 2\.38/,
  ],
  [
    "the sandbox is missing and nothing here installs it",
    { git: GIT, bd: BD },
    /bubblewrap, the sandbox, is missing\n {2}→ .*bubblewrap/,
  ],
])("stops with exit code 6 and the remedy when %s", async (_, programs, said) => {
  const machine = await aMachine(programs as Record<string, string>);
  const { exitCode, stderr } = await machine.run();
  expect([exitCode, stderr]).toEqual([6, expect.stringMatching(said)]);
});

it("installs the sandbox with apt-get as root, and else prints the one command", async () => {
  const apt = `case "$*" in *install*bubblewrap*) touch "$HOME/bwrap-installed";; esac`;
  const bwrap = `[ -e "$HOME/bwrap-installed" ]`;
  const machine = await aMachine({ git: GIT, bd: BD, "apt-get": apt, bwrap });
  const { exitCode, stderr } = await machine.run();
  if (process.getuid?.() === 0) {
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("installing bubblewrap")]);
  } else {
    expect([exitCode, stderr]).toEqual([
      6,
      expect.stringContaining("→ sudo apt-get install -y bubblewrap"),
    ]);
  }
});

it("installs packages when they are older than the lock file, and only then", async () => {
  const npm = `mkdir -p node_modules; touch node_modules/.package-lock.json`;
  const machine = await aMachine({ git: GIT, bwrap: "true", bd: BD, npm });
  const lock = join(machine.folder, "package-lock.json");
  const past = new Date(Date.now() - 60_000);
  await utimes(join(machine.folder, "node_modules/.package-lock.json"), past, past);
  await utimes(lock, new Date(Date.now() - 30_000), new Date(Date.now() - 30_000));

  expect(await machine.run()).toMatchObject({ exitCode: 0 });
  expect(machine.log().filter((call) => call.startsWith("npm ci"))).toHaveLength(1);

  expect(await machine.run()).toMatchObject({ exitCode: 0, stderr: "" });
  expect(machine.log().filter((call) => call.startsWith("npm ci"))).toHaveLength(1);
});

it("stops with npm's own words when packages cannot be installed", async () => {
  const npm = "echo 'npm error no network' >&2; exit 1";
  const machine = await aMachine({ git: GIT, bwrap: "true", bd: BD, npm });
  await utimes(join(machine.folder, "node_modules/.package-lock.json"), 1, 1);
  const { exitCode, stderr } = await machine.run();
  expect([exitCode, stderr]).toEqual([6, expect.stringMatching(/no network.*→ npm ci/s)]);
});

it("builds bd once into the user's cache, from the pinned module", async () => {
  const machine = await aMachine({ git: GIT, bwrap: "true", cc: "true", go: GO(BD) });

  const { exitCode, stderr } = await machine.run();
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/building bd 1\.3\.0.*1 modules downloaded, 1 packages compiled/s);
  expect(await readdir(machine.cache)).toEqual(["bd"]);

  expect(await machine.run()).toMatchObject({ exitCode: 0, stderr: "" });
  expect(machine.log().filter((call) => call.startsWith("go build"))).toHaveLength(1);
});

it("keeps no bd that does not answer for itself", async () => {
  const machine = await aMachine({ git: GIT, bwrap: "true", cc: "true", go: GO("echo bead") });
  const { exitCode, stderr } = await machine.run();
  expect([exitCode, stderr]).toEqual([6, expect.stringContaining("the new bd does not work")]);
  expect(await readdir(machine.cache)).toEqual([]);
});

it("shows what the compiler said when bd cannot be built", async () => {
  const go = `${GO(BD)}\n[ "$1" = env ] || { echo 'no space left' >&2; exit 1; }`;
  const machine = await aMachine({ git: GIT, bwrap: "true", cc: "true", go });
  const { exitCode, stderr } = await machine.run();
  expect([exitCode, stderr]).toEqual([6, expect.stringMatching(/no space left.*FRACTAL_BD/s)]);
  expect(await readdir(machine.cache)).toEqual([]);
});

it.each([
  ["Go", { cc: "true" }, "Go 1.21 or newer"],
  ["a newer Go", { cc: "true", go: "echo go1.19" }, "Go 1.21 or newer (this is 1.19)"],
  ["a C compiler", { go: GO(BD) }, "a C compiler"],
])("takes the makers' release where %s is missing", async (_, programs, missing) => {
  // The last argument names the package, the third the folder it goes to.
  const npm = `
dir="$3/node_modules/@beads/bd"; mkdir -p "$dir/scripts" "$dir/bin"
echo '{"type":"commonjs"}' > "$dir/package.json"
cat > "$dir/scripts/postinstall.js" <<'END'
if (process.env.CI) process.exit(1);
require("fs").writeFileSync(__dirname + "/../bin/bd", "#!/bin/sh\\n${BD.replaceAll('"', '\\"')}\\n");
END`;
  const machine = await aMachine({ git: GIT, bwrap: "true", npm, ...programs } as never);
  const { exitCode, stderr } = await machine.run({ CI: "true" });
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining(`without ${missing};`)]);
  expect(await readdir(machine.cache)).toEqual(["bd"]);
  expect(machine.log().filter((call) => call.startsWith("npm install"))).toEqual([
    expect.stringMatching(/@beads\/bd@1\.3\.0$/),
  ]);
});

it("says what is missing when nothing can be built and nothing be downloaded", async () => {
  const machine = await aMachine({ git: GIT, bwrap: "true", npm: "exit 1" });
  const { exitCode, stderr } = await machine.run();
  expect(exitCode).toBe(6);
  expect(stderr).toMatch(/no bd: Go 1\.21 or newer is missing, and the release/);
  expect(stderr).toMatch(/→ install Go 1\.21 or newer and run this again/);
  expect(await readdir(dirname(join(machine.cache, "bd")))).toEqual([]);
});

it("stops when FRACTAL_BD names something that will not do, and builds nothing", async () => {
  const machine = await aMachine({ git: GIT, bwrap: "true", cc: "true", go: GO(BD), bd: BD });
  const { exitCode, stderr } = await machine.run({ FRACTAL_BD: "/nowhere/bd" });
  expect([exitCode, stderr]).toEqual([
    6,
    expect.stringMatching(/FRACTAL_BD names \/nowhere\/bd.*→ unset FRACTAL_BD/s),
  ]);
  expect(machine.log().some((call) => call.startsWith("go"))).toBe(false);
});

it("pins the release that fractal asks for", () => {
  const module = readFileSync(join(packageDir, "setup/bd/go.mod"), "utf8");
  const code = readFileSync(join(packageDir, "src/adapters/beads/binary.ts"), "utf8");
  const pinned = /beads v(\S+)/.exec(module)?.[1];
  expect(code).toContain(`BD_VERSION = "${pinned}"`);
});
