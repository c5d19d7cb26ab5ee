import { createPartitionedMap } from '#rest/resilience/expiring-map.ts';
import type { LimitOwner } from '#rest/resilience/limit-sharing.ts';
import { type Signer, toSigner } from './signature.ts';

/**
 * The credentials that this instance uses, by fingerprint. A message about any other credential has
 * no effect: its signature cannot be checked.
 */
export interface KnownOwners {
  add(owner: LimitOwner): void;
  get(fingerprint: string): Signer | undefined;
}

/** How long a credential is kept after its last request, in ms: the longest cooldown, twice. */
const IDLE_TTL_MS = 600_000;
/** Of accepted credentials, and as many others. */
const MAX_CREDENTIALS = 10_000;

export function createKnownOwners(
  isAccepted: (fingerprint: string) => boolean,
  monotonicNow: () => number,
): KnownOwners {
  const signers = createPartitionedMap<Signer>(
    { idleMs: IDLE_TTL_MS, maxEntries: MAX_CREDENTIALS, monotonicNow },
    isAccepted,
  );
  return {
    add(owner) {
      if (!signers.get(owner.fingerprint)) signers.set(owner.fingerprint, toSigner(owner));
    },
    get: signers.get,
  };
}
