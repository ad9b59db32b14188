/** Whether a controller works in a repository. */
import { machine } from "./wire.ts";

/** True while one holds the repository's lock; it is only looked at. */
export async function isLive(top: string): Promise<boolean> {
  const survey = await machine.surveyFolder(top);
  return survey.repository !== undefined && machine.isLockHeld(survey.repository.commonDir);
}
