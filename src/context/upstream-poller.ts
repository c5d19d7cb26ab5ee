import type { PollUpstream } from '#live/poll-upstream.ts';
import type { Subscriber } from '#live/subscriptions.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import type { Credential } from '#rest/credential.ts';
import type { BodyLimiter } from '#rest/resilience/body-limiter.ts';
import type { CreateRevoxApi } from '#rest/revox-api.ts';
import type { ReadVersion } from '#rest/upstream-request.ts';
import { OperationSignal, type StartTimer } from './operation-signal.ts';
import { createUpstreamUsage } from './upstream-usage.ts';

export interface UpstreamPollerOptions {
  readonly createRevoxApi: CreateRevoxApi;
  /** Reads only what other instances have shared. */
  readonly createSharedApi: CreateRevoxApi;
  readonly bodyLimiter: BodyLimiter;
  readonly maxUpstreamBytes: number;
  readonly factsOf: (credential: Credential) => FactsByEndpoint;
  readonly startTimer: StartTimer;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
}

/** Creates the polls of a credential, and what pages of lists have shown with it. */
export type CreateUpstreamPoller = (
  credential: Credential,
) => Pick<Subscriber, 'poll' | 'facts' | 'deriveKey'>;

/** Caller of all polls: it waits in a queue of its own, beside the queues of the clients. */
const POLL_CALLER = 'live polls';

/** A poll is never retried: the next poll is the retry. */
const MAX_REQUESTS = 1;

/** No read of this process is newer: the upstream itself must respond. */
const NEWER_THAN_ALL: ReadVersion = { instance: '', sequence: 0, isCached: false };

/** Polls through the caching client, each poll within a deadline and a budget of its own. */
export function createUpstreamPollerFactory(options: UpstreamPollerOptions): CreateUpstreamPoller {
  const { createRevoxApi, createSharedApi, bodyLimiter, maxUpstreamBytes, factsOf } = options;
  const { startTimer, monotonicNow } = options;

  return (credential) => {
    const poll: PollUpstream = async (read, { isForced, deadlineMs, repeatedBody, shared }) => {
      const deadlineAt = monotonicNow() + deadlineMs;
      const signal = new OperationSignal({ deadlineMs, startTimer });
      const budget = bodyLimiter.openBudget({
        credential: credential.fingerprint,
        caller: POLL_CALLER,
        signal,
        maxRequests: MAX_REQUESTS,
        maxBytes: maxUpstreamBytes,
      });
      const createApi = shared ? createSharedApi : createRevoxApi;
      const rest = createApi({
        credential,
        caller: POLL_CALLER,
        signal,
        deadlineAt: () => deadlineAt,
        budget,
        repeatedBody,
        usage: createUpstreamUsage(monotonicNow),
      });
      try {
        return await read(rest, {
          freshOnly: shared !== 'any',
          newerThan: isForced ? NEWER_THAN_ALL : undefined,
        });
      } finally {
        signal.end();
      }
    };
    return {
      poll,
      facts: (endpoint) => factsOf(credential)(endpoint),
      deriveKey: (purpose) => credential.deriveKey(purpose),
    };
  };
}
