/** The safeguards that can be taken out, each with the tests that must notice. */

/** One safeguard, removed by putting `to` in place of `from`. */
export interface Switch {
  name: string;
  /** From the package's folder; `from` stands in it exactly once. */
  file: string;
  from: string;
  to: string;
  /** What is missing then, as a sentence. */
  removes: string;
  /** The files with the tests that notice: quick ones, of the project `unit`. */
  tests: readonly string[];
  /** Only the tests whose names match; without it all of those files. */
  named?: string;
}

export const SWITCHES: readonly Switch[] = [
  {
    name: "moves-unguarded",
    file: "src/orchestrator/store.ts",
    from: "const legal = refused(state, event) ?? event;",
    to: "const legal = event;",
    removes: "The store records every event, whatever the table of moves says.",
    tests: ["test/orchestrator/store.test.ts"],
  },
  {
    name: "fence-unchecked",
    file: "src/rules/guard.ts",
    from: "return event.fence === task.lease.fence\n        ? undefined",
    to: "return event.fence === event.fence\n        ? undefined",
    removes: "A result counts whatever fence it carries.",
    tests: ["test/rules/lifecycle.test.ts", "test/orchestrator/lease.test.ts"],
  },
  {
    name: "parents-closed-first",
    file: "src/rules/mirror.ts",
    from: "  lines.reverse();\n",
    to: "",
    removes: "Parents are closed in Beads before their children.",
    tests: ["test/rules/mirror.test.ts"],
  },
];
