import type { NodeType } from '#cache/node-types.ts';

const typeOf = new WeakMap<object, NodeType>();

/** Keeps what an object found by its id is: REST objects do not say their type. */
export function sayType<T extends object>(object: T, type: NodeType): T {
  typeOf.set(object, type);
  return object;
}

/** For interfaces and unions of what has an id. */
export function saidType(object: object): NodeType | null {
  return typeOf.get(object) ?? null;
}
