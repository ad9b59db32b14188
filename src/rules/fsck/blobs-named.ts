/** The blobs that an event names: texts that must lie beside the journal. */
import type { Verdict } from "../../domain/check.ts";
import type { RunEvent } from "../../domain/event.ts";

/** Their hashes; none for most events. */
export function blobsNamed(event: RunEvent): string[] {
  switch (event.event_type) {
    case "run.started":
      return event.given_plan === undefined ? [event.spec] : [event.spec, event.given_plan];
    case "plan.proposed":
    case "split.started":
      return [event.plan];
    case "call.started":
      return [event.request];
    case "call.answered":
      return [event.reply];
    case "tool.called":
      return [event.args];
    case "question.opened":
      return event.diff === undefined ? [] : [event.diff];
    case "tool.returned":
      return [event.output];
    case "attempt.ended": {
      const outputs = outputsOf(event.verdict);
      return event.patch === undefined ? outputs : [...outputs, event.patch];
    }
    case "task.rolled_up":
      return outputsOf(event.verdict);
    default:
      return [];
  }
}

function outputsOf(verdict: Verdict | undefined): string[] {
  return (verdict?.results ?? []).flatMap(({ output }) => (output === undefined ? [] : [output]));
}
