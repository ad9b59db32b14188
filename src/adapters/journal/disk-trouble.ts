/** The disk refused a write: the run must end, nothing that was announced is lost. */
export class DiskTrouble extends Error {
  static of(path: string, cause: unknown): DiskTrouble {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new DiskTrouble(`cannot write ${path}: ${why}`, { cause });
  }
}
