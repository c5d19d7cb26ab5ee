import { randomUUID } from 'node:crypto';
import type { CancellationSignal } from '#cancellation.ts';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import {
  RateLimitedError,
  UpstreamError,
  UpstreamInvalidResponseError,
  type UpstreamRequestLine,
  UpstreamTimeoutError,
} from '#errors/upstream-error.ts';
import { createCircuitBreakers } from '#rest/resilience/circuit-breakers.ts';
import {
  type CredentialLimitsOptions,
  createCredentialLimits,
} from '#rest/resilience/credential-limits.ts';
import { createCredentialStatus } from '#rest/resilience/credential-status.ts';
import { createLatencyEstimate } from '#rest/resilience/latency-estimate.ts';
import { createRetryPolicy } from '#rest/resilience/retry.ts';
import { createRetryBudget } from '#rest/resilience/retry-budget.ts';
import { createSendPermits } from '#rest/resilience/send-permits.ts';
import { abortable } from '#rest/transport/abortable.ts';
import { createExchange, type ExchangeOptions } from './exchange.ts';
import { FailedRequest } from './failed-request.ts';
import type { UpstreamContext } from './upstream-context.ts';
import type { UpstreamEvents, UpstreamRequestObserver, UpstreamState } from './upstream-events.ts';
import {
  type FetchedResponse,
  type SendHooks,
  type SendUpstream,
  UnexpectedShapeError,
  type UpstreamRequest,
} from './upstream-request.ts';

export interface RestClientOptions extends ExchangeOptions, CredentialLimitsOptions {
  /** Maximum queued requests of one caller; further requests are rejected. */
  readonly maxQueued: number;
  /** Maximum retries of a failed request. */
  readonly retries: number;
  readonly breaker: {
    /** Number of failures that opens the circuit, if they are at least half of all requests. */
    readonly failures: number;
    /** How long the circuit stays open at first, in ms. */
    readonly openMs: number;
  };
  readonly events: UpstreamEvents;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
}

export interface RestClient {
  readonly send: SendUpstream;
  readonly state: UpstreamState;
}

/**
 * REST client for the upstream. Each request acquires a slot of the concurrency limiter and is
 * retried where a retry can succeed and the retry budget permits it. A request is not sent while
 * its credential is rejected or cooling down, or while its circuit is open.
 *
 * The client has no code for a specific endpoint. Every failure is an `UpstreamError` or a
 * `BudgetExceededError`.
 */
