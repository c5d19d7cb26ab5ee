import { type GraphQLResolveInfo, Kind, visit } from 'graphql';
import { UserInputError } from '#errors/gateway-error.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import type { Call, Campaign } from '#generated/revox-api.ts';
import { toCallAttemptFeed } from '#live/call-attempt-feed.ts';
import { callKind } from '#live/call-kind.ts';
import { campaignKind } from '#live/campaign-kind.ts';
import { toFeedStart } from '#live/feed-list.ts';
import { type LiveEvent, LiveSource } from '#live/live-source.ts';
import { toConnectionScope } from './connection.ts';
import { toFilter } from './filter.ts';
import { assertId } from './ids.ts';

/** `subscribe` returns what to follow; `resolve` reads one event of it. */
export const subscriptionResolvers: Resolvers = {
  Subscription: {
    callUpdated: {
      subscribe: (_root, { id, until }, _context, { fieldName: field }) =>
        new LiveSource({ field, kind: callKind, ids: [assertId(id)], until }),
      resolve: (event: LiveEvent) => readEvent<Call>(event),
    },
    callsUpdated: {
      subscribe: (_root, { ids, until }, _context, { fieldName: field }) =>
        new LiveSource({ field, kind: callKind, ids: toDistinctIds(ids), until }),
      resolve: (event: LiveEvent) => event,
    },
    callAttemptAdded: {
      subscribe(_root, { after, statuses }, _context, info) {
        const filter = toFilter(statuses);
        const scope = toConnectionScope('Query.callAttempts', [filter]);
        return new LiveSource({
          field: info.fieldName,
          list: toCallAttemptFeed(filter, scope),
          start: after == null ? undefined : toFeedStart(after, { scope }, 'after'),
          startVariables: variablesOnlyOf('after', info),
        });
      },
      resolve: readItem,
    },
    callsEnded: {
      subscribe: (_root, { ids }, _context, { fieldName: field }) =>
        new LiveSource({ field, kind: callKind, ids: toDistinctIds(ids), isOnlyEnds: true }),
      resolve: (event: LiveEvent) => event,
    },
    campaignUpdated: {
      subscribe: (_root, { id }, _context, { fieldName: field }) =>
        new LiveSource({ field, kind: campaignKind, ids: [assertId(id)] }),
      resolve: (event: LiveEvent) => readEvent<Campaign>(event),
    },
  },
  // A call that could not be read fails the field `call`: the event still names the call.
  CallUpdate: {
    callId: ({ id }) => id,
    call: (event) => readEvent<Call>(event),
  },
};

function toDistinctIds(ids: readonly string[]): string[] {
  if (ids.length === 0) throw new UserInputError('`ids` must contain at least one id.');
  return [...new Set(ids.map(assertId))];
}

/** @throws GatewayError if the object could not be read */
function readEvent<T>({ value, error }: LiveEvent): T | null {
  if (error) throw error;
  return value as T | null;
}

/** @throws GatewayError if the list could not be read */
function readItem<T>({ value, error }: LiveEvent): T {
  if (error) throw error;
  return value as T;
}

/** The variable that an argument of the root field is, if the operation uses it nowhere else. */
function variablesOnlyOf(
  argument: string,
  { fieldNodes, operation, fragments }: GraphQLResolveInfo,
): readonly string[] {
  const value = fieldNodes[0]?.arguments?.find(({ name }) => name.value === argument)?.value;
  if (value?.kind !== Kind.VARIABLE) return [];
  const name = value.name.value;
  let uses = 0;
  for (const node of [operation.selectionSet, ...Object.values(fragments)])
    visit(node, {
      Variable(variable) {
        if (variable.name.value === name) uses += 1;
      },
    });
  return uses === 1 ? [name] : [];
}
