/** The known name that was probably meant by an unknown one. */

/** The closest of the known names, when it is close enough to be a slip of the hand. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase().slice(0, 100);
  const allowed = Math.max(1, Math.floor(wanted.length / 3));
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = distanceBetween(wanted, candidate.toLowerCase());
    if (distance <= allowed && (best === undefined || distance < best.distance)) {
      best = { name: candidate, distance };
    }
  }
  return best?.name;
}

/** How many characters must be put in, taken out, changed or swapped with the next one. */
function distanceBetween(a: string, b: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const change = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swap = isSwap ? (twoAbove[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      line.push(Math.min(change, swap, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    twoAbove = above;
    above = line;
  }
  return above[b.length] ?? 0;
}
