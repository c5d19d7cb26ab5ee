import type { SampleIds } from '#sandbox/sample-ids.ts';

/**
 * An operation that frontends really send, and its upstream cost once the number of the first page
 * is known.
 */
export interface OperationCost {
  readonly name: string;
  readonly query: string;
  readonly variables?: (ids: SampleIds) => Record<string, unknown>;
  /**
   * Exact upstream requests: the first time, immediately again, and for a hundred concurrent
   * clients with an empty cache.
   */
  readonly requests: {
    readonly first: number;
    readonly again: number;
    readonly hundredConcurrent: number;
  };
}

const ASSISTANT_FIELDS = 'id name prompt voice { provider speed } faqItems { question answer }';

/**
 * The upstream cost table: `test/integration/operation-costs.test.ts` verifies that the gateway
 * keeps to it.
 */
export const operationCosts: readonly OperationCost[] = [
  {
    name: 'a call with all its fields',
    query: `query ($id: ID!) { call(id: $id) {
      status assistant { ${ASSISTANT_FIELDS} } campaign { id name }
      callAttempts { result transcript { role content } } lastCallAttempt { structuredOutput } } }`,
    variables: ({ richCallId }) => ({ id: richCallId }),
    requests: { first: 1, again: 0, hundredConcurrent: 1 },
  },
  {
    name: 'a call and the status of its campaign',
    query: 'query ($id: ID!) { call(id: $id) { status campaign { name status createdAt } } }',
    variables: ({ richCallId }) => ({ id: richCallId }),
    requests: { first: 2, again: 0, hundredConcurrent: 2 },
  },
  {
    name: 'one call under three aliases',
    query:
      'query ($id: ID!) { a: call(id: $id) { id } b: call(id: $id) { status } c: calls(ids: [$id, $id]) { toPhoneNumber } }',
    variables: ({ richCallId }) => ({ id: richCallId }),
    requests: { first: 1, again: 0, hundredConcurrent: 1 },
  },
  {
    name: '20 calls with assistant and campaign name',
    query:
      'query ($ids: [ID!]!) { calls(ids: $ids) { status assistant { name } campaign { id name } } }',
    variables: ({ twentyCallIds }) => ({ ids: twentyCallIds }),
    requests: { first: 20, again: 0, hundredConcurrent: 20 },
  },
  {
    name: '20 calls with the status of their six campaigns',
    query:
      'query ($ids: [ID!]!) { calls(ids: $ids) { status assistant { name } campaign { name status } } }',
    variables: ({ twentyCallIds }) => ({ ids: twentyCallIds }),
    requests: { first: 21, again: 0, hundredConcurrent: 21 },
  },
  {
    name: 'a campaign and 50 of its rows with call, attempts and assistant',
    query: `query ($id: ID!) { campaign(id: $id) { name assistant { name } rows(first: 50) {
      totalCount pageInfo { hasNextPage endCursor }
      edges { cursor node { phoneNumber call { status assistant { name } campaign { id name } callAttempts { result } } } } } } }`,
    variables: ({ largeCampaignId }) => ({ id: largeCampaignId }),
    requests: { first: 2, again: 0, hundredConcurrent: 2 },
  },
  {
    name: 'three filtered totals of each campaign, beside its first rows',
    query: `{ campaigns(first: 4) { nodes {
      completed: rows(statuses: [COMPLETED]) { totalCount }
      errored: rows(statuses: [ERRORED]) { totalCount }
      all: rows { totalCount } rows(first: 10) { nodes { id } } } } }`,
    requests: { first: 13, again: 0, hundredConcurrent: 13 },
  },
  {
    name: 'the last 10 rows of a campaign of 500',
    query:
      'query ($id: ID!) { campaign(id: $id) { rows(last: 10) { nodes { rowIndex } pageInfo { hasPreviousPage } } } }',
    variables: ({ largeCampaignId }) => ({ id: largeCampaignId }),
    requests: { first: 3, again: 0, hundredConcurrent: 3 },
  },
  {
    name: 'one assistant',
    query: `query ($id: ID!) { assistant(id: $id) { ${ASSISTANT_FIELDS} } }`,
    variables: ({ frenchAssistantId }) => ({ id: frenchAssistantId }),
    requests: { first: 1, again: 0, hundredConcurrent: 1 },
  },
  {
    name: '5 assistants by alias',
    query: `query ($a: ID!, $b: ID!, $c: ID!, $d: ID!, $e: ID!) {
      a: assistant(id: $a) { name } b: assistant(id: $b) { name } c: assistant(id: $c) { name }
      d: assistant(id: $d) { name } e: assistant(id: $e) { name } }`,
    variables: ({ fiveAssistantIds: [a, b, c, d, e] }) => ({ a, b, c, d, e }),
    requests: { first: 1, again: 0, hundredConcurrent: 1 },
  },
  {
    name: 'all assistants and all campaigns with their assistants and counts',
    query: `{ assistants(first: 100) { totalCount nodes { name } }
      campaigns(first: 100) { totalCount nodes { name status assistant { name } } } }`,
    requests: { first: 2, again: 0, hundredConcurrent: 2 },
  },
  {
    name: 'the first 20 attempts',
    query:
      '{ callAttempts { nodes { status result startedAt } pageInfo { hasNextPage endCursor } } }',
    requests: { first: 1, again: 0, hundredConcurrent: 1 },
  },
  {
    name: 'the first 50 attempts with hasNextPage',
    query: '{ callAttempts(first: 50) { edges { cursor node { id } } pageInfo { hasNextPage } } }',
    requests: { first: 2, again: 0, hundredConcurrent: 2 },
  },
  {
    name: 'the first 50 attempts without hasNextPage',
    query: '{ callAttempts(first: 50) { nodes { id } } }',
    requests: { first: 1, again: 0, hundredConcurrent: 1 },
  },
  {
    name: 'the same list under three aliases',
    query:
      '{ a: callAttempts(first: 5) { nodes { id } } b: callAttempts(first: 40) { nodes { id } } c: callAttempts(statuses: []) { nodes { id } } }',
    requests: { first: 1, again: 0, hundredConcurrent: 1 },
  },
];
