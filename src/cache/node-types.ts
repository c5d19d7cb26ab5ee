import { LRUCache } from 'lru-cache';
import { atMost } from './at-most.ts';

/** The types that implement `Node`. */
export type NodeType = 'Call' | 'Assistant' | 'Campaign';

/** Which type an id has, as one credential has seen it. */
export interface NodeTypes {
  typeOf(id: string): NodeType | undefined;
  remember(id: string, type: NodeType): void;
}

const MOST_IDS = 100_000;
const MOST_REFUSED = 10_000;
const FORGOTTEN_AFTER_MS = 3_600_000;

export interface NodeTypesByCredential {
  of(credentialFingerprint: string): NodeTypes;
  /** The credential was refused: what it has seen is nobody's business any more. */
  forget(credentialFingerprint: string): void;
}

/**
 * Remembers the type of ids that have been served, so that `node(id:)` need not look for them everywhere: 100,000 ids in all, an
 * hour after they were last seen. What one credential has seen says nothing to another.
 * @param now the clock, ms
 */
export function createNodeTypes(now: () => number): NodeTypesByCredential {
  const types = new LRUCache<string, NodeType>({
    ...atMost(MOST_IDS),
    ttl: FORGOTTEN_AFTER_MS,
    updateAgeOnGet: true,
    perf: { now },
  });
  // Not looked through when one is refused: that would stop everyone for a tenth of a second. What its old number stands for is not found.
  const refusals = new LRUCache<string, number>(atMost(MOST_REFUSED));
  let refused = 0;
  const toKey = (fingerprint: string, id: string) => `${fingerprint} ${refusals.get(fingerprint) ?? 0} ${id}`;
  return {
    of: (fingerprint) => ({
      typeOf: (id) => types.get(toKey(fingerprint, id)),
      remember: (id, type) => {
        types.set(toKey(fingerprint, id), type);
      },
    }),
    forget(fingerprint) {
      refused += 1;
      refusals.set(fingerprint, refused);
    },
  };
}
