/** Run under a pseudo terminal by the test beside it: asks, and prints what came back as JSON. */
import { terminalHuman } from "../../../src/adapters/human/terminal.ts";

const [kind = "free", ...options] = process.argv.slice(2);
const abort = new AbortController();
const log: string[] = [];

const human = terminalHuman({
  input: process.stdin,
  output: process.stderr,
  env: process.env,
  mayAsk: process.env["ASK"] !== "no",
  colour: false,
  pause: () => log.push("pause"),
  resume: () => log.push("resume"),
  onInterrupt: () => {
    log.push("interrupt");
    abort.abort();
  },
});

const prompt = { title: "Which one?", why: "Two fit.", options, tried: "Both.", about: "fr-k.a1" };
const answers =
  kind === "confirm"
    ? [await human.confirm("Go on?", abort.signal)]
    : await Promise.all(
        kind === "twice"
          ? [
              human.ask(prompt, abort.signal),
              human.ask({ ...prompt, title: "And now?" }, abort.signal),
            ]
          : [human.ask(prompt, abort.signal)],
      );
process.stdout.write(
  `\nRESULT ${JSON.stringify({ present: human.present, answers: answers.map((a) => a ?? null), log })}\n`,
);
