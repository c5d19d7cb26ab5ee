import { LRUCache } from 'lru-cache';

/** The types that implement `Node`. */
export type NodeType = 'Call' | 'Assistant' | 'Campaign';

/** Which type an id has, as one credential has seen it. */
export interface NodeTypes {
  typeOf(id: string): NodeType | undefined;
  remember(id: string, type: NodeType): void;
}

const MOST_IDS = 100_000;
const FORGOTTEN_AFTER_MS = 3_600_000;

/**
 * Remembers the type of ids that have been served, so that `node(id:)` need not look for them everywhere: 100,000 ids in all, an
 * hour after they were last seen. What one credential has seen says nothing to another.
 * @param now the clock, ms
 */
export function createNodeTypes(now: () => number): (credentialFingerprint: string) => NodeTypes {
  const types = new LRUCache<string, NodeType>({ max: MOST_IDS, ttl: FORGOTTEN_AFTER_MS, updateAgeOnGet: true, perf: { now } });
  return (fingerprint) => ({
    typeOf: (id) => types.get(`${fingerprint}:${id}`),
    remember: (id, type) => {
      types.set(`${fingerprint}:${id}`, type);
    },
  });
}
