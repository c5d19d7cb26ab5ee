import { describe, expect, test } from 'vitest';
import type { ApiVersion } from '#sandbox/api/versions.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { exampleQueries } from '../support/example-queries.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { createTestGateway, KEY_A, NO_CACHE } from '../support/test-gateway.ts';

const gatewayOverVersion = (version: ApiVersion) =>
  createTestGateway({ settings: NO_CACHE, sandbox: { version } });
const documented = gatewayOverVersion('documented');
const ids = sampleIds(documented.sandbox);

interface Operation {
  readonly name: string;
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
}

/** The operations of the upstream cost table and the example queries of the demo. */
const operations: readonly Operation[] = [
  ...operationCosts.map(({ name, query, variables }) => ({
    name,
    query,
    variables: variables?.(ids),
  })),
  ...exampleQueries(ids).map(({ description, query, variables }) => ({
    name: description,
    query,
    variables,
  })),
];

interface Expected {
  readonly version: ApiVersion;
  /** All drift that the operations report together. */
  readonly drift: readonly string[];
  /** The fields whose values differ from those of the documented version, as `field: value`. */
  readonly differ: readonly string[];
  /** The upstream requests of an operation, derived from those with the documented version. */
  requests(operation: Operation, asDocumented: readonly string[]): readonly unknown[];
}

/**
 * Calls of early versions have no campaign id: the gateway does not request the campaigns of calls.
 */
function withoutCampaignsOfCalls(
  { query }: Operation,
  asDocumented: readonly string[],
): readonly string[] {
  return /\bcalls?\(ids?:/.test(query)
    ? asDocumented.filter((request) => !request.startsWith('GET /campaigns'))
    : asDocumented;
}

const VERSIONS: readonly Expected[] = [
  {
    version: 'oldest',
    drift: [
      'derived Call.status',
      'derived CallRetryConfig.callingWindows',
      'missing Assistant.ivrNavigationEnabled',
      'missing Assistant.llmModel',
      'missing Assistant.transferPhoneNumber',
      'missing Assistant.voicemailMessage',
      'missing Call.assistant',
      'missing Call.campaign',
      'missing Call.status',
      'missing CallAttempt.dialError',
    ],
    differ: [
      'assistant: null',
      // Early versions have one calling window only.
      'callingWindows: undefined',
      'campaign: null',
      'dialError: null',
      'endReason: null',
      'endedBy: null',
      'ivrNavigationEnabled: null',
      'llmModel: null',
      'result: "UNKNOWN"',
      'speed: null',
      // COMPLETED is the status of a failed attempt, null that of a call that is neither cancelled
      // nor completed.
      'status: "COMPLETED"',
      'status: null',
      'toolArguments: null',
      'toolIsError: null',
      'toolName: null',
      'transferPhoneNumber: null',
      'voicemailMessage: null',
    ],
    requests: withoutCampaignsOfCalls,
  },
  {
    version: '0.0.2',
    drift: [
      'derived Call.status',
      'missing Call.assistant',
      'missing Call.campaign',
      'missing Call.status',
      'missing CallAttempt.dialError',
    ],
    differ: [
      'assistant: null',
      'campaign: null',
      'dialError: null',
      'endReason: null',
      'endedBy: null',
      'result: "UNKNOWN"',
      'status: "COMPLETED"',
      'status: null',
    ],
    requests: withoutCampaignsOfCalls,
  },
  { version: 'later', drift: [], differ: [], requests: (_operation, asDocumented) => asDocumented },
  {
    version: '0.5.0',
    drift: [
      'missing Assistant.transferPhoneNumber',
      'missing CampaignRowConnection.totalCount',
      'unrecognized Assistant.llmModel',
    ],
    differ: ['__typename: "UnrecognizedLlmModel"', 'transferPhoneNumber: null'],
    /**
     * Where a list has no total, the gateway searches for its length if the operation requests it,
     * and for its end.
     */
    requests: ({ query }, asDocumented) =>
      /totalCount|rows\(last/.test(query) &&
      asDocumented.some((request) => request.includes('/rows?'))
        ? expect.toSatisfy((requests: readonly string[]) => isSearch(requests, asDocumented))
        : asDocumented,
  },
];

/**
 * Whether the additional requests are a search in each list: about 2·log₂ of at most ten pages of
 * rows, each requested once.
 */
function isSearch(requests: readonly string[], asDocumented: readonly string[]): boolean {
  const more = requests.filter((request) => !asDocumented.includes(request));
  const searches = Object.values(
    Object.groupBy(more, (request) => request.replace(/page=\d+/, '')),
  );
  return (
    asDocumented.every((request) => requests.includes(request)) &&
    more.every((request) =>
      /^GET \/campaigns\/[^/]+\/rows\?page=\d+&page_size=50(&statuses=\w+)?$/.test(request),
    ) &&
    new Set(requests).size === requests.length &&
    searches.every((search = []) => search.length <= 2 * Math.ceil(Math.log2(10)) + 2)
  );
}

describe.each(VERSIONS)('Upstream API version $version', ({ version, requests, ...expected }) => {
  const gateway = gatewayOverVersion(version);
  const drift = new Set<string>();
  const differ = new Set<string>();

  test.each(operations)(
    `the gateway completes $name without errors over API version ${version}`,
    async (operation) => {
      const asDocumented = await execute(documented, operation);
      const result = await execute(gateway, operation);
      expect(result.traffic).toEqual(requests(operation, asDocumented.traffic));
      for (const one of result.drift) drift.add(one);
      for (const one of differences(asDocumented.data, result.data)) differ.add(one);
      expect(asDocumented.drift).toEqual([]);
    },
  );

  test(`API version ${version} differs only in the expected fields, and its drift is counted`, () => {
    expect([...drift].sort()).toEqual(expected.drift);
    expect([...differ].sort()).toEqual(expected.differ);
  });
});

test('a call status of a later API version is UNRECOGNIZED, and its response is never cached', async () => {
  const gateway = createTestGateway({ sandbox: { version: '0.5.0' } });
  const { id } = gateway.sandbox.control
    .data(KEY_A)
    .calls.find(({ status }) => status === 'scheduled')!;
  const response = await gateway.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: `{ call(id: "${id}") { status isCompleted } }` }),
  });
  expect(await response.json()).toEqual({
    data: { call: { status: 'UNRECOGNIZED', isCompleted: false } },
    extensions: {
      unrecognized: [
        { type: 'Call', field: 'status', value: 'paused', paths: [['call', 'status']] },
      ],
    },
  });
  expect(response.headers.get('cache-control')).toBe('no-store');
});

