import { Credential } from '#rest/credential.ts';
import type { Errand } from '#rest/errand.ts';
import type { UpstreamEvents } from '#rest/upstream-events.ts';

/** An errand of somebody who has all the time there is. */
export function createErrand(given: Partial<Errand> = {}): Errand {
  return {
    credential: new Credential('sk_test_never_to_be_seen'),
    caller: undefined,
    signal: new AbortController().signal,
    deadlineAt: () => Number.POSITIVE_INFINITY,
    budget: { limit: 100, sent: 0 },
    account: { note: () => {}, wait: () => () => {} },
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
