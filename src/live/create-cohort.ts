import { Cohort } from './cohort.ts';
import type { CohortOptions } from './cohort-options.ts';
import { FeedCohort } from './feed-cohort.ts';
import { FeedTarget } from './feed-target.ts';
import { type FeedSelection, isFeedSelection, type ObjectSelection } from './live-source.ts';
import { toObjectTarget } from './poll-upstream.ts';
import type { ExecuteEvent } from './serialized-event.ts';
import type { StreamGroup } from './stream-group.ts';
import type { LiveOperation, Subscriber } from './subscriptions.ts';
import type { Watches } from './watches.ts';

export interface CreateCohortOptions
  extends Omit<CohortOptions, 'selection' | 'execute' | 'refresh' | 'charge'> {
  readonly watches: Watches;
}

/**
 * Creates the cohort of an operation, and watches the objects or the list that its selection names.
 * @throws GatewayError over a limit of watched objects
 */
export function createCohort(
  subscriber: Subscriber,
  { selection, execute }: LiveOperation,
  options: CreateCohortOptions,
): StreamGroup {
  return isFeedSelection(selection)
    ? createFeedCohort(subscriber, selection, execute, options)
    : createObjectCohort(subscriber, selection, execute, options);
}

function createObjectCohort(
  subscriber: Subscriber,
  selection: ObjectSelection,
  execute: ExecuteEvent,
  { watches, onEnd, ...options }: CreateCohortOptions,
): Cohort {
  const cohort = new Cohort({
    ...options,
    selection,
    execute,
    refresh: watches.refresh,
    charge: watches.charge,
    onEnd() {
      unwatchAll();
      onEnd();
    },
  });
  try {
    for (const id of selection.ids)
      cohort.follow(watches.watch(toObjectTarget(subscriber, selection.kind, id), cohort));
  } catch (error) {
    unwatchAll();
    throw error;
  }
  return cohort;

  function unwatchAll(): void {
    for (const watch of cohort.watches) watches.unwatch(watch, cohort);
  }
}

/** Cohorts with the same list share its watch, and so the state of its target. */
function createFeedCohort(
  subscriber: Subscriber,
  { field, list }: FeedSelection,
  execute: ExecuteEvent,
  { watches, onEnd, ...options }: CreateCohortOptions,
): FeedCohort {
  const cohort = new FeedCohort({
    ...options,
    field,
    execute,
    refresh: () => watches.refresh(watch),
    onEnd() {
      if (target instanceof FeedTarget) target.waiters.delete(cohort);
      watches.unwatch(watch, cohort);
      onEnd();
    },
  });
  const watch = watches.watch(new FeedTarget(subscriber, list, options.monotonicNow), cohort);
  const { target } = watch;
  if (target instanceof FeedTarget) target.waiters.add(cohort);
  cohort.follow(watch);
  return cohort;
}
