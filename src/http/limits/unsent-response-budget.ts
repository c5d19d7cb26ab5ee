import { GatewayError } from '#errors/gateway-error.ts';
import { type Caller, ownerOf, type UnsentBytesSetting } from '#http/message.ts';
import { OwnerBytes } from './owner-bytes.ts';

/**
 * Counts the bytes of responses that are complete and that clients have yet to read. They are in
 * memory until then.
 */
export interface UnsentResponseBudget {
  /** @throws GatewayError for an owner that has too many unsent bytes to start another operation */
  check(caller: Caller): void;
  /**
   * Counts the bytes of a response until the returned function is called. If the owner has too many
   * unsent bytes, returns the exceeded setting.
   */
  reserve(owner: string, bytes: number): (() => void) | UnsentBytesSetting;
  totalBytes(): number;
}

export interface UnsentResponseBudgetOptions {
  readonly maxBytes: number;
  readonly maxBytesPerOwner: number;
  /** Called with the setting that is exceeded. */
  readonly onLimitExceeded: (setting: UnsentBytesSetting) => void;
}

/** The server sends a response up to this size at once, and a larger one in slices. */
export const MAX_SMALL_RESPONSE_BYTES = 65_536;

const RETRY_AFTER_S = 1;

/** The message to a client that has too many unsent bytes. */
export function toUnsentBytesMessage(setting: UnsentBytesSetting): string {
  return `Too many bytes of responses are unread (${setting}): read them before you send more requests.`;
}

/**
 * An owner may start operations and receive responses while its unsent bytes are below
 * `maxBytesPerOwner`. Once all owners together reach `maxBytes`, the unsent bytes of an owner must
 * also be below an equal share, `maxBytes` divided by the number of owners: a caller that reads its
 * responses keeps this share, whatever other callers leave unread. Each further owner gets a
 * smaller share: the n-th owner gets `maxBytes / n`. Together, N owners hold less than `maxBytes *
 * (2 + ln N)` plus the bytes of one response.
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
      throw new GatewayError('RATE_LIMITED', toUnsentBytesMessage(exceededSetting), {
        retryAfter: RETRY_AFTER_S,
      });
    },
    reserve(owner, bytes) {
      const exceededSetting = exceededSettingOf(owner, bytes);
      if (exceededSetting !== undefined) {
        onLimitExceeded(exceededSetting);
        return exceededSetting;
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

  function exceededSettingOf(owner: string, bytes: number): UnsentBytesSetting | undefined {
    const ownerBytes = unsentBytes.of(owner);
    if (ownerBytes >= maxBytesPerOwner) return 'MAX_UNSENT_BYTES_PER_CALLER';
    if (unsentBytes.total < maxBytes) return undefined;
    return ownerBytes + bytes >= unsentBytes.fairShareOf(owner, maxBytes)
      ? 'MAX_UNSENT_BYTES'
      : undefined;
  }
}
