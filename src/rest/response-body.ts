import { isExactNumber, toNumericId } from '#rest/transport/exact-number.ts';
import { UnexpectedShapeError } from './upstream-request.ts';

/** Items of a list, unchecked: an item may be any JSON value. */
export interface ListResponse {
  readonly items: readonly unknown[];
  /** The length of the whole list, if the response contains it. */
  readonly total?: number;
}

/** @throws UnexpectedShapeError if the object has no id */
export function parseObject<T>(key: string, body: unknown): T {
  const object = isObject(body) ? body[key] : undefined;
  const id = isObject(object) ? object.id : undefined;
  if (typeof id === 'string' && id !== '') return object as T;
  const numericId = toNumericId(id);
  if (numericId !== undefined) return Object.freeze({ ...(object as T), id: numericId });
  throw new UnexpectedShapeError(`no ${key} with an id`);
}

/** @throws UnexpectedShapeError if there is no list */
export function parseList(key: string, body: unknown): ListResponse {
  const items = isObject(body) ? body[key] : undefined;
  if (!isObject(body) || !Array.isArray(items)) throw new UnexpectedShapeError(`no list of ${key}`);
  const total =
    typeof body.total === 'string' && body.total.trim() !== '' ? Number(body.total) : body.total;
  return Object.freeze(isValidTotal(total) ? { items, total } : { items });
}

/**
 * @throws UnexpectedShapeError also if the page has items, but none with an id: no cursor could point
 * into it
 */
export function parsePage(key: string, body: unknown): ListResponse {
  const list = parseList(key, body);
  const isUsable = (item: unknown) =>
    isObject(item) &&
    (typeof item.id === 'string' ? item.id !== '' : toNumericId(item.id) !== undefined);
  if (list.items.length === 0 || list.items.some(isUsable)) return list;
  throw new UnexpectedShapeError('a list in which no item has an id');
}

/** Derives the response to a request for the first page of one item from a longer first page. */
export function toFirstItem({ items, ...rest }: ListResponse): ListResponse {
  return Object.freeze({ ...rest, items: Object.freeze(items.slice(0, 1)) });
}

/**
 * Whether GraphQL's `Int` can hold the total. An invalid total counts as missing: the length can be
 * found in other ways.
 */
function isValidTotal(total: unknown): total is number {
  return Number.isInteger(total) && Number(total) >= 0 && Number(total) < 2 ** 31;
}

export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)
  );
}
