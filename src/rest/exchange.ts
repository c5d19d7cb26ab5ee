import type { CancellationSignal } from '#cancellation.ts';
import { type FailureCause, toRequestTarget } from '#errors/failure-cause.ts';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import {
  UpstreamInvalidResponseError,
  type UpstreamRequestLine,
  UpstreamTimeoutError,
} from '#errors/upstream-error.ts';
import { EncodingError } from '#rest/transport/content-encoding.ts';
import { parseJson, TooDeepError, TooManyValuesError } from '#rest/transport/parse-json.ts';
import { createParseScheduler } from '#rest/transport/parse-scheduler.ts';
import {
  isSuccess,
  TooLargeError,
  type Transport,
  type TransportResponse,
} from '#rest/transport/transport.ts';
import { isWebPage } from '#rest/transport/web-page.ts';
import type { Credential } from './credential.ts';
import { FailedRequest, toFailedTransport } from './failed-request.ts';
import type { RepeatedBody } from './repeated-body.ts';
import { createResponseFailures } from './response-failures.ts';
import type { Budget } from './upstream-context.ts';

export interface ExchangeOptions {
  readonly transport: Transport;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** The proxies that requests may go through: their failures have a cause of their own. @default none */
  readonly proxies?:
    | { readonly http: string | undefined; readonly https: string | undefined }
    | undefined;
  /**
   * Time limit of one request, from connecting to the last byte, in ms. It starts again when the
   * gateway resumes reading after a pause.
   */
  readonly timeoutMs: number;
  /** Maximum size of a response body, in bytes. */
  readonly maxResponseBytes: number;
  /** Value of the `User-Agent` header. */
  readonly userAgent: string;
  /**
   * Who owns the API key. `gateway`: a 401 or 403 of the upstream is a fault of the gateway, not of
   * the client's credential.
   */
  readonly keyHolder: 'gateway' | 'caller';
  readonly now: () => number;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
  /** Calls `onTime` after a number of ms; returns a function that cancels the timer. */
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export interface ExchangeRequest {
  readonly requestLine: UpstreamRequestLine;
  /** Query string with its question mark; empty if there is none. */
  readonly query: string;
  readonly credential: Credential;
  readonly signal: CancellationSignal;
  readonly budget: Pick<Budget, 'consumeBytes'>;
  /** Undefined: the body is parsed, whatever the responses before. */
  readonly repeatedBody: RepeatedBody | undefined;
  /** Called when the gateway stops reading the response (`true`), and when it resumes. */
  readonly onReadPause: (isPaused: boolean) => void;
  /** In addition to the headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ExchangeResult {
  readonly body: unknown;
  readonly status: number;
  /** When the upstream responded, by its own clock, in ms. */
  readonly upstreamNow: number;
}

/**
 * Sends one request and parses its response as JSON, with no code for a specific endpoint. Rejects
 * only with `FailedRequest`.
 */
export type Exchange = (request: ExchangeRequest) => Promise<ExchangeResult>;

export function createExchange(options: ExchangeOptions): Exchange {
  const { transport, userAgent, timeoutMs, maxResponseBytes: maxBytes, startTimer } = options;
  const { origin, pathname } = new URL(options.baseUrl);
  const basePath = pathname === '/' ? '' : pathname;
  const target = toRequestTarget(options.baseUrl, [options.proxies?.http, options.proxies?.https]);
  /** The last parsed `Date` header: all responses of one second have the same. */
  let lastDate: { readonly text: string; readonly ms: number } | undefined;
  const responseFailures = createResponseFailures({ ...options, toUpstreamNow });
  const parseScheduler = createParseScheduler(options.monotonicNow, setImmediate);

  return async (request) => {
    const { requestLine, query, credential, signal, headers } = request;
    const { budget, repeatedBody, onReadPause } = request;
    // The signal may have aborted since the request acquired its slot: then it emits no further
    // event.
    if (signal.aborted)
      throw new FailedRequest('aborted', new UpstreamTimeoutError(requestLine, signal.reason));
    let abortCause: 'aborted' | 'timeout' | undefined;
    const pendingResponse = transport({
      origin,
      path: `${basePath}${requestLine.path}${query}`,
      headers: {
        accept: 'application/json',
        authorization: credential.toAuthorization(),
        'user-agent': userAgent,
        ...headers,
      },
      maxBytes,
      onBytes(bytes) {
        const resumed = budget.consumeBytes(bytes);
        if (resumed) pauseUntil(resumed);
        return resumed;
      },
    });
    const abort = (cause: 'aborted' | 'timeout', reason: unknown) => {
      abortCause = cause;
      pendingResponse.abort(reason);
    };
    const onAbort = () => abort('aborted', signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const onTimeout = () => abort('timeout', TIMEOUT_REASON);
    let stopTimer = startTimer(timeoutMs, onTimeout);
    let isSettled = false;
    /**
     * Restarts the time limit on resume: the upstream is not slow while the gateway does not read.
     */
    const pauseUntil = (resumed: Promise<void>) => {
      stopTimer();
      onReadPause(true);
      const onResume = () => {
        onReadPause(false);
        stopTimer();
        if (!isSettled) stopTimer = startTimer(timeoutMs, onTimeout);
      };
      resumed.then(onResume, () => {});
    };
    let response: TransportResponse;
    try {
      response = await pendingResponse.response;
    } catch (error) {
      throw abortCause
        ? new FailedRequest(abortCause, new UpstreamTimeoutError(requestLine, error), {
            failureCause: abortCause === 'timeout' ? RESPONSE_TIMEOUT : undefined,
          })
        : toFailedTransport(requestLine, error, target);
    } finally {
      isSettled = true;
      stopTimer();
      signal.removeEventListener('abort', onAbort);
    }
    if (!isSuccess(response.status))
      throw responseFailures.toFailedStatus(requestLine, query, response);
    const body = isLarge(response)
      ? await parseScheduler.run(credential.fingerprint, () => {
          if (signal.aborted)
            throw new FailedRequest(
              'aborted',
              new UpstreamTimeoutError(requestLine, signal.reason),
            );
          return parseBody(requestLine, response, repeatedBody);
        })
      : parseBody(requestLine, response, repeatedBody);
    return { body, status: response.status, upstreamNow: toUpstreamNow(response) };
  };

  function parseBody(
    requestLine: UpstreamRequestLine,
    response: TransportResponse,
    repeatedBody: RepeatedBody | undefined,
  ): unknown {
    const { status, body, bodyError } = response;
    try {
      if (bodyError) throw bodyError;
      return repeatedBody ? repeatedBody.parse(body) : parseJson(body);
    } catch (cause) {
      if (cause instanceof BudgetExceededError) throw new FailedRequest('aborted', cause);
      if (isWebPage(response)) throw responseFailures.toFailedPage(requestLine, response);
      const problem = describeBodyError(cause);
      throw new FailedRequest(
        'invalid',
        new UpstreamInvalidResponseError(requestLine, problem, { status, cause }),
        { failureCause: { kind: 'invalid-response', problem } },
      );
    }
  }

  /**
   * The `Date` of the response. Clocks are off by seconds and by time zones; a `Date` that is off
   * by more than a day is ignored.
   */
  function toUpstreamNow({ header }: TransportResponse): number {
    const text = header('date') ?? '';
    if (lastDate?.text !== text) lastDate = { text, ms: Date.parse(text) };
    const [gatewayNow, upstreamNow] = [options.now(), lastDate.ms];
    return Math.abs(upstreamNow - gatewayNow) <= MAX_CLOCK_SKEW_MS ? upstreamNow : gatewayNow;
  }
}

const MAX_CLOCK_SKEW_MS = 86_400_000;

/**
 * A body up to this size is parsed within half a millisecond, so it is parsed at once,
 * without the scheduler.
 */
const MAX_SMALL_BODY_BYTES = 65_536;

function isLarge({ body }: TransportResponse): boolean {
  let bytes = 0;
  for (const { byteLength } of body) bytes += byteLength;
  return bytes > MAX_SMALL_BODY_BYTES;
}

const RESPONSE_TIMEOUT: FailureCause = { kind: 'response-timeout', stage: 'response' };

/** One error for all timeouts: each new error captures a stack. */
const TIMEOUT_REASON = new Error('The request to the upstream timed out.');

function describeBodyError(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'not JSON';
  if (cause instanceof TooDeepError) return 'nested too deeply';
  if (cause instanceof TooLargeError) return 'too many bytes';
  if (cause instanceof TooManyValuesError) return 'too many values';
  // The client gets only the gateway's own messages, not those of undici or Node.
  return cause instanceof EncodingError ? cause.message : 'not readable';
}