export function createRestClient(options: RestClientOptions): RestClient {
  const { acceptedCredentials, events, monotonicNow, now } = options;
  const { cooldowns, concurrencyLimiter, sharedLimits } = createCredentialLimits(options);
  const circuitBreakers = createCircuitBreakers({
    ...options.breaker,
    isAccepted: acceptedCredentials.has,
    monotonicNow,
    onChange: events.onCircuitChange,
  });
  const credentialStatus = createCredentialStatus({ ...options, concurrencyLimiter });
  const sendPermits = createSendPermits({
    concurrencyLimiter,
    circuitBreakers,
    credentialStatus,
    events,
    monotonicNow,
  });
  const retryBudget = createRetryBudget(monotonicNow, acceptedCredentials.has);
  const retryPolicy = createRetryPolicy({ ...options, cooldowns, retryBudget });
  const exchange = createExchange(options);
  const latencyEstimate = createLatencyEstimate();
  const instance = randomUUID();
  let lastSequence = 0;

  return {
    async send(context, request, hooks) {
      const { budget, credential } = context;
      if (budget.exceededError) throw budget.exceededError;
      retryBudget.deposit(credential.fingerprint);
      for (let retryCount = 0; ; retryCount += 1) {
        try {
          return await sendOnce(context, request, retryCount, hooks);
        } catch (error) {
          if (!(error instanceof FailedRequest)) throw error;
          const waitMs = retryPolicy.toWaitMs(error, context, retryCount);
          if (waitMs === undefined) throw toClientError(error, context);
          hooks?.onRetry();
          events.onRetry(request.endpoint, error.kind);
          await delay(waitMs, context.signal, toRequestLine(request));
        }
      }
    },
    get state() {
      return {
        ...concurrencyLimiter.state,
        coolingDown: cooldowns.count,
        reducedShares: sharedLimits.reducedShares(),
        circuits: circuitBreakers.state,
      };
    },
  };

  /**
   * @throws FailedRequest if the request was sent and failed; UpstreamError or BudgetExceededError
   *   if it was not sent
   */
  async function sendOnce<T>(
    context: UpstreamContext,
    request: UpstreamRequest<T>,
    retryCount: number,
    hooks: SendHooks | undefined,
  ): Promise<FetchedResponse<T>> {
    const { endpoint, query } = request;
    const { credential, signal, budget, repeatedBody } = context;
    const requestLine = toRequestLine(request);
    const rejection = credentialStatus.findRejection(context, requestLine);
    if (rejection) throw rejection;
    const capacityAvailable = budget.waitForCapacity();
    if (capacityAvailable) {
      hooks?.onBudgetWait(true);
      await waitForCapacity(context, requestLine, capacityAvailable);
      hooks?.onBudgetWait(false);
    }
    if (budget.bytesExceededError) throw budget.bytesExceededError;
    sharedLimits.use(credential);
    // Without contention the request skips the queue: a promise for each request costs more than
    // acquiring a slot.
    const { recordOutcome, release } =
      sendPermits.tryAcquire(context, endpoint) ??
      (await sendPermits.acquire(context, endpoint, requestLine));
    const startedAt = monotonicNow();
    let observer: UpstreamRequestObserver | undefined;
    let outcome: SendOutcome = NOT_SENT;
    try {
      lastSequence += 1;
      const readVersion = { instance, sequence: lastSequence, isCached: false };
      const requestedAt = now();
      hooks?.onSent(requestedAt);
      observer = events.onSend({ endpoint, retryCount, trace: context.trace });
      outcome = UNEXPECTED_ERROR;
      const { body, status, upstreamNow } = await exchange({
        requestLine,
        query,
        credential,
        signal,
        budget,
        repeatedBody,
        onReadPause(isPaused) {
          hooks?.onBudgetWait(isPaused);
          // While the gateway does not read a response, the response occupies the upstream no more
          // than an idle connection does.
          if (isPaused) release();
        },
        headers: observer.headers,
      });
      const value = parseBody(request, body, status);
      outcome = { kind: undefined, status };
      return { value, status, upstreamNow, readVersion, requestedAt };
    } catch (error) {
      if (error instanceof FailedRequest) outcome = error;
      if (isKeyRejected(outcome)) credentialStatus.recordRejection(budget, requestLine);
      throw error;
    } finally {
      const ms = monotonicNow() - startedAt;
      recordOutcome(outcome.kind);
      const { kind: failure, status, failureCause: cause } = outcome;
      observer?.onEnd({ status, failure, cause, ms });
      applyOutcome(outcome, credential.fingerprint, requestLine.path);
      if (outcome.kind === undefined) latencyEstimate.record(endpoint, ms);
      // The upstream might continue to process an aborted request. The slot stays taken until the
      // upstream would usually have responded.
      if (outcome.kind === 'aborted')
        options.startTimer(latencyEstimate.remainingMs(endpoint, ms), release);
      else release();
    }
  }

  /** Waits until the body limiter has capacity for this operation. */
  async function waitForCapacity(
    { signal, budget }: UpstreamContext,
    requestLine: UpstreamRequestLine,
    capacityAvailable: Promise<void>,
  ): Promise<void> {
    await abortable(signal, capacityAvailable).catch((cause: unknown) => {
      throw cause instanceof BudgetExceededError
        ? cause
        : new UpstreamTimeoutError(requestLine, cause);
    });
    if (budget.exceededError) throw budget.exceededError;
  }

  function parseBody<T>(request: UpstreamRequest<T>, body: unknown, status: number): T {
    try {
      return request.parse(body);
    } catch (cause) {
      if (!(cause instanceof UnexpectedShapeError)) throw cause;
      const error = new UpstreamInvalidResponseError(toRequestLine(request), cause.message, {
        status,
        cause,
      });
      const failureCause = { kind: 'invalid-response', problem: cause.message } as const;
      throw new FailedRequest('invalid', error, { failureCause });
    }
  }

  /** Applies the outcome of a request to all requests with the same credential. */
  function applyOutcome(outcome: SendOutcome, credential: string, path: string): void {
    const { kind, status, retryAfterMs } = outcome;
    if (kind === undefined) credentialStatus.accept(credential);
    else if (isKeyRejected(outcome)) credentialStatus.reject(credential, path);
    if (kind === 'rate-limited') events.onRateLimited(cooldowns.start(credential, retryAfterMs));
    else if (status !== null) cooldowns.clear(credential);
  }

  function toClientError(
    { kind, error }: FailedRequest,
    { credential }: UpstreamContext,
  ): UpstreamError | BudgetExceededError {
    if (kind !== 'rate-limited' || !(error instanceof UpstreamError)) return error;
    // The next request goes out when the cooldown ends, however long `Retry-After` is.
    return new RateLimitedError(error, cooldowns.remainingMs(credential.fingerprint), 429);
  }

  function delay(
    ms: number,
    signal: CancellationSignal,
    requestLine: UpstreamRequestLine,
  ): Promise<void> {
    if (ms === 0) return Promise.resolve();
    let stopTimer = () => {};
    const timerEnd = new Promise<void>((resolve) => {
      stopTimer = options.startTimer(ms, resolve);
    });
    return abortable(signal, timerEnd)
      .catch((cause: unknown) => {
        throw new UpstreamTimeoutError(requestLine, cause);
      })
      .finally(stopTimer);
  }
}

/** The outcome of one request. */
type SendOutcome = Pick<FailedRequest, 'status'> & {
  readonly kind: FailedRequest['kind'] | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly failureCause?: FailedRequest['failureCause'];
};

/** The outcome until the request is sent: it stays if a hook or an observer throws. */
const NOT_SENT: SendOutcome = { kind: 'aborted', status: null };
/**
 * The outcome until the response is read: it stays if the code that reads the response has a bug.
 */
const UNEXPECTED_ERROR: SendOutcome = { kind: 'invalid', status: null };

/** The upstream itself rejects the key; a web page with that status says nothing about it. */
function isKeyRejected({ kind, status }: SendOutcome): boolean {
  return kind === 'credential' && status === 401;
}

function toRequestLine({ path }: UpstreamRequest<unknown>): UpstreamRequestLine {
  return { method: 'GET', path };
}
