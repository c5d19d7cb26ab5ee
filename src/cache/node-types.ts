import { LRUCache } from 'lru-cache';
import { maxEntries } from './at-most.ts';

/** The types that implement `Node`. */
export type NodeType = 'Call' | 'Assistant' | 'Campaign';

/** Which type an id has, as one credential has seen it. */
export interface NodeTypes {
  get(id: string): NodeType | undefined;
  set(id: string, type: NodeType): void;
}

const MAX_IDS = 100_000;
const MAX_REVOKED_CREDENTIALS = 10_000;
const TTL_MS = 3_600_000;

export interface NodeTypesByCredential {
  of(credentialFingerprint: string): NodeTypes;
  /** The credential was refused: what it has seen is nobody's business any more. */
  revoke(credentialFingerprint: string): void;
}

/**
 * Remembers the type of ids that have been served, so that `node(id:)` need not look for them everywhere: 100,000 ids in all, an
 * hour after they were last seen. What one credential has seen says nothing to another.
 * @param now the clock, ms
 */
export function createNodeTypes(now: () => number): NodeTypesByCredential {
  const types = new LRUCache<string, NodeType>({
    ...maxEntries(MAX_IDS),
    ttl: TTL_MS,
    updateAgeOnGet: true,
    perf: { now },
  });
  // Not looked through when one is refused: that would stop everyone for a tenth of a second. What its old number stands for is not found.
  const revocations = new LRUCache<string, number>(maxEntries(MAX_REVOKED_CREDENTIALS));
  let revocationCount = 0;
  const toKey = (fingerprint: string, id: string) => `${fingerprint} ${revocations.get(fingerprint) ?? 0} ${id}`;
  return {
    of: (fingerprint) => ({
      get: (id) => types.get(toKey(fingerprint, id)),
      set: (id, type) => {
        types.set(toKey(fingerprint, id), type);
      },
    }),
    revoke(fingerprint) {
      revocationCount += 1;
      revocations.set(fingerprint, revocationCount);
    },
  };
}
