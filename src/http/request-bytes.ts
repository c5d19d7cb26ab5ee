import { GatewayError } from '#errors/gateway-error.ts';
import { type AdmittedCaller, ownerOf, type RequestHead } from './exchange.ts';

/** Bytes of request bodies that are read, parsed and waiting for their turn. A slow upload holds them from its first byte. */
export interface RequestBytes {
  /**
   * Counts the body of a request until it is released.
   * @throws GatewayError (`RATE_LIMITED`) for a large body, when the owner has too many bytes under way
   */
  hold(caller: AdmittedCaller, request: RequestHead): HeldBody;
}

export interface HeldBody {
  /** Counts more of a body that did not say its length. @throws GatewayError as `hold` does */
  readonly add: (bytes: number) => void;
  readonly release: () => void;
}

/** The body of a request that is being answered; absent: the request is not admitted yet. */
export interface BodyUnderWay {
  held?: HeldBody;
}

export interface RequestBytesOptions {
  /** The longest body that is read, bytes. */
  readonly maxBodyBytes: number;
  /** Bodies of all owners, bytes. Default 64 MiB: as text and parsed they take a few times as much. */
  readonly maxBytes?: number;
}

/** Bodies up to this size are never refused. */
const MAX_SMALL_BODY_BYTES = 65_536;

/** Nearly all operations are smaller. They are not counted: as many as there are connections take 8 MiB. */
const MAX_UNCOUNTED_BODY_BYTES = 4_096;

const NOT_COUNTED: HeldBody = { add: () => {}, release: () => {} };

const RETRY_AFTER_S = 1;

/** An owner may have half of all bytes under way; once they are spent, its equal share. A small number of long bodies must not keep out the others. */
export function createRequestBytes({ maxBodyBytes, maxBytes = 64 * 2 ** 20 }: RequestBytesOptions): RequestBytes {
  const held = new Map<string, number>();
  let total = 0;

  return {
    hold(caller, { headers }) {
      const length = headers.get('content-length');
      if (length !== null && Number(length) <= MAX_UNCOUNTED_BODY_BYTES) return NOT_COUNTED;
      const owner = ownerOf(caller);
      let own = 0;
      let counted = 0;
      const count = (bytes: number) => {
        const whole = own + bytes;
        // A longer one is not read.
        if (whole > maxBodyBytes) return;
        if (whole > MAX_SMALL_BODY_BYTES && isOver(owner, whole - counted)) throw toTooManyBytes();
        own = whole;
        if (whole <= MAX_UNCOUNTED_BODY_BYTES) return;
        add(owner, whole - counted);
        counted = whole;
      };
      count(Number(length ?? 0));
      return {
        add: (bytes) => length === null && count(bytes),
        release() {
          add(owner, -counted);
          counted = 0;
        },
      };
    },
  };

  function isOver(owner: string, bytes: number): boolean {
    const own = (held.get(owner) ?? 0) + bytes;
    if (own > maxBytes / 2) return true;
    const owners = held.size + (held.has(owner) ? 0 : 1);
    return total + bytes > maxBytes && own > maxBytes / owners;
  }

  function add(owner: string, bytes: number): void {
    if (bytes === 0) return;
    total += bytes;
    const own = (held.get(owner) ?? 0) + bytes;
    if (own > 0) held.set(owner, own);
    else held.delete(owner);
  }
}

function toTooManyBytes(): GatewayError {
  const message = 'Too many bytes of large request bodies are under way. Send smaller bodies, or try again in a moment.';
  return new GatewayError('RATE_LIMITED', message, { retryAfter: RETRY_AFTER_S });
}
