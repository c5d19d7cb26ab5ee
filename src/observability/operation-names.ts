/** Gives the name by which an operation is counted and traced; there are only so many of them, whatever callers call theirs. */
export type NameOperation = (name: string | undefined) => string;

export const ANONYMOUS = 'anonymous';
export const OTHER = 'other';

const LONGEST_NAME = 64;

/**
 * The first names that come are kept, for as long as the process lives: each is a series for good in whatever keeps the metrics. It is
 * asked only for operations that are valid and executed.
 * @param most names
 */
export function createOperationNames(most: number): NameOperation {
  const known = new Set<string>();
  return (name) => {
    if (name === undefined) return ANONYMOUS;
    if (known.has(name)) return name;
    if (known.size >= most || name.length > LONGEST_NAME) return OTHER;
    known.add(name);
    return name;
  };
}
