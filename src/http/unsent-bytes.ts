import { GatewayError } from '#errors/gateway-error.ts';
import { type AdmittedCaller, ownerOf } from './exchange.ts';

/** Bytes of answers that are ready and that clients have yet to read. They are held in memory until then. */
export interface UnsentBytes {
  /** Throws a GatewayError for an owner that has left too much unread to be given more work. */
  check(caller: AdmittedCaller): void;
  /**
   * Counts the bytes of an answer until the returned function is called. Undefined: the owner has left too much unread.
   */
  hold(owner: string, bytes: number): (() => void) | undefined;
  total(): number;
}

export interface UnsentBytesOptions {
  readonly maxBytes: number;
  readonly maxBytesPerOwner: number;
  /** Called with the setting that is exceeded. */
  readonly onExcess: (setting: string) => void;
}

/** The server sends an answer up to this size at once, and a larger one in slices. */
export const MAX_SMALL_ANSWER_BYTES = 65_536;

const RETRY_AFTER_S = 1;

/**
 * An owner may go on while it holds less than its own limit. Beyond the limit of all owners together, it may still go on while it holds less than
 * their equal share: those who read their answers are served, whatever others leave unread. So all answers together hold at most twice
 * `maxBytes`, and one answer for each owner.
 */
export function createUnsentBytes({ maxBytes, maxBytesPerOwner, onExcess }: UnsentBytesOptions): UnsentBytes {
  const held = new Map<string, number>();
  let total = 0;

  return {
    check(caller) {
      // Usually all answers are sent: then the caller is not looked up.
      if (total === 0) return;
      const excess = excessOf(ownerOf(caller), 0);
      if (excess === undefined) return;
      onExcess(excess);
      const message = `Your clients have left too many bytes of answers unread (${excess}): read them before you ask for more.`;
      throw new GatewayError('RATE_LIMITED', message, { retryAfter: RETRY_AFTER_S });
    },
    hold(owner, bytes) {
      const excess = excessOf(owner, bytes);
      if (excess !== undefined) {
        onExcess(excess);
        return undefined;
      }
      add(owner, bytes);
      let isHeld = true;
      return () => {
        if (isHeld) add(owner, -bytes);
        isHeld = false;
      };
    },
    total: () => total,
  };

  function excessOf(owner: string, bytes: number): string | undefined {
    const own = held.get(owner) ?? 0;
    if (own >= maxBytesPerOwner) return 'MAX_UNSENT_BYTES_PER_CALLER';
    if (total < maxBytes) return undefined;
    const owners = held.size + (held.has(owner) ? 0 : 1);
    return own + bytes >= maxBytes / owners ? 'MAX_UNSENT_BYTES' : undefined;
  }

  function add(owner: string, bytes: number): void {
    total += bytes;
    const own = (held.get(owner) ?? 0) + bytes;
    if (own > 0) held.set(owner, own);
    else held.delete(owner);
  }
}
