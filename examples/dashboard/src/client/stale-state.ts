import { ApolloLink, makeVar } from '@apollo/client';
import { useReactiveVar } from '@apollo/client/react';
import { OperationTypeNode } from 'graphql';
import { finalize, map } from 'rxjs';

/** `extensions.live` of an event that repeats the last state because the upstream does not respond. */
interface LiveExtension {
  readonly stale?: boolean;
  readonly since?: string;
  readonly code?: string;
}

export interface StaleState {
  readonly since: string;
  readonly code: string;
}

/** The subscriptions that are stale now, by the name of their operation. */
const staleSubscriptions = makeVar<Readonly<Record<string, StaleState>>>({});

/** Reads `extensions.live`, which the hooks of Apollo Client do not return. */
export const staleStateLink = new ApolloLink((operation, forward) => {
  if (operation.operationType !== OperationTypeNode.SUBSCRIPTION) return forward(operation);
  const name = operation.operationName ?? '';
  return forward(operation).pipe(
    map((result) => {
      const live = result.extensions?.live as LiveExtension | undefined;
      setStale(name, live?.stale ? { since: live.since ?? '', code: live.code ?? '' } : undefined);
      return result;
    }),
    finalize(() => setStale(name, undefined)),
  );
});

function setStale(name: string, state: StaleState | undefined): void {
  const { [name]: previous, ...others } = staleSubscriptions();
  if (previous || state) staleSubscriptions(state ? { ...others, [name]: state } : others);
}

/** Undefined while the subscription is up to date. */
export function useStaleState(operationName: string): StaleState | undefined {
  return useReactiveVar(staleSubscriptions)[operationName];
}
