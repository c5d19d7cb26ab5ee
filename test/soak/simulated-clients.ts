import { once } from 'node:events';
import { connect } from 'node:net';
import type { SampleIds } from '#sandbox/sample-ids.ts';
import { operationCosts } from '../support/operation-costs.ts';
import type { GraphQLResult } from '../support/test-gateway.ts';
import type { RandomSource } from './random-faults.ts';

/** How often each thing came to pass: HTTP statuses, error codes, and what clients do. */
export type VisitTally = Record<string, number>;

export interface ClientsOptions {
  /** Of the GraphQL endpoint. */
  readonly url: string;
  readonly ids: SampleIds;
  readonly callIds: readonly string[];
  readonly chance: RandomSource;
  readonly tally: VisitTally;
}

type ClientVisit = (key: string) => Promise<void>;

/** Clients of all kinds: who ask what frontends ask, and who leave, stammer, or ask for nonsense. */
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
  /** Out of a hundred visits, so many of each kind. */
  const kinds: readonly (readonly [number, ClientVisit])[] = [
    [45, sendCommonOperations],
    [20, fetchRandomCall],
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
    const answer = await send(
      key,
      'query ($id: ID!) { call(id: $id) { id status callAttempts { transcript { content } } } }',
      {
        id,
      },
    );
    const result = answer?.data?.call;
    if (result && result.id !== id) throw new Error(`Asked for ${id}, got ${result.id}.`);
  }

  async function walk(key: string): Promise<void> {
    const query =
      'query ($after: String) { callAttempts(first: 30, after: $after) { nodes { id } pageInfo { endCursor } } }';
    let after: string | null = null;
    for (let page = 0; page < 3; page += 1) {
      const answer: GraphQLResult | undefined = await send(key, query, { after });
      after = answer?.data?.callAttempts?.pageInfo.endCursor ?? null;
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

  /** A document, and an operation, that nobody has sent before. */
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

  /** Sends a part of a request, and is gone. */
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
    count('broken off');
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
      const answer = (await response.json()) as GraphQLResult;
      count(`HTTP ${response.status}`);
      for (const { extensions } of answer.errors ?? []) count(extensions.code);
      return answer;
    } catch (error) {
      if (!signal?.aborted) throw error;
      count('left');
      return undefined;
    }
  }
}
