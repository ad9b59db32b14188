/** `fractal config show`: the settings that hold, and where each is from. */
import { ROLES } from "../../domain/conversation.ts";
import { renderTable } from "../../view/table.ts";
import { loadConfig } from "../config.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, isRefusal } from "../exit.ts";
import { resolveModels } from "../models.ts";
import { topFolderOf } from "../top-folder.ts";

/** Prints settings and the model of each role. No key is ever printed: settings hold none. */
export async function configShowCommand(
  context: Context,
  flags: { origin?: boolean },
): Promise<ExitCode> {
  const { out, env } = context;
  const dir = await topFolderOf(context.dir);
  const config = await loadConfig({ dir, env, flags: context.configFlags });
  if (isRefusal(config)) return out.refuse(config);
  const models = resolveModels(config, env);
  const rows = config.settings
    .filter(({ key }) => key !== "model" && !key.startsWith("models."))
    .map(({ key, value, origin }) => [key, textOf(value), origin]);
  if (!isRefusal(models)) {
    rows.push(...ROLES.map((role) => [`models.${role}`, models[role].name, models[role].origin]));
  }
  out.show(
    () => ({
      settings: config.settings,
      models: isRefusal(models) ? null : models,
    }),
    () =>
      renderTable(
        flags.origin === true ? ["setting", "value", "from"] : ["setting", "value"],
        rows.map((row) => (flags.origin === true ? row : row.slice(0, 2))),
        { aligned: out.look.tables, colour: out.look.colour },
      ).join("\n"),
  );
  if (isRefusal(models)) out.note(["", models.what, ...models.next].join("\n  "));
  return EXIT.done;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
