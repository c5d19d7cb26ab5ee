import { gql } from '@apollo/client';
import { CombinedGraphQLErrors, CombinedProtocolErrors } from '@apollo/client/errors';
import { Client, fetchExchange } from '@urql/core';
import type { ExecutionResult } from 'graphql';
import { Environment, RecordSource, requestSubscription, Store } from 'relay-runtime';
import type { CompiledRelayApp } from './compile-relay.ts';
import { createApolloClient } from './snippets/apollo.ts';
import { createApolloWsClient } from './snippets/apollo-ws.ts';
import { watchWithEventSource } from './snippets/event-source.ts';
import { subscribe } from './snippets/fetch.ts';
import { createSseClient } from './snippets/graphql-sse.ts';
import { createWsClient } from './snippets/graphql-ws.ts';
import { createLiveExchange } from './snippets/live-exchange.ts';
import { createNetwork } from './snippets/relay.ts';
import { createUrqlFetchClient } from './snippets/urql-fetch.ts';

export const WATCH = `subscription Watch($id: ID!) {
  callUpdated(id: $id) { id status metadata campaign { id status } }
}`;

export interface WatchOptions {
  readonly url: string;
  readonly readToken: () => string;
  readonly id: string;
  readonly observer: WatchObserver;
  readonly relayApp: CompiledRelayApp;
}

export interface WatchObserver {
  next(result: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

export type LiveClient = (options: WatchOptions) => () => void;

type CreateClient = typeof createWsClient | typeof createSseClientWithToken;

/** graphql-sse with the token of each connection. */
export function createSseClientWithToken(url: string, readToken: () => string) {
  return createSseClient(url, (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${readToken()}`);
    return fetch(input, { ...init, headers });
  });
}

/** urql without a cache. */
export function createUrqlClient(url: string, client: ReturnType<CreateClient>) {
  return new Client({ url, exchanges: [fetchExchange, createLiveExchange(client)] });
}

/** By the heading of a table in `docs/guides/live-calls.md`, and by column. */
export const LIVE_CLIENTS: Readonly<Record<string, Readonly<Record<string, LiveClient>>>> = {
  'Over SSE and multipart': {
    'Apollo Client': watchWithApollo(createApolloClient),
    'graphql-sse': watchWith(createSseClientWithToken),
    urql: watchWithUrql((url, readToken) =>
      createUrqlClient(url, createSseClientWithToken(url, readToken)),
    ),
    'urql fetchSubscriptions': watchWithUrql(createUrqlFetchClient),
    Relay: watchWithRelay(createSseClientWithToken),
    EventSource: ({ url, id, observer }) =>
      watchWithEventSource(url, { query: WATCH, variables: { id } }, observer),
    fetch({ url, readToken, id, observer }) {
      const results = subscribe(url, { query: WATCH, variables: { id } }, readToken);
      void (async () => {
        try {
          for await (const result of results) observer.next(result);
          observer.complete();
        } catch (error) {
          observer.error(error);
        }
      })();
      return () => void results.return();
    },
  },
  'Over WebSocket': {
    'Apollo Client': watchWithApollo(createApolloWsClient),
    'graphql-ws': watchWith(createWsClient),
    urql: watchWithUrql((url, readToken) => createUrqlClient(url, createWsClient(url, readToken))),
    Relay: watchWithRelay(createWsClient),
  },
};

function watchWith(createClient: CreateClient): LiveClient {
  return ({ url, readToken, id, observer }) =>
    createClient(url, readToken).subscribe({ query: WATCH, variables: { id } }, observer);
}

function watchWithApollo(createClient: typeof createApolloClient): LiveClient {
  return ({ url, readToken, id, observer }) => {
    const subscription = createClient(url, readToken)
      .subscribe({ query: gql(WATCH), variables: { id } })
      .subscribe({
        next({ data, error }) {
          if (!error) observer.next({ data });
          else if (CombinedProtocolErrors.is(error) || CombinedGraphQLErrors.is(error))
            observer.next({ errors: error.errors });
          else observer.error(error);
        },
        error: observer.error,
        complete: observer.complete,
      });
    return () => subscription.unsubscribe();
  };
}

function watchWithRelay(createClient: CreateClient): LiveClient {
  return ({ url, readToken, id, observer, relayApp }) => {
    const network = createNetwork(createClient(url, readToken), () =>
      Promise.reject(new Error('No query.')),
    );
    const { dispose } = requestSubscription(
      new Environment({ network, store: new Store(new RecordSource()) }),
      {
        subscription: relayApp.query('watchCallSubscription'),
        variables: { id },
        onNext: (data) => observer.next({ data }),
        onError: observer.error,
        onCompleted: observer.complete,
      },
    );
    return dispose;
  };
}

/**
 * urql keeps the errors of a subscription in all later results, and the last data beside an error:
 * the observer gets each of them once.
 */
function watchWithUrql(createClient: typeof createUrqlFetchClient): LiveClient {
  return ({ url, readToken, id, observer }) => {
    const known = new Set<unknown>();
    let lastData = '';
    return createClient(url, readToken)
      .subscription(WATCH, { id })
      .subscribe(({ data, error, hasNext }) => {
        if (error?.networkError || error?.response?.ok === false) observer.error(error);
        else if (!hasNext) observer.complete();
        else {
          const errors = error?.graphQLErrors.filter((each) => !known.has(each)) ?? [];
          for (const each of errors) known.add(each);
          const text = JSON.stringify(data);
          const isNew = errors.length === 0 || text !== lastData;
          lastData = text;
          observer.next({ errors, ...(isNew ? { data } : {}) });
        }
      }).unsubscribe;
  };
}

/** The state of a call, or the code of an error, or both. */
export function describeResult({ data, errors }: ExecutionResult): string {
  const code = errors?.[0]?.extensions?.code;
  const call = data?.callUpdated as { status: string } | null | undefined;
  return [call?.status, code].filter(Boolean).join(' ') || 'null';
}
