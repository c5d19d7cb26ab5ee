import { GatewayError } from '#errors/gateway-error.ts';
import { type Caller, ownerOf, type RequestHead } from '#http/message.ts';
import { OwnerBytes } from './owner-bytes.ts';

/**
 * Counts the bytes of request bodies that are read, parsed, or waiting for their turn. A slow
 * upload is counted from its first byte.
 */
export interface RequestBodyBudget {
  /**
   * Counts the body of a request until the reservation is released.
   * @throws GatewayError (`RATE_LIMITED`) for a large body, when its owner has too many bytes in
   * flight
   */
  reserve(caller: Caller, request: Pick<RequestHead, 'headers'>): BodyReservation;
}

export interface BodyReservation {
  /**
   * Counts more bytes of a body whose length is unknown: without `Content-Length`, or encoded.
   * @throws GatewayError as `reserve` does
   */
  readonly add: (bytes: number) => void;
  readonly release: () => void;
}

/**
 * The body of a request in flight. Its reservation is absent until the request is authenticated.
 */
export interface PendingBody {
  reservation?: BodyReservation;
}

export interface RequestBodyBudgetOptions {
  /** Maximum bytes of one body. */
  readonly maxBodyBytes: number;
  /**
   * Maximum bytes of the bodies of all owners. Decoded and parsed, they take a few times as much.
   * @default 64 MiB
   */
  readonly maxBytes?: number;
}

/** Bodies up to this size are never rejected. */
const MAX_SMALL_BODY_BYTES = 65_536;

/**
 * Bodies up to this size are not counted: one on each of 2,000 connections takes 8 MiB in total.
 * Nearly all operations are smaller.
 */
const MAX_UNCOUNTED_BODY_BYTES = 4_096;

const NOT_COUNTED: BodyReservation = { add: () => {}, release: () => {} };

const RETRY_AFTER_S = 1;

/**
 * An owner may hold half of `maxBytes`. When all owners together exceed `maxBytes`, an owner may
 * hold an equal share. A few large bodies must not keep out other callers.
 */
export function createRequestBodyBudget({
  maxBodyBytes,
  maxBytes = 64 * 2 ** 20,
}: RequestBodyBudgetOptions): RequestBodyBudget {
  const heldBytes = new OwnerBytes();

  return {
    reserve(caller, { headers }) {
      // The decoded bytes of an encoded body are counted as they arrive.
      const length = headers.has('content-encoding')
        ? undefined
        : parseLength(headers.get('content-length'));
      if (length !== undefined && length <= MAX_UNCOUNTED_BODY_BYTES) return NOT_COUNTED;
      const owner = ownerOf(caller);
      let bodyBytes = 0;
      let counted = 0;
      const reserveMore = (bytes: number) => {
        const newBodyBytes = bodyBytes + bytes;
        // `maxBodyBytes` rejects this body: it is not counted here.
        if (newBodyBytes > maxBodyBytes) return;
        if (newBodyBytes > MAX_SMALL_BODY_BYTES && exceedsShare(owner, newBodyBytes - counted))
          throw tooManyBodyBytes();
        bodyBytes = newBodyBytes;
        if (newBodyBytes <= MAX_UNCOUNTED_BODY_BYTES) return;
        heldBytes.add(owner, newBodyBytes - counted);
        counted = newBodyBytes;
      };
      reserveMore(length ?? 0);
      return {
        add: (bytes) => length === undefined && reserveMore(bytes),
        release() {
          heldBytes.add(owner, -counted);
          counted = 0;
        },
      };
    },
  };

  function exceedsShare(owner: string, bytes: number): boolean {
    const ownerBytes = heldBytes.of(owner) + bytes;
    if (ownerBytes > maxBytes / 2) return true;
    return (
      heldBytes.total + bytes > maxBytes && ownerBytes > heldBytes.fairShareOf(owner, maxBytes)
    );
  }
}

/**
 * Undefined if the length is unknown. Not every server in which the gateway is embedded checks the
 * header, and one `NaN` in the sum of bytes would disable the budget for good.
 */
function parseLength(contentLength: string | null): number | undefined {
  return contentLength !== null && /^\d+$/.test(contentLength) ? Number(contentLength) : undefined;
}

function tooManyBodyBytes(): GatewayError {
  const message =
    'Too many bytes of large request bodies are in flight. Send smaller bodies, or try again in a moment.';
  return new GatewayError('RATE_LIMITED', message, { retryAfter: RETRY_AFTER_S });
}
