import { BodyTooLargeError, GatewayError } from '#errors/gateway-error.ts';
import { createSecretCheck } from '#http/auth/secret-check.ts';
import { readDecodedBodyUpTo } from '#http/decode-body.ts';
import { toErrorResponse } from '#http/error-response.ts';
import { CONTENT_CODINGS, parseContentEncoding } from '#http/headers/content-encoding.ts';
import { type BodyReservation, createRequestBodyBudget } from '#http/limits/request-body-budget.ts';
import { readBodyUpTo } from '#http/read-body.ts';
import { WEBHOOK_ROUTE } from '#http/routes.ts';
import type { WebhookResult } from '#live/live-events.ts';
import { TokenBucket } from '#live/token-bucket.ts';
import { InvalidWebhookError, readCallId } from './call-id.ts';

export interface WebhookEndpointOptions {
  /** Any of them is accepted, so that a secret can be replaced. */
  readonly secrets: readonly string[];
  /** A call may have changed. Returns whether any subscriber follows it. */
  readonly hint: (callId: string) => boolean;
  readonly onWebhook: (result: WebhookResult) => void;
  readonly monotonicNow: () => number;
}

/**
 * Handles a request to a path below the route.
 * @param given the last segment of the path
 * @returns undefined if it is no secret: then the path does not exist
 */
export type HandleWebhook = (given: string, request: Request) => Promise<Response> | undefined;

/** Webhooks a second. A webhook that is refused costs time only: the next poll comes anyway. */
const MAX_RATE = 100;
const MAX_BODY_BYTES = 2 ** 20;
/** Maximum bytes of large bodies in flight: twice as much, because one owner may hold half of it. */
const MAX_BYTES = 2 * 8 * 2 ** 20;

/** Owner of all bodies: all senders with a secret are one caller. */
const SENDER = { callerKey: 'webhooks', isCredentialAccepted: () => true };

/**
 * The endpoint of the webhooks that Revox sends when a call is over. A webhook is not signed, so it
 * is no data: it makes polls due, with the credentials that watch the call. The response does not
 * reveal whether any does.
 */
export function createWebhookEndpoint({
  secrets,
  hint,
  onWebhook,
  monotonicNow,
}: WebhookEndpointOptions): HandleWebhook {
  const isSecret = createSecretCheck(secrets);
  const bodyBudget = createRequestBodyBudget({
    maxBodyBytes: MAX_BODY_BYTES,
    maxBytes: MAX_BYTES,
  });
  const bucket = new TokenBucket(MAX_RATE, monotonicNow());

  return (given, request) => {
    if (isSecret(given)) return handle(request);
    onWebhook('secret');
    return undefined;
  };

  async function handle(request: Request): Promise<Response> {
    try {
      const refusal = refuse(request);
      if (refusal) return refusal;
      onWebhook(hint(readCallId(await readBody(request))) ? 'due' : 'unwatched');
      return new Response(null, { status: 204 });
    } catch (error) {
      const refusal = toRefusal(error);
      // The client has disconnected: the server reports that.
      if (request.signal.aborted) throw error;
      return refusal;
    }
  }

  /** As far as the head of the request shows. */
  function refuse({ method, headers }: Request): Response | undefined {
    if (method !== 'POST')
      return respond('invalid', 405, `${WEBHOOK_ROUTE} accepts only POST.`, { allow: 'POST' });
    const now = monotonicNow();
    if (bucket.availableAt(now) > now)
      return respond('limited', 429, `At most ${MAX_RATE} webhooks are accepted in a second.`);
    bucket.take(now);
    if (parseContentEncoding(headers.get('content-encoding')) === null)
      return respond('invalid', 415, `Content-Encoding must be ${CONTENT_CODINGS.join(', ')}.`);
    const length = Number(headers.get('content-length') ?? 0);
    if (length > MAX_BODY_BYTES) throw new BodyTooLargeError(MAX_BODY_BYTES, length);
    return undefined;
  }

  async function readBody(request: Request): Promise<Uint8Array> {
    const coding = parseContentEncoding(request.headers.get('content-encoding'));
    const reader = request.body?.getReader();
    if (!reader) return new Uint8Array();
    let reservation: BodyReservation | undefined;
    try {
      reservation = bodyBudget.reserve(SENDER, request);
      return coding
        ? await readDecodedBodyUpTo(MAX_BODY_BYTES, reader, coding, reservation.add)
        : await readBodyUpTo(MAX_BODY_BYTES, reader, reservation.add);
    } finally {
      reservation?.release();
    }
  }

  function toRefusal(error: unknown): Response {
    if (error instanceof InvalidWebhookError) return respond('invalid', 400, error.message);
    if (error instanceof BodyTooLargeError)
      return respond('limited', 413, `The body must have at most ${MAX_BODY_BYTES} bytes.`);
    if (error instanceof GatewayError && error.code === 'RATE_LIMITED')
      return respond('limited', 429, error.message);
    return respond('invalid', 400, 'The body is incomplete or corrupt.');
  }

  function respond(
    result: WebhookResult,
    status: number,
    message: string,
    headers: Record<string, string> = {},
  ): Response {
    onWebhook(result);
    if (status !== 429)
      return toErrorResponse(status === 413 ? 'OPERATION_TOO_COMPLEX' : 'BAD_USER_INPUT', message, {
        status,
        headers,
      });
    return toErrorResponse('RATE_LIMITED', message, {
      status,
      headers: { 'retry-after': '1' },
      details: { retryAfter: 1 },
    });
  }
}
