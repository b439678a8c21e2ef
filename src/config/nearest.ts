/** The known word that differs from `given` in the fewest letters, where they are few; a swap of two counts as one. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const most = Math.max(2, Math.floor(given.length / 3));
  const ranked = known.map((word) => ({ word, distance: distance(given.toLowerCase(), word) }));
  const best = ranked.reduce((a, b) => (b.distance < a.distance ? b : a), { word: "", distance: most + 1 });
  return best.distance > most ? undefined : best.word;
}

/** How many letters have to be put in, left out, changed or swapped with the next to make `b` of `a`. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(change, row[j]! + 1, next[j - 1]! + 1, isSwap ? before[j - 2]! + 1 : change);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
