/**
 * The Damerau-Levenshtein distance of two texts (optimal string alignment): how many characters are
 * inserted, deleted, replaced, or swapped with their neighbour.
 */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(beforePrevious, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, to.length);
}

/** The candidates within a distance of a text, the nearest first. */
export function findSimilar(
  text: string,
  candidates: readonly string[],
  maxDistanceOf: (candidate: string) => number,
): string[] {
  return candidates
    .filter((candidate) => Math.abs(candidate.length - text.length) <= maxDistanceOf(candidate))
    .map((candidate) => ({ candidate, distance: editDistance(text, candidate) }))
    .filter(({ candidate, distance }) => distance <= maxDistanceOf(candidate))
    .sort((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
