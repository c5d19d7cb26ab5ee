import { isExactNumber, toNumericId } from '#rest/transport/exact-number.ts';

/** An object as REST returns it, with unknown values. */
export type WireObject = { readonly [key: string]: unknown };

export function isWireObject(value: unknown): value is WireObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)
  );
}

/**
 * Whether an object has an id that identifies it. An id must be a string or a number, and must be
 * usable in a URL path.
 */
export function hasId({ id }: WireObject): boolean {
  return toId(id) !== undefined;
}

/** An id as text; undefined for a value that identifies no object. */
export function toId(id: unknown): string | undefined {
  if (typeof id !== 'string') return toNumericId(id);
  return ['', '.', '..'].includes(id) ? undefined : id;
}

const LOAD_FULL = Symbol('load whole');

type Stub<T> = T & { readonly [LOAD_FULL]?: () => Promise<T | null> };

/**
 * Marks an object that contains only some of its keys. A field whose key is missing calls `load`
 * and reads the loaded object. Null if the object has no id: then the full object cannot be loaded.
 * @param load resolves with null if the object no longer exists; must cache its own result
 */
export function asStub<T>(known: object, load: () => Promise<T | null>): T | null {
  return hasId(known as WireObject) ? ({ ...known, [LOAD_FULL]: load } as T) : null;
}

/** Loads the full object of a stub; returns any other object unchanged. */
export function loadFull<T extends object>(object: T): T | Promise<T | null> {
  return (object as Stub<T>)[LOAD_FULL]?.() ?? object;
}
