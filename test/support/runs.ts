/** How often a property is tried: few in every run of the suite, PROPERTY_RUNS=5000 before a release. */
export function runsOf(usual: number): { numRuns: number } {
  const wanted = Number(process.env["PROPERTY_RUNS"]);
  return { numRuns: Number.isInteger(wanted) && wanted > usual ? wanted : usual };
}
