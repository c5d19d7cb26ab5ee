import { once } from 'node:events';
import { connect } from 'node:net';
import type { SampleIds } from '#sandbox/sample-ids.ts';
import { operationCosts } from '../support/operation-costs.ts';
import type { GraphQLResult } from '../support/test-gateway.ts';
import type { RandomSource } from './random-faults.ts';

/** Counts of HTTP statuses, error codes and client actions. */
export type VisitTally = Record<string, number>;

export interface ClientsOptions {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
  readonly ids: SampleIds;
  readonly callIds: readonly string[];
  readonly chance: RandomSource;
  readonly tally: VisitTally;
}

/** Longest time that a client follows a call, in ms. */
const MAX_FOLLOW_MS = 5_000;

type ClientVisit = (key: string) => Promise<void>;

/**
 * Clients of all kinds: with common operations, early disconnects, unusual formats and invalid
 * requests.
 */
export function createSimulatedClients({
  url,
  ids,
  callIds,
  chance,
  tally,
}: ClientsOptions): ClientVisit {
  let visits = 0;
  const count = (what: string) => {
    tally[what] = (tally[what] ?? 0) + 1;
  };
  /** The frequency of each kind in a hundred visits. */
  const kinds: readonly (readonly [number, ClientVisit])[] = [
    [45, sendCommonOperations],
    [15, fetchRandomCall],
    [5, followCall],
    [10, walk],
    [8, disconnectEarly],
    [4, sendEmptyRequest],
    [4, varyRequestFormat],
    [4, sendInvalidRequest],
    [3, abortConnection],
    [2, sendInvalidKey],
  ];
  return async (key) => {
    visits += 1;
    let at = chance.next() * 100;
    const [, visit] = kinds.find(([share]) => {
      at -= share;
      return at < 0;
    }) ?? [0, fetchRandomCall];
    await visit(key);
  };

  async function sendCommonOperations(key: string): Promise<void> {
    const { query, variables } = chance.pick(operationCosts);
    await send(key, query, variables?.(ids));
  }

  async function fetchRandomCall(key: string): Promise<void> {
    const id = chance.pick(callIds);
    const page = await send(
      key,
      'query ($id: ID!) { call(id: $id) { id status callAttempts { transcript { content } } } }',
      {
        id,
      },
    );
    const result = page?.data?.call;
    if (result && result.id !== id) throw new Error(`Asked for ${id}, got ${result.id}.`);
  }

  /** Subscribes to a call, and leaves after some seconds if the stream has not ended before. */
  async function followCall(key: string): Promise<void> {
    const client = new AbortController();
    const timer = setTimeout(() => client.abort(), chance.next() * MAX_FOLLOW_MS);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${key}`,
        },
        body: JSON.stringify({
          query: 'subscription ($id: ID!) { callUpdated(id: $id) { id status } }',
          variables: { id: chance.pick(callIds) },
        }),
        signal: client.signal,
      });
      count(`HTTP ${response.status}`);
      await response.text();
      count('stream ended');
    } catch (error) {
      if (!client.signal.aborted) throw error;
      count('stream left');
    } finally {
      clearTimeout(timer);
    }
  }

  async function walk(key: string): Promise<void> {
    const query =
      'query ($after: String) { callAttempts(first: 30, after: $after) { nodes { id } pageInfo { endCursor } } }';
    let after: string | null = null;
    for (let page = 0; page < 3; page += 1) {
      const result: GraphQLResult | undefined = await send(key, query, { after });
      after = result?.data?.callAttempts?.pageInfo.endCursor ?? null;
      if (after === null) return;
    }
  }

  async function disconnectEarly(key: string): Promise<void> {
    const client = new AbortController();
    setTimeout(() => client.abort(), chance.next() * 60);
    const { query, variables } = chance.pick(operationCosts);
    await send(key, query, variables?.(ids), client.signal);
  }

  async function sendEmptyRequest(key: string): Promise<void> {
    const id = `none-${visits}`;
    await send(
      key,
      'query ($id: ID!) { call(id: $id) { id } node(id: $id) { id } assistant(id: $id) { id } }',
      { id },
    );
  }

  /** Sends a new document with a new operation name. */
  async function varyRequestFormat(key: string): Promise<void> {
    await send(key, `query Visit${visits} { assistants(first: 5) { nodes { id name } } }`);
  }

  async function sendInvalidRequest(key: string): Promise<void> {
    await send(
      key,
      chance.pick([
        '{ call { id } }',
        '{',
        'nonsense',
        `{ ${'a'.repeat(5_000)} }`,
        '{ calls(ids: 7) { id } }',
      ]),
    );
  }

  async function sendInvalidKey(key: string): Promise<void> {
    await send(`${key}_refused_${visits}`, '{ assistants { nodes { id } } }');
  }

  /** Sends a part of a request and closes the connection. */
  async function abortConnection(key: string): Promise<void> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname).on('error', () => {});
    const closed = once(socket, 'close');
    const head = `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n`;
    socket.write(chance.next() < 0.5 ? head : `${head}content-length: 500\r\n\r\n{"query":`);
    setTimeout(
      () => (chance.next() < 0.5 ? socket.destroy() : socket.resetAndDestroy()),
      chance.next() * 100,
    );
    await closed;
    count('request aborted');
  }

  async function send(
    key: string,
    query: string,
    variables: object = {},
    signal?: AbortSignal,
  ): Promise<GraphQLResult | undefined> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${key}`,
          ...(chance.next() < 0.2 && { 'x-revox-trace': '1' }),
        },
        body: JSON.stringify({ query, variables }),
        ...(signal && { signal }),
      });
      const result = (await response.json()) as GraphQLResult;
      count(`HTTP ${response.status}`);
      for (const { extensions } of result.errors ?? []) count(extensions.code);
      return result;
    } catch (error) {
      if (!signal?.aborted) throw error;
      count('disconnected');
      return undefined;
    }
  }
}
