/** `fractal doctor`: what this machine has, what is missing, and how to install it. */
import { execa } from "execa";
import { ROLES } from "../../domain/conversation.ts";
import { GIT_VARIABLES, only } from "../../domain/environment.ts";
import { type Paint, paintOf } from "../../view/paint.ts";
import { oneLine } from "../../view/text.ts";
import { loadConfig } from "../config.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal } from "../exit.ts";
import { missingKeys, resolveModels } from "../models.ts";
import { topFolderOf } from "../top-folder.ts";
import type { Probe } from "../wiring.ts";

/** `merge-tree --write-tree` came with this version. */
const GIT_MIN = [2, 38] as const;

/** Runs every probe; the exit code is that of the worst one. */
export async function doctorCommand(context: Context): Promise<ExitCode> {
  const { out } = context;
  const settings = await probeSettings(context);
  const machine = [
    { name: "node", state: "ok" as const, found: process.version },
    await probeGit(),
    ...(await probeAdapters(context)),
  ];
  const probes = [...machine, ...settings.probes];
  out.show(
    () => ({ probes }),
    () => probes.flatMap((probe) => renderProbe(probe, paintOf(out.look.colour))).join("\n"),
  );
  if (machine.some((probe) => probe.state === "missing")) return EXIT.environment;
  return settings.code;
}

async function probeGit(): Promise<Probe> {
  const fix = `install git ${GIT_MIN.join(".")} or newer`;
  const { exitCode, stdout } = await execa("git", ["--version"], {
    env: only(process.env, GIT_VARIABLES),
    extendEnv: false,
    reject: false,
    detached: true,
  });
  if (exitCode !== 0) return { name: "git", state: "missing", found: "not found", fix };
  const version = /(\d+)\.(\d+)[.\d]*/.exec(stdout);
  const [major, minor] = [Number(version?.[1]), Number(version?.[2])];
  const isEnough = major > GIT_MIN[0] || (major === GIT_MIN[0] && minor >= GIT_MIN[1]);
  const found = version?.[0] ?? stdout;
  return isEnough
    ? { name: "git", state: "ok", found }
    : { name: "git", state: "missing", found: `${found} is too old`, fix };
}

async function probeAdapters(context: Context): Promise<Probe[]> {
  try {
    const wire = await context.wire();
    return await wire.probe({ dir: context.dir }, context.signal);
  } catch (error) {
    // A package that cannot be loaded is what a doctor is called for.
    return [
      {
        name: "fractal",
        state: "missing",
        found: oneLine(error instanceof Error ? error.message : String(error)),
        fix: "npm install",
      },
    ];
  }
}

async function probeSettings(context: Context): Promise<{ probes: Probe[]; code: ExitCode }> {
  const { env } = context;
  const dir = await topFolderOf(context.dir);
  const config = await loadConfig({ dir, env, flags: context.configFlags });
  if (isRefusal(config)) {
    const found = [config.what, ...config.where].join("; ");
    return { probes: [{ name: "config", state: "missing", found }], code: config.exit };
  }
  const probes: Probe[] = [{ name: "config", state: "ok", found: sourcesOf(config.layers) }];
  const models = resolveModels(config, env);
  if (isRefusal(models)) {
    const fix = models.next[0];
    const found = `${models.what}; the bundled specification runs on recorded answers`;
    probes.push({ name: "models", state: "warning", found, ...(fix === undefined ? {} : { fix }) });
    return { probes, code: EXIT.done };
  }
  const missing = missingKeys(models, env);
  for (const role of ROLES) {
    const lack = missing.find((one) => one.roles.includes(role));
    const name = `model ${role}`;
    const found = models[role].name;
    probes.push(
      lack === undefined
        ? { name, state: "ok", found }
        : {
            name,
            state: "missing",
            found: `${found}, ${lack.variable} is not set`,
            fix: `export ${lack.variable}=…`,
          },
    );
  }
  return { probes, code: missing.length === 0 ? EXIT.done : EXIT.credentials };
}

function sourcesOf(layers: { source: string; value: object }[]): string {
  const used = layers.filter((layer) => Object.keys(layer.value).length > 0);
  return used.length === 0 ? "defaults" : used.map((layer) => layer.source).join(" over ");
}

function renderProbe(probe: Probe, paint: Paint): string[] {
  const sign = {
    ok: paint.green("✓ ok"),
    warning: paint.yellow("! warning"),
    missing: paint.red("✗ missing"),
  }[probe.state];
  return [
    `${sign} ${paint.bold(probe.name)} ${oneLine(probe.found)}`,
    ...(probe.fix === undefined ? [] : [`    → ${probe.fix}`]),
  ];
}
