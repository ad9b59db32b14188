/** The person's own command on a new question. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { notifier } from "../../src/cli/notify.ts";
import { openSecrets } from "../../src/cli/secrets.ts";
import { aQuestion } from "../support/builders.ts";

const secrets = openSecrets(process.env);
const question = aQuestion("fr-k.a1.q1", "fr-k.a1", { title: "Which $(touch hacked)\u0000 one?" });

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fractal-notify-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it("is told of the question, and takes no word of it for a command", async () => {
  const cwd = aFolder();
  const command = 'echo "$FRACTAL_QUESTION $FRACTAL_TASK $FRACTAL_TITLE" >> part && mv part told';
  notifier(command, { cwd, secrets, say: () => undefined })(question);
  await vi.waitUntil(() => existsSync(join(cwd, "told")), { timeout: 10_000 });
  expect(readFileSync(join(cwd, "told"), "utf8")).toBe(
    "fr-k.a1.q1 fr-k.a1 Which $(touch hacked) one?\n",
  );
  expect(existsSync(join(cwd, "hacked"))).toBe(false);
});

it("is given the environment without its keys, and a title without secrets", async () => {
  const cwd = aFolder();
  const key = `Zq7-${"kJ8w2nXc5v"}-9bT4`;
  const env = { PATH: process.env["PATH"], PLAIN: "yes", MY_API_KEY: key, DB: `${key}-db` };
  const guarded = openSecrets(env);
  guarded.declare(["DB"]);
  const asked = aQuestion("fr-k.a1.q1", "fr-k.a1", { title: `May I use ${key}?` });
  notifier("env > part && mv part told", { cwd, secrets: guarded, say: () => undefined })(asked);
  await vi.waitUntil(() => existsSync(join(cwd, "told")), { timeout: 10_000 });
  const told = readFileSync(join(cwd, "told"), "utf8");
  expect(told).toContain("PLAIN=yes\n");
  expect(told).toContain("FRACTAL_TITLE=May I use [secret MY_API_KEY]?\n");
  expect(told).not.toMatch(/^(MY_API_KEY|DB)=/m);
  expect(told).not.toContain(key);
});

it.each([
  ["that cannot run", "true", "/nonexistent", /^The notify command cannot run .*: true$/],
  ["that fails", "exit 3", "/", /^The notify command failed \(exit 3\): exit 3$/],
])("a command %s changes nothing, and is complained of once", async (_, command, cwd, said) => {
  const says: string[] = [];
  const notify = notifier(command, { cwd, secrets, say: (text) => says.push(text) });
  for (let times = 0; times < 3; times++) notify(question);
  // Begun after them, so it ends after them.
  const later: string[] = [];
  notifier("sleep 0.1; exit 1", { cwd: "/", secrets, say: (text) => later.push(text) })(question);
  await vi.waitUntil(() => later.length > 0, { timeout: 10_000 });
  expect(says).toEqual([expect.stringMatching(said)]);
});
