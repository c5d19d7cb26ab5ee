import type { NodeType } from '#cache/node-types.ts';

const nodeTypes = new WeakMap<object, NodeType>();

/**
 * Records the type of an object that was loaded by its id: REST objects do not contain their type.
 */
export function setNodeType<T extends object>(object: T, type: NodeType): T {
  nodeTypes.set(object, type);
  return object;
}

/** `__resolveType` for interfaces and unions of types with an id. */
export function getNodeType(object: object): NodeType | null {
  return nodeTypes.get(object) ?? null;
}
