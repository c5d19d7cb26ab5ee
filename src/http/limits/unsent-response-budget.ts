import { GatewayError } from '#errors/gateway-error.ts';
import { type Caller, ownerOf } from '#http/message.ts';
import { OwnerBytes } from './owner-bytes.ts';

/**
 * Counts the bytes of responses that are complete and that clients have yet to read. They are in
 * memory until then.
 */
export interface UnsentResponseBudget {
  /** @throws GatewayError for an owner that has too many unsent bytes to start another operation */
  check(caller: Caller): void;
  /**
   * Counts the bytes of a response until the returned function is called. Undefined: the owner has
   * too many unsent bytes.
   */
  reserve(owner: string, bytes: number): (() => void) | undefined;
  totalBytes(): number;
}

export interface UnsentResponseBudgetOptions {
  readonly maxBytes: number;
  readonly maxBytesPerOwner: number;
  /** Called with the setting that is exceeded. */
  readonly onLimitExceeded: (setting: string) => void;
}

/** The server sends a response up to this size at once, and a larger one in slices. */
export const MAX_SMALL_RESPONSE_BYTES = 65_536;

const RETRY_AFTER_S = 1;

/**
 * An owner may start operations and receive responses while its unsent bytes are below
 * `maxBytesPerOwner`. Once all owners together reach `maxBytes`, its unsent bytes must also be
 * below an equal share: a caller that reads its responses is served, whatever other callers leave
 * unread. So all responses together take at most twice `maxBytes`, and one response for each owner.
 */
export function createUnsentResponseBudget({
  maxBytes,
  maxBytesPerOwner,
  onLimitExceeded,
}: UnsentResponseBudgetOptions): UnsentResponseBudget {
  const unsentBytes = new OwnerBytes();

  return {
    check(caller) {
      // Usually all responses are sent: then the owner need not be looked up.
      if (unsentBytes.total === 0) return;
      const exceededSetting = exceededSettingOf(ownerOf(caller), 0);
      if (exceededSetting === undefined) return;
      onLimitExceeded(exceededSetting);
      const message = `Too many bytes of responses are unread (${exceededSetting}): read them before you send more requests.`;
      throw new GatewayError('RATE_LIMITED', message, { retryAfter: RETRY_AFTER_S });
    },
    reserve(owner, bytes) {
      const exceededSetting = exceededSettingOf(owner, bytes);
      if (exceededSetting !== undefined) {
        onLimitExceeded(exceededSetting);
        return undefined;
      }
      unsentBytes.add(owner, bytes);
      let isReserved = true;
      return () => {
        if (isReserved) unsentBytes.add(owner, -bytes);
        isReserved = false;
      };
    },
    totalBytes: () => unsentBytes.total,
  };

  function exceededSettingOf(owner: string, bytes: number): string | undefined {
    const ownerBytes = unsentBytes.of(owner);
    if (ownerBytes >= maxBytesPerOwner) return 'MAX_UNSENT_BYTES_PER_CALLER';
    if (unsentBytes.total < maxBytes) return undefined;
    return ownerBytes + bytes >= unsentBytes.fairShareOf(owner, maxBytes)
      ? 'MAX_UNSENT_BYTES'
      : undefined;
  }
}
