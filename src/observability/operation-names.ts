/** Gives the name by which an operation is counted and traced; there are only so many of them, whatever callers call theirs. */
export type OperationNamer = (name: string | undefined, hasUpstreamData: boolean) => string;

export const ANONYMOUS = 'anonymous';
export const OTHER = 'other';

const MAX_NAME_LENGTH = 64;

/**
 * The first names that come are kept, for as long as the process lives: each is a series for good in whatever keeps the metrics. Only an
 * operation that was served something of the upstream's makes its name known: else strangers, whose keys nobody has checked, would take the
 * places, and write into the metrics what they like.
 * @param maxNames names
 */
export function createOperationNamer(maxNames: number): OperationNamer {
  const names = new Set<string>();
  return (name, hasUpstreamData) => {
    if (name === undefined) return ANONYMOUS;
    if (names.has(name)) return name;
    if (!hasUpstreamData || names.size >= maxNames || name.length > MAX_NAME_LENGTH) return OTHER;
    names.add(name);
    return name;
  };
}
