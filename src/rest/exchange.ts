import {
  CredentialRefusedError,
  RateLimitedError,
  type UpstreamError,
  UpstreamInvalidResponseError,
  UpstreamNotFoundError,
  UpstreamRejectedError,
  type UpstreamRequestLine,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import { EncodingError } from './content-encoding.ts';
import type { Credential } from './credential.ts';
import { readJson, TooDeepError, TooLargeError } from './read-json.ts';
import { toRetryAfterMs } from './retry-after.ts';
import type { Transport, TransportResponse } from './transport.ts';
import { unlessAborted } from './unless-aborted.ts';
import type { FailureKind } from './upstream-events.ts';

export interface ExchangeOptions {
  readonly transport: Transport;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The whole of one request, from connecting to the last byte, ms. */
  readonly timeoutMs: number;
  /** The largest body that is read, bytes. */
  readonly maxResponseBytes: number;
  /** Whose key it is. `gateway`: a refused key is no business of the caller's. */
  readonly keyHolder: 'gateway' | 'caller';
  readonly now: () => number;
  /** Calls back after a time, ms; returns what calls that off. */
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export interface OneRequest {
  readonly line: UpstreamRequestLine;
  /** With its question mark; empty when there is none. */
  readonly query: string;
  readonly credential: Credential;
  readonly signal: AbortSignal;
  /** Besides those that every request has. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Received {
  readonly body: unknown;
  readonly status: number;
  /** When it was answered, by the upstream's own clock, ms. */
  readonly upstreamNow: number;
}

/** A request that brought nothing, and what is to be known to decide whether to send it again. */
export class FailedRequest extends Error {
  override name = 'FailedRequest';
  readonly kind: FailureKind;
  /** As it surfaces if nothing more is tried; how long a 429 is waited for is the client's to say. */
  readonly error: UpstreamError;
  /** So long the upstream asks to wait, ms. */
  readonly retryAfterMs: number | undefined;
  /** What the upstream itself says of another try (`x-should-retry`). */
  readonly shouldRetry: boolean | undefined;

  constructor(kind: FailureKind, error: UpstreamError, advice: { retryAfterMs?: number; shouldRetry?: boolean } = {}) {
    super(error.message, { cause: error });
    this.kind = kind;
    this.error = error;
    this.retryAfterMs = advice.retryAfterMs;
    this.shouldRetry = advice.shouldRetry;
  }

  /** The upstream's; null where there was no answer. */
  get status(): number | null {
    return this.error.status ?? null;
  }
}

/** One request and its answer, read as JSON; knows no endpoint. Rejects with `FailedRequest`, and nothing else. */
export type Exchange = (request: OneRequest) => Promise<Received>;

export function createExchange(options: ExchangeOptions): Exchange {
  return async (request) => {
    const { signal, line } = request;
    const attempt = new AbortController();
    const onAbort = () => attempt.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    // It may have ended between this request's turn and now: then no event comes any more.
    if (signal.aborted) onAbort();
    const stopTimer = options.startTimer(options.timeoutMs, () => attempt.abort());
    let discarded: Promise<void> | undefined;
    const onRefused = (discarding: Promise<void>) => {
      discarded = discarding;
    };
    let isTaken = false;
    try {
      // Not left to the transport: undici, for one, hears of an abort only when it has connected.
      const received = await unlessAborted(attempt.signal, exchange(request, attempt.signal, onRefused));
      isTaken = true;
      return received;
    } catch (error) {
      if (error instanceof FailedRequest) throw error;
      if (attempt.signal.aborted) {
        throw new FailedRequest(signal.aborted ? 'aborted' : 'timeout', new UpstreamTimeoutError(line, error));
      }
      throw toFailedTransport(line, error);
    } finally {
      stopTimer();
      signal.removeEventListener('abort', onAbort);
      if (!isTaken) endWhenDiscarded(attempt, discarded);
    }
  };

  /** The status says it all; but the connection can be used again only if the rest has been taken, and that may never end. */
  function endWhenDiscarded(attempt: AbortController, discarded: Promise<void> | undefined): void {
    const end = () => attempt.abort(OVER);
    if (discarded) {
      const stopTimer = options.startTimer(DISCARDING_MS, end);
      discarded
        .catch(() => {})
        .finally(stopTimer)
        .then(end);
    } else end();
  }

  async function exchange(
    { line, query, credential, headers }: OneRequest,
    signal: AbortSignal,
    onRefused: (discarded: Promise<void>) => void,
  ): Promise<Received> {
    const response = await options.transport(`${options.baseUrl}${line.path}${query}`, {
      headers: { accept: 'application/json', authorization: credential.toAuthorization(), ...headers },
      signal,
    });
    const { status } = response;
    if (status >= 200 && status <= 299) {
      return { body: await readBody(line, response), status, upstreamNow: toUpstreamNow(response) };
    }
    onRefused(response.discard());
    throw toFailedStatus(line, response);
  }

  async function readBody(line: UpstreamRequestLine, { status, body }: TransportResponse): Promise<unknown> {
    try {
      return await readJson(body, options.maxResponseBytes);
    } catch (cause) {
      const what = toFault(cause);
      if (what === undefined) throw cause;
      throw new FailedRequest('invalid', new UpstreamInvalidResponseError(line, what, { status, cause }));
    }
  }

  function toFailedStatus(line: UpstreamRequestLine, response: TransportResponse): FailedRequest {
    const { status, header } = response;
    const retryAfterMs = toRetryAfterMs(header, toUpstreamNow(response));
    const shouldRetry = toBoolean(header('x-should-retry'));
    const advice = {
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(shouldRetry === undefined ? {} : { shouldRetry }),
    };
    if (status === 401 || status === 403) {
      const isCallers = options.keyHolder === 'caller';
      const error = isCallers ? new CredentialRefusedError(line, status) : new UpstreamRejectedError(line, status);
      return new FailedRequest('credential', error, advice);
    }
    if (status === 404 || status === 410) return new FailedRequest('missing', new UpstreamNotFoundError(line, status), advice);
    if (status === 429) return new FailedRequest('rate-limited', new RateLimitedError(line, retryAfterMs ?? 0, 429), advice);
    if (status >= 400 && status < 500) return new FailedRequest('rejected', new UpstreamRejectedError(line, status), advice);
    const kind = status >= 500 ? 'server-error' : 'rejected';
    return new FailedRequest(kind, new UpstreamUnavailableError(line, { status }), advice);
  }

  /** By the `Date` of the answer; clocks go wrong by seconds and by time zones, but what is off by a day is no clock. */
  function toUpstreamNow({ header }: TransportResponse): number {
    const [ours, theirs] = [options.now(), Date.parse(header('date') ?? '')];
    return Math.abs(theirs - ours) <= FARTHEST_CLOCK_MS ? theirs : ours;
  }
}

const FARTHEST_CLOCK_MS = 86_400_000;
/** So long the rest of an answer is taken that nobody reads. */
const DISCARDING_MS = 1_000;

/** A reason for nobody: without one, each request that is over would make an exception, with the stack that led there. */
const OVER = new Error('This is over.');

function toFailedTransport(line: UpstreamRequestLine, cause: unknown): FailedRequest {
  const code = codeOf(cause) ?? codeOf(cause instanceof Error ? cause.cause : undefined) ?? '';
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return new FailedRequest('connect-timeout', new UpstreamTimeoutError(line, cause));
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new FailedRequest('timeout', new UpstreamTimeoutError(line, cause));
  }
  const kind = UNREACHABLE.test(code) ? 'unreachable' : 'connection';
  return new FailedRequest(kind, new UpstreamUnavailableError(line, { cause }));
}

/** What goes wrong before a byte of the request is sent: with names, routes, ports, proxies and certificates. All else may be due to what was asked. */
const UNREACHABLE =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_PRX_|ERR_TLS_|CERT_|.*_CERT|UNABLE_TO_)/;

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What is wrong with a body; undefined when it did not even come. */
function toFault(cause: unknown): string | undefined {
  if (cause instanceof SyntaxError) return 'no JSON';
  if (cause instanceof TooDeepError) return 'nested too deep';
  if (cause instanceof EncodingError) return cause.message;
  return cause instanceof TooLargeError ? 'too many bytes' : undefined;
}

function toBoolean(header: string | undefined): boolean | undefined {
  const text = header?.trim().toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}
