import type { NodeType } from '#cache/node-types.ts';

const nodeTypes = new WeakMap<object, NodeType>();

/** Keeps what an object found by its id is: REST objects do not say their type. */
export function setNodeType<T extends object>(object: T, type: NodeType): T {
  nodeTypes.set(object, type);
  return object;
}

/** For interfaces and unions of what has an id. */
export function getNodeType(object: object): NodeType | null {
  return nodeTypes.get(object) ?? null;
}
