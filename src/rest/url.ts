import { UserInputError } from '#errors/gateway-error.ts';

/**
 * How a list of values is encoded in a query string: `a,b`, `k=a&k=b` or `k[]=a&k[]=b`. Revox does
 * not document which one it reads.
 */
export type ArrayFormat = 'comma' | 'repeat' | 'brackets';

export type QueryParameters = {
  readonly [name: string]: string | number | readonly string[] | undefined;
};

/**
 * Encodes one path segment, so that no id can reach another endpoint.
 * @throws UserInputError for an id that a segment cannot hold: an empty one, `.` and `..` (which
 *   URLs normalize away, encoded or not), or an unpaired surrogate
 */
export function toPathSegment(id: string): string {
  if (isPathSegment(id)) return encodeURIComponent(id);
  throw new UserInputError(
    id.isWellFormed()
      ? `"${id}" cannot be an id: pass the id of an object as Revox gave it.`
      : 'This value cannot be an id: it contains an unpaired surrogate.',
  );
}

/** Whether this can be encoded as one path segment. */
export function isPathSegment(id: string): boolean {
  return !['', '.', '..'].includes(id) && id.isWellFormed();
}

/** Returns the query string with its question mark; empty without parameters. */
export function toQueryString(parameters: QueryParameters, arrayFormat: ArrayFormat): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (typeof value !== 'object') query.append(name, String(value));
    else if (arrayFormat === 'comma') query.append(name, value.join(','));
    else
      for (const item of value) query.append(arrayFormat === 'brackets' ? `${name}[]` : name, item);
  }
  return query.size === 0 ? '' : `?${query}`;
}
