/** A real bd with trouble around it: what one command does is done, half done, or only said to be. */
import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What can go wrong with one command. `missing` lasts for a whole operation. */
export const TROUBLES = [
  "missing",
  "hangs before",
  "hangs after",
  "half output",
  "no JSON",
  "exit 0, not applied",
  "exit 1, applied",
  "exit 1, not applied",
  "killed",
] as const;
export type Trouble = (typeof TROUBLES)[number];

export interface TroubleBd {
  path: string;
  /** The `after`-th command from now on meets it (the first is 0); none when left out. */
  next(trouble?: Trouble, after?: number): void;
}

/** Writes the wrapper into a folder of its own. */
export function troubleBd(bd: string, folder: string): TroubleBd {
  const path = join(folder, "bd");
  const away = join(folder, "bd-away");
  const plan = join(folder, "trouble");
  writeFileSync(
    path,
    `#!/bin/sh
left=$(sed -n 1p '${plan}')
trouble=$(sed -n 2p '${plan}')
if [ "$left" != 0 ]; then
  [ -n "$left" ] && printf '%s\\n%s\\n' $((left - 1)) "$trouble" > '${plan}'
  trouble=
else
  : > '${plan}'
fi
case "$trouble" in
  'hangs before') exec sleep 600 ;;
  'hangs after') '${bd}' "$@" > /dev/null; exec sleep 600 ;;
  'half output') out=$('${bd}' "$@"); printf '%s' "$out" | head -c $(( \${#out} / 2 )) ;;
  'no JSON') cat > /dev/null; echo 'updating the database, please wait' ;;
  'exit 0, not applied') cat > /dev/null; echo '{"schema_version":1,"data":{"operations":1}}' ;;
  'exit 1, applied') '${bd}' "$@" > /dev/null; echo 'Error: database is locked' >&2; exit 1 ;;
  'exit 1, not applied') cat > /dev/null; echo 'Error: database is locked' >&2; exit 1 ;;
  'killed') cat > '${plan}.in'; '${bd}' "$@" < '${plan}.in' & pid=$!; sleep 0.05; kill -9 $pid; wait $pid; exit 137 ;;
  *) exec '${bd}' "$@" ;;
esac
`,
  );
  chmodSync(path, 0o755);
  let isAway = false;
  return {
    path,
    next(trouble, after = 0) {
      if (isAway) renameSync(away, path);
      isAway = trouble === "missing";
      if (isAway) renameSync(path, away);
      writeFileSync(plan, trouble === undefined || isAway ? "" : `${after}\n${trouble}\n`);
    },
  };
}
