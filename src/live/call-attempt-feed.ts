import type { CallStatus } from '#generated/revox-api.ts';
import { toDateTime } from '#rest/date-time.ts';
import type { FeedList } from './feed-list.ts';

/**
 * The list of call attempts.
 * @param statuses an empty list means no filter
 * @param scope of the connection with the same filter
 */
export function toCallAttemptFeed(statuses: readonly CallStatus[], scope: string): FeedList {
  return {
    key: `/call ${statuses.join()}`,
    endpoint: '/call',
    scope,
    readPage: (rest, page, options) => rest.listCallAttempts(page, statuses, options),
    timeOf(attempt) {
      const startedAt = 'started_at' in attempt ? attempt.started_at : undefined;
      const time = Date.parse(toDateTime(startedAt) ?? '');
      return Number.isNaN(time) ? undefined : time;
    },
  };
}
