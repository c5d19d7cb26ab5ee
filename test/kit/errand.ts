import { BudgetExceededError } from '#errors/gateway-error.ts';
import { Credential } from '#rest/credential.ts';
import type { Budget, Errand } from '#rest/errand.ts';
import type { UpstreamEvents } from '#rest/upstream-events.ts';

/** An errand of somebody who has all the time there is. */
export function createErrand(given: Partial<Errand> = {}): Errand {
  return {
    credential: new Credential('sk_test_never_to_be_seen'),
    caller: undefined,
    signal: new AbortController().signal,
    deadlineAt: () => Number.POSITIVE_INFINITY,
    budget: createBudget(),
    account: { note: () => {}, wait: () => () => {} },
    ...given,
  };
}

/** The budget of an operation that reads as much as it likes. */
export function createBudget(given: Partial<Budget> = {}): Budget {
  return {
    limit: 100,
    sent: 0,
    refusal: undefined,
    byteExcess: undefined,
    get excess() {
      return this.sent < this.limit ? undefined : new BudgetExceededError('requests', this.limit);
    },
    awaitRoom: () => undefined,
    read: () => undefined,
    openBackground() {
      return this;
    },
    ...given,
  };
}

export const NOBODY_LISTENS: UpstreamEvents = {
  onSend: () => ({ headers: {}, onOver: () => {} }),
  onRetry: () => {},
  onTurn: () => {},
  onPause: () => {},
  onOverflow: () => {},
  onBreaker: () => {},
};
