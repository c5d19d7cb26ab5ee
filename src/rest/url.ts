import { UserInputError } from '#errors/gateway-error.ts';

/** How a list of values is written into a query string: `a,b`, `k=a&k=b` or `k[]=a&k[]=b`. Which one Revox reads is not documented. */
export type ArrayFormat = 'comma' | 'repeat' | 'brackets';

export type QueryParameters = { readonly [name: string]: string | number | readonly string[] | undefined };

/**
 * Encodes one segment of a path, so that no id ever reaches another endpoint.
 * @throws UserInputError for what encoding cannot hold: nothing, `.` and `..` (which URLs swallow, encoded or not), half a character
 */
export function toPathSegment(id: string): string {
  if (isPathSegment(id)) return encodeURIComponent(id);
  throw new UserInputError(
    id.isWellFormed()
      ? `"${id}" cannot be an id: pass the id of an object as Revox gave it.`
      : 'This cannot be an id: it holds half a character (an unpaired surrogate).',
  );
}

/** Whether a path can hold this as one segment. */
export function isPathSegment(id: string): boolean {
  return !['', '.', '..'].includes(id) && id.isWellFormed();
}

/** Writes a query string with its question mark; empty when there is nothing to write. */
export function toQueryString(parameters: QueryParameters, arrayFormat: ArrayFormat): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (typeof value !== 'object') query.append(name, String(value));
    else if (arrayFormat === 'comma') query.append(name, value.join(','));
    else for (const item of value) query.append(arrayFormat === 'brackets' ? `${name}[]` : name, item);
  }
  return query.size === 0 ? '' : `?${query}`;
}
