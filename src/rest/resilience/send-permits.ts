import { BudgetExceededError } from '#errors/gateway-error.ts';
import {
  QueueFullError,
  RateLimitedError,
  UpstreamError,
  type UpstreamRequestLine,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { UpstreamEvents } from '#rest/upstream-events.ts';
import type { Endpoint } from '#rest/upstream-request.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';
import { type ConcurrencyLimiter, QueueOverflowError } from './concurrency-limiter.ts';
import type { CredentialStatus } from './credential-status.ts';
import { CooldownError } from './rate-limit-cooldown.ts';
import { CredentialRejectedWhileQueuedError } from './rejected-credentials.ts';

/** What a request holds while it is in flight. */
export interface SendPermit {
  /** Reports the outcome of the request to the circuit breakers. */
  readonly recordOutcome: NonNullable<ReturnType<CircuitBreakers['tryAcquire']>>;
  /** Releases the slot of the concurrency limiter. */
  readonly release: () => void;
}

/**
 * Permits to send one request: a slot of the concurrency limiter, and the permission of the circuit
 * breakers.
 */
export interface SendPermits {
  /**
   * Returns undefined, without any side effect, if the request must queue or must not be sent at
   * all.
   */
  tryAcquire(context: UpstreamContext, endpoint: Endpoint): SendPermit | undefined;
  /**
   * Waits until the request may be sent. The request counts toward the operation's budget from the
   * moment it queues.
   * @throws UpstreamError, BudgetExceededError if the request must not be sent
   */
  acquire(
    context: UpstreamContext,
    endpoint: Endpoint,
    requestLine: UpstreamRequestLine,
  ): Promise<SendPermit>;
}

export interface SendPermitsOptions {
  readonly concurrencyLimiter: ConcurrencyLimiter;
  readonly circuitBreakers: CircuitBreakers;
  readonly credentialStatus: CredentialStatus;
  readonly events: Pick<UpstreamEvents, 'onQueueWait' | 'onQueueFull'>;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
}

/** A fixed value: the gateway cannot know how long its queue takes. */
const QUEUE_RETRY_AFTER_MS = 1_000;

export function createSendPermits({
  concurrencyLimiter,
  circuitBreakers,
  credentialStatus,
  events,
  monotonicNow,
}: SendPermitsOptions): SendPermits {
  return {
    tryAcquire(context, endpoint) {
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
    },
    async acquire(context, endpoint, requestLine) {
      const { credential, caller, budget, signal, deadlineAt } = context;
      if (!circuitBreakers.allowsRequest(context, endpoint))
        throw new UpstreamUnavailableError(requestLine);
      budget.sentRequests += 1;
      let release = () => {};
      const startedAt = monotonicNow();
      try {
        release = await concurrencyLimiter.acquire({
          credential: credential.fingerprint,
          caller,
          signal,
          deadlineAt,
        });
        events.onQueueWait(monotonicNow() - startedAt);
        signal.throwIfAborted();
        if (budget.bytesExceededError) throw budget.bytesExceededError;
        // Other requests may have failed while this one was queued, so the circuit may be open by
        // now.
        const recordOutcome = circuitBreakers.tryAcquire(context, endpoint);
        if (!recordOutcome) throw new UpstreamUnavailableError(requestLine);
        return { recordOutcome, release };
      } catch (error) {
        release();
        budget.sentRequests -= 1;
        if (error instanceof QueueOverflowError) events.onQueueFull();
        throw error instanceof CredentialRejectedWhileQueuedError
          ? credentialStatus.recordRejection(budget, requestLine)
          : toNotSentError(requestLine, error);
      }
    },
  };
}

/** Converts the error of a request that was not sent. */
function toNotSentError(
  requestLine: UpstreamRequestLine,
  error: unknown,
): UpstreamError | BudgetExceededError {
  if (error instanceof UpstreamError || error instanceof BudgetExceededError) return error;
  if (error instanceof CooldownError) return new RateLimitedError(requestLine, error.remainingMs);
  if (error instanceof QueueOverflowError)
    return new QueueFullError(requestLine, QUEUE_RETRY_AFTER_MS);
  return new UpstreamTimeoutError(requestLine, error);
}
