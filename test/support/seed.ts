/** What the samples of the suites of proof are drawn with. */

/** True when every case is to be tried, not a sample. */
export const IS_DEEP = process.env["FRACTAL_DEEP"] === "1";

/**
 * `FRACTAL_SEED`, or else another in each deep run. A sample is the same each time: a red one is the last
 * change's doing.
 */
export const SEED = Number(
  process.env["FRACTAL_SEED"] ?? (IS_DEEP ? Math.floor(Math.random() * 2 ** 31) : 1),
);
