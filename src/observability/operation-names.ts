/**
 * Returns the name under which an operation is counted and traced, from a bounded set, regardless
 * of the names that callers choose.
 */
export type OperationNamer = (name: string | undefined, hasUpstreamData: boolean) => string;

export const ANONYMOUS = 'anonymous';
export const OTHER = 'other';

const MAX_NAME_LENGTH = 64;

/** Each name adds about fifteen time series for each result code of its operations. */
const MAX_NAMES = 100;

/**
 * Registers the first names, for as long as the process lives: each is a permanent series in the
 * metrics storage. A name is registered only once an operation of that name was served upstream
 * data: otherwise callers with unaccepted credentials could use up the names, and write any string
 * into the metrics.
 * @param maxNames the maximum number of names that are counted separately
 */
export function createOperationNamer(maxNames = MAX_NAMES): OperationNamer {
  const names = new Set<string>();
  return (name, hasUpstreamData) => {
    if (name === undefined) return ANONYMOUS;
    if (names.has(name)) return name;
    if (!hasUpstreamData || names.size >= maxNames || name.length > MAX_NAME_LENGTH) return OTHER;
    names.add(name);
    return name;
  };
}
