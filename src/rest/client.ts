import { randomUUID } from 'node:crypto';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import {
  CredentialRefusedError,
  QueueFullError,
  RateLimitedError,
  UpstreamError,
  UpstreamInvalidResponseError,
  UpstreamRejectedError,
  type UpstreamRequestLine,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import type { AcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createCircuitBreakers } from '#rest/resilience/circuit-breakers.ts';
import { CooldownError, createConcurrencyLimiter, QueueOverflowError } from '#rest/resilience/concurrency-limiter.ts';
import { createLatencyEstimate } from '#rest/resilience/latency-estimate.ts';
import { createCooldowns } from '#rest/resilience/rate-limit-cooldown.ts';
import { CredentialRejectedWhileQueuedError, createRejectedCredentials } from '#rest/resilience/rejected-credentials.ts';
import { isRetryable, toBackoffMs } from '#rest/resilience/retry.ts';
import { createRetryBudget } from '#rest/resilience/retry-budget.ts';
import { abortable } from '#rest/transport/abortable.ts';
import { createExchange, type ExchangeOptions, FailedRequest } from './exchange.ts';
import type { Budget, UpstreamContext } from './upstream-context.ts';
import type { UpstreamEvents, UpstreamRequestObserver, UpstreamState } from './upstream-events.ts';
import {
  type FetchedResponse,
  type SendHooks,
  type SendUpstream,
  UnexpectedShapeError,
  type UpstreamRequest,
} from './upstream-request.ts';

export interface RestClientOptions extends ExchangeOptions {
  /** Requests in flight for one credential; more wait for their turn. */
  readonly maxConcurrency: number;
  /** Requests in flight in all. */
  readonly maxConcurrencyTotal: number;
  /** Requests of one caller that wait for their turn; more are refused. */
  readonly maxQueued: number;
  /** How often a request that failed is sent again. */
  readonly retries: number;
  readonly breaker: {
    /** So many failures open it, if they are half of all. */
    readonly failures: number;
    /** How long it stays open at first, ms. */
    readonly openMs: number;
  };
  readonly acceptedCredentials: AcceptedCredentials;
  readonly events: UpstreamEvents;
  /** 0 to 1. */
  readonly random: () => number;
}

export interface RestClient {
  readonly send: SendUpstream;
  readonly state: UpstreamState;
}

/**
 * Sends questions to the upstream, with manners: each waits for its turn, is sent again where that may help and harms nobody, and is not sent
 * at all where it would be in vain. Knows no endpoint. Everything that goes wrong is an `UpstreamError`, or `BudgetExceededError`.
 */
export function createRestClient(options: RestClientOptions): RestClient {
  const { acceptedCredentials, events, monotonicNow, now, random } = options;
  const cooldowns = createCooldowns({
    ...options,
    isAccepted: acceptedCredentials.has,
    onChange: (credential) => concurrencyLimiter.reevaluate(credential),
  });
  const rejectedCredentials = createRejectedCredentials(options);
  const concurrencyLimiter = createConcurrencyLimiter({
    ...options,
    maxPerCredential: options.maxConcurrency,
    maxTotal: options.maxConcurrencyTotal,
    isAccepted: acceptedCredentials.has,
    isProbing: cooldowns.isProbing,
    coolingDownUntil: cooldowns.until,
  });
  const circuitBreakers = createCircuitBreakers({
    ...options.breaker,
    isAccepted: acceptedCredentials.has,
    monotonicNow,
    onChange: events.onCircuitChange,
  });
  const retryBudget = createRetryBudget(monotonicNow, acceptedCredentials.has);
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
          const waitMs = toWaitMs(error, context, retryCount);
          if (waitMs === undefined) throw toClientError(error, context);
          hooks?.onRetry();
          events.onRetry(request.endpoint, error.kind);
          await delay(waitMs, context.signal, toRequestLine(request));
        }
      }
    },
    get state() {
      return { ...concurrencyLimiter.state, coolingDown: cooldowns.count, breaker: circuitBreakers.state };
    },
  };

  /** @throws FailedRequest when it was sent in vain, else what surfaces: it was not sent */
  async function sendOnce<T>(
    context: UpstreamContext,
    request: UpstreamRequest<T>,
    retryCount: number,
    hooks: SendHooks | undefined,
  ): Promise<FetchedResponse<T>> {
    const { endpoint, query } = request;
    const { credential, signal, budget } = context;
    const requestLine = toRequestLine(request);
    const rejection = findRejection(context, requestLine);
    if (rejection) throw rejection;
    const capacityAvailable = budget.waitForCapacity();
    if (capacityAvailable) {
      hooks?.onBudgetWait(true);
      await waitForCapacity(context, requestLine, capacityAvailable);
      hooks?.onBudgetWait(false);
    }
    if (budget.bytesExceededError) throw budget.bytesExceededError;
    // The queue is for those who have to wait: a promise for each that need not is dearer than its turn.
    const { recordOutcome, release } = tryEnter(context, request) ?? (await enterQueued(context, request));
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
        onReadPause(isPaused) {
          hooks?.onBudgetWait(isPaused);
          // A response that is not read occupies the upstream no more than an idle connection does.
          if (isPaused) release();
        },
        headers: observer.headers,
      });
      const value = parseBody(request, body, status);
      outcome = { kind: undefined, status };
      return { value, status, upstreamNow, readVersion, requestedAt };
    } catch (error) {
      if (error instanceof FailedRequest) outcome = error;
      if (outcome.status === 401) credentialRejectionFor(budget, requestLine);
      throw error;
    } finally {
      const ms = monotonicNow() - startedAt;
      recordOutcome(outcome.kind);
      observer?.onEnd({ status: outcome.status, failure: outcome.kind, ms });
      applyOutcome(outcome, credential.fingerprint, requestLine.path);
      if (outcome.kind === undefined) latencyEstimate.record(endpoint, ms);
      // The upstream need not notice that nobody waits any more: until it has answered, as it usually does, the place is taken.
      if (outcome.kind === 'aborted') options.startTimer(latencyEstimate.remainingMs(endpoint, ms), release);
      else release();
    }
  }

  /** Operations hold as many bytes as they may: this one waits until others have ended. */
  async function waitForCapacity(
    { signal, budget }: UpstreamContext,
    requestLine: UpstreamRequestLine,
    capacityAvailable: Promise<void>,
  ): Promise<void> {
    await abortable(signal, capacityAvailable).catch((cause: unknown) => {
      throw cause instanceof BudgetExceededError ? cause : new UpstreamTimeoutError(requestLine, cause);
    });
    if (budget.exceededError) throw budget.exceededError;
  }

  function parseBody<T>(request: UpstreamRequest<T>, body: unknown, status: number): T {
    try {
      return request.parse(body);
    } catch (cause) {
      if (!(cause instanceof UnexpectedShapeError)) throw cause;
      const error = new UpstreamInvalidResponseError(toRequestLine(request), cause.message, { status, cause });
      throw new FailedRequest('invalid', error);
    }
  }

  /** Does what the upstream asks of everyone who has this credential. */
  function applyOutcome({ kind, status, retryAfterMs }: SendOutcome, credential: string, path: string): void {
    if (kind === undefined) acceptCredential(credential);
    else if (status === 401) rejectCredential(credential, path);
    if (kind === 'rate-limited') events.onRateLimited(cooldowns.start(credential, retryAfterMs));
    else if (status !== null) cooldowns.clear(credential);
  }

  function acceptCredential(credential: string): void {
    rejectedCredentials.delete(credential);
    if (acceptedCredentials.has(credential)) return;
    acceptedCredentials.add(credential);
    concurrencyLimiter.reevaluate(credential);
  }

  function rejectCredential(credential: string, path: string): void {
    rejectedCredentials.add(credential, path);
    acceptedCredentials.delete(credential);
    concurrencyLimiter.reevaluate(credential);
    if (rejectedCredentials.has(credential))
      concurrencyLimiter.rejectQueued(credential, new CredentialRejectedWhileQueuedError());
  }

  /** Why a request is not sent, where the upstream has refused its credential. */
  function findRejection({ budget, credential }: UpstreamContext, requestLine: UpstreamRequestLine): UpstreamError | undefined {
    if (budget.credentialRejection) return budget.credentialRejection;
    return rejectedCredentials.shouldReject(credential.fingerprint, requestLine.path)
      ? credentialRejectionFor(budget, requestLine)
      : undefined;
  }

  /** The gateway's own key serves other operations all the same; a caller's is of no more use to this one. */
  function credentialRejectionFor(budget: Budget, requestLine: UpstreamRequestLine): UpstreamError {
    if (options.keyHolder === 'gateway') return new UpstreamRejectedError(requestLine, 401, false);
    budget.credentialRejection ??= new CredentialRefusedError(requestLine, 401, false);
    return budget.credentialRejection;
  }

  /** Undefined: others are to be waited for, or it may not be sent at all; nothing has happened then. */
  function tryEnter(context: UpstreamContext, { endpoint }: UpstreamRequest<unknown>): AcquiredSlot | undefined {
    if (context.signal.aborted) return undefined;
    const release = concurrencyLimiter.tryAcquire(context.credential.fingerprint, context.caller);
    const recordOutcome = release && circuitBreakers.tryAcquire(context, endpoint);
    if (!recordOutcome) {
      release?.();
      return undefined;
    }
    context.budget.sentRequests += 1;
    events.onQueueWait(0);
    return { recordOutcome, release };
  }

  /** Waits until a request may be sent. Each that is counts on the operation's budget, from when it begins to wait. */
  async function enterQueued(context: UpstreamContext, request: UpstreamRequest<unknown>): Promise<AcquiredSlot> {
    const { credential, caller, budget, signal, deadlineAt } = context;
    const requestLine = toRequestLine(request);
    if (!circuitBreakers.allowsRequest(context, request.endpoint)) throw new UpstreamUnavailableError(requestLine);
    budget.sentRequests += 1;
    let release = () => {};
    const startedAt = monotonicNow();
    try {
      release = await concurrencyLimiter.acquire({ credential: credential.fingerprint, caller, signal, deadlineAt });
      events.onQueueWait(monotonicNow() - startedAt);
      signal.throwIfAborted();
      if (budget.bytesExceededError) throw budget.bytesExceededError;
      // While it waited, others may have failed.
      const recordOutcome = circuitBreakers.tryAcquire(context, request.endpoint);
      if (!recordOutcome) throw new UpstreamUnavailableError(requestLine);
      return { recordOutcome, release };
    } catch (error) {
      release();
      budget.sentRequests -= 1;
      if (error instanceof QueueOverflowError) events.onQueueFull();
      throw error instanceof CredentialRejectedWhileQueuedError
        ? credentialRejectionFor(budget, requestLine)
        : toNotSentError(requestLine, error);
    }
  }

  /** Undefined: it is not sent again. */
  function toWaitMs(
    failed: FailedRequest,
    { credential, budget, deadlineAt }: UpstreamContext,
    retryCount: number,
  ): number | undefined {
    if (retryCount >= options.retries || budget.exceededError || !isRetryable(failed)) return undefined;
    const isRateLimited = failed.kind === 'rate-limited';
    const waitMs = isRateLimited ? cooldowns.remainingMs(credential.fingerprint) : toBackoffMs(failed, retryCount, random);
    if (monotonicNow() + waitMs >= deadlineAt()) return undefined;
    // A pause is waited for in the queue, with all the others of the credential, and then one is sent at a time: that is no load.
    if (isRateLimited) return 0;
    return retryBudget.tryWithdraw(credential.fingerprint) ? waitMs : undefined;
  }

  function toClientError({ kind, error }: FailedRequest, { credential }: UpstreamContext): UpstreamError | BudgetExceededError {
    if (kind !== 'rate-limited' || !(error instanceof UpstreamError)) return error;
    // What is sent next is sent when the pause is over, however long the upstream has asked for.
    return new RateLimitedError(error, cooldowns.remainingMs(credential.fingerprint), 429);
  }

  function delay(ms: number, signal: AbortSignal, requestLine: UpstreamRequestLine): Promise<void> {
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

/** What a request has while it is under way. */
interface AcquiredSlot {
  /** Tells the breaker how it ended. */
  readonly recordOutcome: NonNullable<ReturnType<ReturnType<typeof createCircuitBreakers>['tryAcquire']>>;
  readonly release: () => void;
}

/** Why a request was not even sent. */
function toNotSentError(requestLine: UpstreamRequestLine, error: unknown): UpstreamError | BudgetExceededError {
  if (error instanceof UpstreamError || error instanceof BudgetExceededError) return error;
  if (error instanceof CooldownError) return new RateLimitedError(requestLine, error.remainingMs);
  if (error instanceof QueueOverflowError) return new QueueFullError(requestLine, QUEUE_RETRY_AFTER_MS);
  return new UpstreamTimeoutError(requestLine, error);
}

/** How a request has ended. */
type SendOutcome = Pick<FailedRequest, 'status'> & {
  readonly kind: FailedRequest['kind'] | undefined;
  readonly retryAfterMs?: number | undefined;
};

/** Something failed before it was under way, in what watches it for one. */
const NOT_SENT: SendOutcome = { kind: 'aborted', status: null };
/** Whatever else is thrown is a bug, in what reads the answer. */
const UNEXPECTED_ERROR: SendOutcome = { kind: 'invalid', status: null };

/** How long a queue takes nobody knows. */
const QUEUE_RETRY_AFTER_MS = 1_000;

function toRequestLine({ path }: UpstreamRequest<unknown>): UpstreamRequestLine {
  return { method: 'GET', path };
}
