import { LRUCache } from 'lru-cache';
import { maxEntries } from './max-entries.ts';

/** The types that implement `Node`. */
export type NodeType = 'Call' | 'Assistant' | 'Campaign';

/** The object type of each id that was served to one credential. */
export interface NodeTypes {
  get(id: string): NodeType | undefined;
  set(id: string, type: NodeType): void;
}

const MAX_IDS = 100_000;
const MAX_REVOKED_CREDENTIALS = 10_000;
const TTL_MS = 3_600_000;

export interface NodeTypesByCredential {
  /** The types for one operation. */
  of(credentialFingerprint: string): NodeTypes;
  /** Drops the types of a rejected credential. */
  revoke(credentialFingerprint: string): void;
}

/**
 * Caches the object type of each served id, so that `node(id:)` need not try every endpoint:
 * 100,000 ids in total, for an hour after their last use. Credentials never share entries.
 * @param now the wall clock, in ms
 */
export function createNodeTypes(now: () => number): NodeTypesByCredential {
  const types = new LRUCache<string, NodeType>({
    ...maxEntries(MAX_IDS),
    ttl: TTL_MS,
    updateAgeOnGet: true,
    perf: { now },
  });
  // A revocation does not scan the map: that would block the event loop for a tenth of a second. It
  // changes the credential's number in the keys, so the old entries are no longer found.
  const revocations = new LRUCache<string, number>(maxEntries(MAX_REVOKED_CREDENTIALS));
  let revocationCount = 0;
  return {
    of(fingerprint) {
      // Once for an operation: what it reads before a revocation is not found after it.
      const prefix = `${fingerprint} ${revocations.get(fingerprint) ?? 0} `;
      return {
        get: (id) => types.get(prefix + id),
        set(id, type) {
          types.set(prefix + id, type);
        },
      };
    },
    revoke(fingerprint) {
      revocationCount += 1;
      revocations.set(fingerprint, revocationCount);
    },
  };
}