test('an upstream that changes its API version between two operations is read correctly by the second one', async () => {
  const gateway = createTestGateway({ settings: NO_CACHE });
  const query =
    'query ($id: ID!) { call(id: $id) { status callRetryConfig { callingWindows { retryDelaySeconds } } } }';
  const before = await gateway.execute(query, { id: ids.richCallId });
  gateway.sandbox.control.respondAs('oldest');
  const after = await gateway.execute(query, { id: ids.richCallId });
  const [window] = before.data.call.callRetryConfig.callingWindows;
  expect(after).toEqual({
    data: {
      call: { status: before.data.call.status, callRetryConfig: { callingWindows: [window] } },
    },
  });
  expect(gateway.traffic()).toEqual([`GET /call/${ids.richCallId}`, `GET /call/${ids.richCallId}`]);
});

async function execute(gateway: typeof documented, { query, variables }: Operation) {
  gateway.traffic();
  const { data, errors, extensions } = await gateway.execute(query, variables, {
    'x-revox-trace': '1',
  });
  expect(errors).toBeUndefined();
  expect(gateway.unexpectedErrors).toEqual([]);
  const drift: { kind: string; type: string; field: string }[] = extensions.upstream.drift ?? [];
  return {
    data,
    drift: drift.map(({ kind, type, field }) => `${kind} ${type}.${field}`),
    traffic: gateway.traffic(),
  };
}

/** Skips cursors: they contain what is known of the list, for example its total. */
function differences(one: unknown, other: unknown, field = ''): string[] {
  if (/cursor$/i.test(field)) return [];
  if (!isObject(one) || !isObject(other))
    return one === other ? [] : [`${field}: ${JSON.stringify(other)}`];
  return Object.keys({ ...one, ...other }).flatMap((key) =>
    differences(one[key], other[key], /^\d+$/.test(key) ? field : key),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
