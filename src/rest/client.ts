import { randomUUID } from 'node:crypto';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import {
  CredentialRefusedError,
  RateLimitedError,
  UpstreamError,
  UpstreamInvalidResponseError,
  UpstreamNotFoundError,
  UpstreamRejectedError,
  type UpstreamRequestLine,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import type { Credential } from './credential.ts';
import { createLimiter } from './limiter.ts';
import { type Question, type Reading, type Send, type SentAnswer, WrongShapeError } from './question.ts';
import { readJson, TooDeepError, TooLargeError } from './read-json.ts';
import { toRetryAfterSeconds } from './retry-after.ts';
import type { Transport, TransportResponse } from './transport.ts';
import { unlessAborted } from './unless-aborted.ts';
import type { FailureKind, UpstreamEvents } from './upstream-events.ts';

export interface RestClientOptions {
  readonly transport: Transport;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The whole of one request, from connecting to the last byte, ms. Not the time a request waits for its turn. */
  readonly timeoutMs: number;
  /** Requests in flight for one credential; more wait for their turn. */
  readonly maxConcurrency: number;
  /** The largest body that is read, bytes. */
  readonly maxResponseBytes: number;
  /** Whose key it is. `gateway`: a refused key is no business of the caller's. */
  readonly keyHolder: 'gateway' | 'caller';
  readonly now: () => number;
  readonly events?: UpstreamEvents;
  /** Calls back after a time, ms; returns what calls that off. */
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

interface ReceivedBody {
  readonly body: unknown;
  readonly response: TransportResponse;
}

/**
 * Speaks HTTP with the upstream; knows no endpoint. Each question is one request. Everything that goes wrong is an `UpstreamError`, or
 * `BudgetExceededError`.
 */
export function createRestClient(options: RestClientOptions): Send {
  const waitForTurn = createLimiter(options.maxConcurrency);
  const process = randomUUID();
  let sent = 0;

  return async ({ credential, signal, budget, trace }, question) => {
    const line: UpstreamRequestLine = { method: 'GET', path: question.path };
    if (budget.sent >= budget.limit) throw new BudgetExceededError(budget.limit);
    budget.sent += 1;
    const release = await waitForTurn(credential.fingerprint, signal).catch((cause: unknown) => {
      budget.sent -= 1;
      throw new UpstreamTimeoutError(line, cause);
    });
    try {
      sent += 1;
      const reading = { process, number: sent, isRemembered: false };
      const askedAt = options.now();
      const watched = options.events?.onSend({ endpoint: question.endpoint, resends: 0, trace });
      const tell = (status: number | null, failure?: FailureKind) =>
        watched?.onOver({ status, failure, ms: options.now() - askedAt });
      try {
        const url = `${options.baseUrl}${question.path}${question.query}`;
        const received = await send(credential, signal, line, url, watched?.headers ?? {});
        const answer = toAnswer(line, question, received, { reading, askedAt });
        tell(answer.status);
        return answer;
      } catch (error) {
        const status = error instanceof UpstreamError ? error.status : undefined;
        tell(status ?? null, signal.aborted ? 'aborted' : toFailureKind(error));
        throw error;
      }
    } finally {
      release();
    }
  };

  async function send(
    credential: Credential,
    signal: AbortSignal,
    line: UpstreamRequestLine,
    url: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<ReceivedBody> {
    const attempt = new AbortController();
    const onAbort = () => attempt.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    // It may have ended between this request's turn and now: then no event comes any more.
    if (signal.aborted) onAbort();
    const stopTimer = options.startTimer(options.timeoutMs, () => attempt.abort());
    try {
      // Not left to the transport: undici, for one, hears of an abort only when it has connected.
      return await unlessAborted(attempt.signal, exchange(credential, attempt.signal, line, url, headers));
    } catch (error) {
      if (attempt.signal.aborted) throw new UpstreamTimeoutError(line, error);
      if (error instanceof UpstreamError) throw error;
      throw new UpstreamUnavailableError(line, { cause: error });
    } finally {
      stopTimer();
      signal.removeEventListener('abort', onAbort);
      attempt.abort(OVER);
    }
  }

  async function exchange(
    credential: Credential,
    signal: AbortSignal,
    line: UpstreamRequestLine,
    url: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<ReceivedBody> {
    const response = await options.transport(url, {
      headers: { ...headers, accept: 'application/json', authorization: credential.toAuthorization() },
      signal,
    });
    if (response.status >= 200 && response.status <= 299) return { body: await readBody(line, response), response };
    // Not awaited: the status says it all, and a body that nobody reads may never end.
    void response.discard().catch(() => {});
    throw toError(line, response);
  }

  async function readBody(line: UpstreamRequestLine, { status, body }: TransportResponse): Promise<unknown> {
    try {
      return await readJson(body, options.maxResponseBytes);
    } catch (cause) {
      if (cause instanceof SyntaxError) throw new UpstreamInvalidResponseError(line, 'no JSON', { status, cause });
      if (cause instanceof TooDeepError) throw new UpstreamInvalidResponseError(line, 'nested too deep', { status, cause });
      if (cause instanceof TooLargeError) throw new UpstreamInvalidResponseError(line, 'too many bytes', { status, cause });
      throw cause;
    }
  }

  function toAnswer<T>(
    line: UpstreamRequestLine,
    question: Question<T>,
    { body, response: { status, header } }: ReceivedBody,
    sent: { readonly reading: Reading; readonly askedAt: number },
  ): SentAnswer<T> {
    const [ours, theirs] = [options.now(), Date.parse(header('date') ?? '')];
    // Clocks go wrong by seconds and by time zones; a year is no clock.
    const upstreamNow = Math.abs(theirs - ours) <= FARTHEST_CLOCK_MS ? theirs : ours;
    try {
      return { value: question.read(body), status, ...sent, upstreamNow };
    } catch (cause) {
      if (cause instanceof WrongShapeError) throw new UpstreamInvalidResponseError(line, cause.message, { status, cause });
      throw cause;
    }
  }

  function toError(line: UpstreamRequestLine, { status, header }: TransportResponse): Error {
    if ((status === 401 || status === 403) && options.keyHolder === 'caller') return new CredentialRefusedError(line, status);
    if (status === 404 || status === 410) return new UpstreamNotFoundError(line, status);
    if (status === 429) return new RateLimitedError(line, toRetryAfterSeconds(header, options.now));
    if (status >= 400 && status < 500) return new UpstreamRejectedError(line, status);
    return new UpstreamUnavailableError(line, { status });
  }
}

function toFailureKind(error: unknown): FailureKind | undefined {
  if (error instanceof UpstreamNotFoundError) return undefined;
  if (error instanceof UpstreamTimeoutError) return 'timeout';
  if (error instanceof RateLimitedError) return 'rate-limited';
  if (error instanceof UpstreamInvalidResponseError) return 'invalid';
  if (error instanceof CredentialRefusedError) return 'credential';
  if (error instanceof UpstreamRejectedError) return 'rejected';
  return error instanceof UpstreamError && error.status !== undefined ? 'server-error' : 'connection';
}

const FARTHEST_CLOCK_MS = 86_400_000;

/** A reason for nobody: without one, each request that is over would make an exception, with the stack that led there. */
const OVER = new Error('This is over.');
