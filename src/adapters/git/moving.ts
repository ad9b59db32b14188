/** Moves refs one after the other by a git that stays open, so that none is started for each. */
import { cleanMover } from "./git.ts";
import { GitError } from "./git-error.ts";
import { type Take, takeLine } from "./open-git.ts";

/** What came of a move: 0, or git's exit code and its words when it refused. */
export interface Moved {
  exitCode: number;
  stderr: string;
}

/** Sets a ref to a commit if it stands at `from`; with an empty `from`, if it is not there. */
export type MoveRef = (ref: string, to: string, from: string) => Promise<Moved>;

/** How `update-ref` ends when it has refused. */
const REFUSED = [1, 128];

/** Moves refs of a git directory. One at a time: where one is refused, git ends and with it all it was told. */
export function openMover(gitDir: string): MoveRef {
  const git = cleanMover(gitDir);
  let last: Promise<unknown> = Promise.resolve();
  const move: MoveRef = async (ref, to, from) => {
    const order = from === "" ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`;
    try {
      await git.ask(`start\n${order}\ncommit\n`, takeCommitted);
      return { exitCode: 0, stderr: "" };
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      const { exitCode = -1, stderr } = error;
      if (!REFUSED.includes(exitCode)) throw error;
      return { exitCode, stderr };
    }
  };
  return (...given) => {
    const moved = last.then(() => move(...given));
    last = moved.catch(() => undefined);
    return moved;
  };
}

/** `start: ok`, then `commit: ok`. */
const takeCommitted: Take<string> = (printed) => {
  const started = takeLine(printed);
  if ("needed" in started) return started;
  const rest = takeLine(printed.subarray(started.used));
  if ("needed" in rest) return { needed: printed.length + 1 };
  return { answer: rest.answer, used: started.used + rest.used };
};
