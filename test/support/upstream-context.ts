import { BudgetExceededError } from '#errors/gateway-error.ts';
import { Credential } from '#rest/credential.ts';
import type { Budget, UpstreamContext } from '#rest/upstream-context.ts';
import type { UpstreamEvents } from '#rest/upstream-events.ts';

/** An upstream context without a deadline. */
export function createUpstreamContext(given: Partial<UpstreamContext> = {}): UpstreamContext {
  return {
    credential: new Credential('sk_test_never_to_be_seen'),
    caller: undefined,
    signal: new AbortController().signal,
    deadlineAt: () => Number.POSITIVE_INFINITY,
    budget: createBudget(),
    usage: { record: () => {}, startWait: () => () => {} },
    ...given,
  };
}

/** A budget of 100 requests without a byte limit. */
export function createBudget(given: Partial<Budget> = {}): Budget {
  return {
    maxRequests: 100,
    sentRequests: 0,
    credentialRejection: undefined,
    bytesExceededError: undefined,
    get exceededError() {
      return this.sentRequests < this.maxRequests
        ? undefined
        : new BudgetExceededError('requests', this.maxRequests);
    },
    waitForCapacity: () => undefined,
    consumeBytes: () => undefined,
    openBackground() {
      return this;
    },
    ...given,
  };
}

export const NO_UPSTREAM_EVENTS: UpstreamEvents = {
  onSend: () => ({ headers: {}, onEnd: () => {} }),
  onRetry: () => {},
  onQueueWait: () => {},
  onRateLimited: () => {},
  onCooldownReceived: () => {},
  onQueueFull: () => {},
  onCircuitChange: () => {},
};
