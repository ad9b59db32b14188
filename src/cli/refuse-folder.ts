/** Why a folder is none that fractal can work in: git, the repository, or a disk that says no. */
import { EXIT, type Refusal, refuse } from "./exit.ts";
import type { machine } from "./wire.ts";

/** Why nothing can be done in a folder, whatever is agreed to; a folder in no repository is none of it. */
export function refuseFolder(
  dir: string,
  found: Awaited<ReturnType<typeof machine.surveyFolder>>,
): Refusal | undefined {
  const { gitUsable, gitVersion, repository, refusal } = found;
  if (!gitUsable) {
    const what = gitVersion ? `git ${gitVersion} is too old` : "git is not installed";
    return refuse(EXIT.environment, what, { next: ["install git 2.38 or newer"] });
  }
  if (refusal !== undefined) {
    return refuse(EXIT.environment, "git will not work with this repository", {
      where: [refusal],
      next: ["git status   # does it in your hands? then run fractal as the same user"],
    });
  }
  if (repository !== undefined && repository.top === undefined) {
    const what = `${dir} is a bare repository, or inside .git: there is no checkout to work from`;
    return refuse(EXIT.usage, what, { next: ["cd into a checkout, or make one with git clone"] });
  }
  if (repository?.readOnly !== undefined) return refuseReadOnly(repository.readOnly);
  return undefined;
}

/** A run keeps its journal, its tree and its work in the repository. */
function refuseReadOnly(folder: string): Refusal {
  return refuse(EXIT.environment, `${folder} cannot be written to`, {
    next: ["make it writable, or work in a clone: git clone . ../writable"],
  });
}
