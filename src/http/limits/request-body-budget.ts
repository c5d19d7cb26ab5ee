import { GatewayError } from '#errors/gateway-error.ts';
import { type Caller, ownerOf, type RequestHead } from '#http/message.ts';

/** Bytes of request bodies that are read, parsed and waiting for their turn. A slow upload holds them from its first byte. */
export interface RequestBodyBudget {
  /**
   * Counts the body of a request until it is released.
   * @throws GatewayError (`RATE_LIMITED`) for a large body, when the owner has too many bytes under way
   */
  reserve(caller: Caller, request: RequestHead): BodyReservation;
}

export interface BodyReservation {
  /** Counts more of a body that did not say its length. @throws GatewayError as `hold` does */
  readonly add: (bytes: number) => void;
  readonly release: () => void;
}

/** The body of a request that is being answered; absent: the request is not admitted yet. */
export interface PendingBody {
  reservation?: BodyReservation;
}

export interface RequestBodyBudgetOptions {
  /** The longest body that is read, bytes. */
  readonly maxBodyBytes: number;
  /** Bodies of all owners, bytes. Default 64 MiB: as text and parsed they take a few times as much. */
  readonly maxBytes?: number;
}

/** Bodies up to this size are never refused. */
const MAX_SMALL_BODY_BYTES = 65_536;

/** Nearly all operations are smaller. They are not counted: as many as there are connections take 8 MiB. */
const MAX_UNCOUNTED_BODY_BYTES = 4_096;

const NOT_COUNTED: BodyReservation = { add: () => {}, release: () => {} };

const RETRY_AFTER_S = 1;

/** An owner may have half of all bytes under way; once they are spent, its equal share. A small number of long bodies must not keep out the others. */
export function createRequestBodyBudget({ maxBodyBytes, maxBytes = 64 * 2 ** 20 }: RequestBodyBudgetOptions): RequestBodyBudget {
  const bytesByOwner = new Map<string, number>();
  let totalBytes = 0;

  return {
    reserve(caller, { headers }) {
      const contentLength = headers.get('content-length');
      if (contentLength !== null && Number(contentLength) <= MAX_UNCOUNTED_BODY_BYTES) return NOT_COUNTED;
      const owner = ownerOf(caller);
      let bodyBytes = 0;
      let counted = 0;
      const reserveMore = (bytes: number) => {
        const newBodyBytes = bodyBytes + bytes;
        // A longer one is not read.
        if (newBodyBytes > maxBodyBytes) return;
        if (newBodyBytes > MAX_SMALL_BODY_BYTES && exceedsShare(owner, newBodyBytes - counted)) throw tooManyBodyBytes();
        bodyBytes = newBodyBytes;
        if (newBodyBytes <= MAX_UNCOUNTED_BODY_BYTES) return;
        add(owner, newBodyBytes - counted);
        counted = newBodyBytes;
      };
      reserveMore(Number(contentLength ?? 0));
      return {
        add: (bytes) => contentLength === null && reserveMore(bytes),
        release() {
          add(owner, -counted);
          counted = 0;
        },
      };
    },
  };

  function exceedsShare(owner: string, bytes: number): boolean {
    const ownerBytes = (bytesByOwner.get(owner) ?? 0) + bytes;
    if (ownerBytes > maxBytes / 2) return true;
    const owners = bytesByOwner.size + (bytesByOwner.has(owner) ? 0 : 1);
    return totalBytes + bytes > maxBytes && ownerBytes > maxBytes / owners;
  }

  function add(owner: string, bytes: number): void {
    if (bytes === 0) return;
    totalBytes += bytes;
    const own = (bytesByOwner.get(owner) ?? 0) + bytes;
    if (own > 0) bytesByOwner.set(owner, own);
    else bytesByOwner.delete(owner);
  }
}

function tooManyBodyBytes(): GatewayError {
  const message = 'Too many bytes of large request bodies are under way. Send smaller bodies, or try again in a moment.';
  return new GatewayError('RATE_LIMITED', message, { retryAfter: RETRY_AFTER_S });
}
