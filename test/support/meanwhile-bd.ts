/** A bd that lets a person's go first: whatever they close is closed just before a batch is written. */
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface MeanwhileBd {
  /** The program to use as bd. */
  path: string;
  /** The person closes this issue just before the next batch that names it. */
  close(id: string): void;
  /** Whether the last one is still to come. */
  isDue(): boolean;
}

/** Made in `folder`, around the real bd. */
export function meanwhileBd(bd: string, folder: string): MeanwhileBd {
  const [path, due] = [join(folder, "meanwhile-bd"), join(folder, "due")];
  // The person's is started by a shell that has ended, as one in a terminal: none of fractal's own.
  const script = `#!/bin/sh
if [ "$1" = batch ] && [ -e ${due} ]; then
  input=$(mktemp) && cat > "$input"
  if grep -qwF "$(cat ${due})" "$input"; then
    id=$(cat ${due}) && rm ${due}
    (setsid sh -c "BEADS_ACTOR=person ${bd} close $id --force >/dev/null 2>&1; touch $input.done" </dev/null &)
    while [ ! -e "$input.done" ]; do sleep 0.02; done
  fi
  ${bd} "$@" < "$input"; code=$?
  rm -f "$input" "$input.done"
  exit $code
fi
exec ${bd} "$@"
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  rmSync(due, { force: true });
  return { path, close: (id) => writeFileSync(due, id), isDue: () => existsSync(due) };
}
