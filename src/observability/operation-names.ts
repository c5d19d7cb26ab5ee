/** Gives the name by which an operation is counted and traced; there are only so many of them, whatever callers call theirs. */
export type NameOperation = (name: string | undefined, isServed: boolean) => string;

export const ANONYMOUS = 'anonymous';
export const OTHER = 'other';

const LONGEST_NAME = 64;

/**
 * The first names that come are kept, for as long as the process lives: each is a series for good in whatever keeps the metrics. Only an
 * operation that was served something of the upstream's makes its name known: else strangers, whose keys nobody has checked, would take the
 * places, and write into the metrics what they like.
 * @param most names
 */
export function createOperationNames(most: number): NameOperation {
  const known = new Set<string>();
  return (name, isServed) => {
    if (name === undefined) return ANONYMOUS;
    if (known.has(name)) return name;
    if (!isServed || known.size >= most || name.length > LONGEST_NAME) return OTHER;
    known.add(name);
    return name;
  };
}
