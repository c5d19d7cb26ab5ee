/** An object as REST spells it, nothing more known of it. */
export type WireObject = { readonly [key: string]: unknown };

export function isWireObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether an object can be known again. What is no text and no number is no id, nor what no URL can hold. */
export function hasId({ id }: WireObject): boolean {
  return typeof id === 'number' || (typeof id === 'string' && !['', '.', '..'].includes(id));
}

const LOAD_FULL = Symbol('load whole');

type Stub<T> = T & { readonly [LOAD_FULL]?: () => Promise<T | null> };

/**
 * Marks an object of which only some keys have come. A field whose key is missing calls `load` and reads on there. Null when the
 * object has no id: then there is no whole of it.
 * @param load null when there is no such object any more; remembers its own answer
 */
export function asStub<T>(known: object, load: () => Promise<T | null>): T | null {
  return hasId(known as WireObject) ? ({ ...known, [LOAD_FULL]: load } as T) : null;
}

/** Gives the whole of an object that came in part, and any other object as it is. */
export function loadFull<T extends object>(object: T): T | Promise<T | null> {
  return (object as Stub<T>)[LOAD_FULL]?.() ?? object;
}
