import { BudgetExceededError } from '#errors/gateway-error.ts';
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
import type { Budget } from './errand.ts';
import { createParseTurns } from './parse-turns.ts';
import { readJson, TooDeepError, TooManyValuesError } from './read-json.ts';
import { toRetryAfterMs } from './retry-after.ts';
import { isSuccess, TooLargeError, type Transport, type TransportAnswer } from './transport.ts';
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
  /** A clock for durations, ms and parts of it; it never goes back. */
  readonly elapsed: () => number;
  /** Calls back after a time, ms; returns what calls that off. */
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export interface OneRequest {
  readonly line: UpstreamRequestLine;
  /** With its question mark; empty when there is none. */
  readonly query: string;
  readonly credential: Credential;
  readonly signal: AbortSignal;
  readonly budget: Pick<Budget, 'read'>;
  /** The gateway does not read on for a while (`true`), or reads on. */
  readonly onPause: (isPaused: boolean) => void;
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
  readonly error: UpstreamError | BudgetExceededError;
  /** So long the upstream asks to wait, ms. */
  readonly retryAfterMs: number | undefined;
  /** What the upstream itself says of another try (`x-should-retry`). */
  readonly shouldRetry: boolean | undefined;

  constructor(
    kind: FailureKind,
    error: UpstreamError | BudgetExceededError,
    advice: { retryAfterMs?: number; shouldRetry?: boolean } = {},
  ) {
    super(error.message, { cause: error });
    this.kind = kind;
    this.error = error;
    this.retryAfterMs = advice.retryAfterMs;
    this.shouldRetry = advice.shouldRetry;
  }

  /** The upstream's; null where there was no answer. */
  get status(): number | null {
    return 'status' in this.error ? (this.error.status ?? null) : null;
  }
}

/** One request and its answer, read as JSON; knows no endpoint. Rejects with `FailedRequest`, and nothing else. */
export type Exchange = (request: OneRequest) => Promise<Received>;

export function createExchange(options: ExchangeOptions): Exchange {
  const { transport, timeoutMs, maxResponseBytes: maxBytes, startTimer } = options;
  const { origin, pathname } = new URL(options.baseUrl);
  const basePath = pathname === '/' ? '' : pathname;
  /** The last `Date` that was read: all answers of one second have the same. */
  let lastDate: { readonly text: string; readonly ms: number } | undefined;
  const parseTurns = createParseTurns(options.elapsed, setImmediate);

  return async ({ line, query, credential, signal, headers, budget, onPause }) => {
    // It may have ended between this request's turn and now: then no event comes any more.
    if (signal.aborted) throw new FailedRequest('aborted', new UpstreamTimeoutError(line, signal.reason));
    let givenUp: 'aborted' | 'timeout' | undefined;
    const sent = transport({
      origin,
      path: `${basePath}${line.path}${query}`,
      headers: { accept: 'application/json', authorization: credential.toAuthorization(), ...headers },
      maxBytes,
      onBytes(bytes) {
        const mayReadOn = budget.read(bytes);
        if (mayReadOn) pauseUntil(mayReadOn);
        return mayReadOn;
      },
    });
    const giveUp = (why: 'aborted' | 'timeout', reason: unknown) => {
      givenUp = why;
      sent.abort(reason);
    };
    const onAbort = () => giveUp('aborted', signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const onTime = () => giveUp('timeout', TIME_IS_OVER);
    let stopTimer = startTimer(timeoutMs, onTime);
    let isOver = false;
    /** The time limit starts again: the upstream is not slow while the gateway does not read. */
    const pauseUntil = (mayReadOn: Promise<void>) => {
      stopTimer();
      onPause(true);
      const readOn = () => {
        onPause(false);
        stopTimer();
        if (!isOver) stopTimer = startTimer(timeoutMs, onTime);
      };
      mayReadOn.then(readOn, () => {});
    };
    let answer: TransportAnswer;
    try {
      answer = await sent.answer;
    } catch (error) {
      throw givenUp ? new FailedRequest(givenUp, new UpstreamTimeoutError(line, error)) : toFailedTransport(line, error);
    } finally {
      isOver = true;
      stopTimer();
      signal.removeEventListener('abort', onAbort);
    }
    if (!isSuccess(answer.status)) throw toFailedStatus(line, answer);
    const body = isLarge(answer)
      ? await parseTurns.run(credential.fingerprint, () => {
          if (signal.aborted) throw new FailedRequest('aborted', new UpstreamTimeoutError(line, signal.reason));
          return readBody(line, answer);
        })
      : readBody(line, answer);
    return { body, status: answer.status, upstreamNow: toUpstreamNow(answer) };
  };

  function readBody(line: UpstreamRequestLine, { status, body, fault }: TransportAnswer): unknown {
    try {
      if (fault) throw fault;
      return readJson(body);
    } catch (cause) {
      if (cause instanceof BudgetExceededError) throw new FailedRequest('aborted', cause);
      throw new FailedRequest('invalid', new UpstreamInvalidResponseError(line, tellFault(cause), { status, cause }));
    }
  }

  function toFailedStatus(line: UpstreamRequestLine, response: TransportAnswer): FailedRequest {
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
  function toUpstreamNow({ header }: TransportAnswer): number {
    const text = header('date') ?? '';
    if (lastDate?.text !== text) lastDate = { text, ms: Date.parse(text) };
    const [ours, theirs] = [options.now(), lastDate.ms];
    return Math.abs(theirs - ours) <= FARTHEST_CLOCK_MS ? theirs : ours;
  }
}

const FARTHEST_CLOCK_MS = 86_400_000;

/** Parsed and frozen within half a millisecond, bytes: then it is not worth a turn of its own. */
const MAX_SMALL_BYTES = 65_536;

function isLarge({ body }: TransportAnswer): boolean {
  let bytes = 0;
  for (const { byteLength } of body) bytes += byteLength;
  return bytes > MAX_SMALL_BYTES;
}

/** One for all: each would be an exception, with the stack that led there. */
const TIME_IS_OVER = new Error('It has taken too long.');

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

/** What is wrong with a body. */
function tellFault(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'no JSON';
  if (cause instanceof TooDeepError) return 'nested too deep';
  if (cause instanceof TooLargeError) return 'too many bytes';
  if (cause instanceof TooManyValuesError) return 'too many values';
  // Only our own words.
  return cause instanceof EncodingError ? cause.message : 'not readable';
}

function toBoolean(header: string | undefined): boolean | undefined {
  const text = header?.trim().toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}
