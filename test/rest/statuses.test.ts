import { describe, expect, test } from 'vitest';
import { createManualTimers } from '../rest/real-server.ts';
import { createTestGateway, KEY_A, NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';

const createServiceGateway = () => createTestGateway({ settings: { ...NO_CACHE, ...NO_RETRIES } });
const createPassThroughGateway = () =>
  createTestGateway({
    settings: { ...NO_CACHE, ...NO_RETRIES, REVOX_API_KEY: '' },
    gateway: {
      now: () => Date.parse('2024-06-01T12:00:00Z'),
      monotonicNow: () => 0,
      random: () => 1,
      startTimer: createManualTimers().startTimer,
    },
  });

interface Row {
  readonly status: number;
  /** Null: the object is null without an error. */
  readonly code: string | null;
  readonly details?: { readonly status?: number; readonly retryAfter?: unknown };
}

const rejected = (status: number): Row => ({
  status,
  code: 'UPSTREAM_REJECTED',
  details: { status },
});
const unavailable = (status: number): Row => ({ status, code: 'UPSTREAM_UNAVAILABLE' });

const EITHER_MODE: readonly Row[] = [
  ...[300, 301, 302, 303, 304, 307, 308].map(unavailable),
  ...[400, 402, 405, 406, 408, 409, 413, 415, 418, 422, 423, 425, 426, 431, 451, 499].map(rejected),
  { status: 404, code: null },
  { status: 410, code: null },
  { status: 429, code: 'RATE_LIMITED', details: { retryAfter: expect.any(Number) } },
  ...[500, 501, 502, 503, 504, 507, 520, 599].map(unavailable),
];

const TABLES = [
  {
    mode: 'service mode',
    create: createServiceGateway,
    headers: {} as Record<string, string>,
    rows: [...EITHER_MODE, rejected(401), rejected(403)],
  },
  {
    mode: 'pass-through mode',
    create: createPassThroughGateway,
    headers: { authorization: `Bearer ${KEY_A}` },
    rows: [
      ...EITHER_MODE,
      { status: 401, code: 'UNAUTHENTICATED' },
      { status: 403, code: 'FORBIDDEN' },
    ] as readonly Row[],
  },
];

describe.each(TABLES)('Upstream statuses in $mode', ({ create, headers, rows }) => {
  const known = create();

  test.each(rows)(
    'the status $status for a single object is $code',
    async ({ status, code, details }) => {
      // A gateway with a cooldown is of no use to the other cases.
      const gateway = status === 429 ? create() : known;
      gateway.sandbox.control.heal();
      const { id } = gateway.sandbox.control.data(KEY_A).calls[0]!;
      // The upstream must have accepted the key: an unaccepted key has one request in flight at a
      // time.
      await gateway.execute('query ($id: ID!) { call(id: $id) { id } }', { id }, headers);
      gateway.traffic();
      gateway.sandbox.control.fail('/call/odd', {
        status,
        body: { message: 'raised by db-7.internal', key: KEY_A },
      });

      const { data, errors } = await gateway.execute(
        'query ($id: ID!) { odd: call(id: "odd") { id } call(id: $id) { id } }',
        { id },
        headers,
      );

      expect(data).toEqual({ odd: null, call: { id } });
      if (code === null) expect(errors).toBeUndefined();
      else
        expect(errors).toEqual([
          {
            message: expect.any(String),
            path: ['odd'],
            locations: expect.anything(),
            extensions: { code, ...details },
          },
        ]);
      expect(JSON.stringify(errors ?? '')).not.toMatch(
        /raised by|db-7|sk_demo|revox\.test|\/call\/|\/api/,
      );
      expect(gateway.traffic()).toEqual(['GET /call/odd', `GET /call/${id}`]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test.each([404, 410])(
    'a %i for a list is an error, because a list is not an object that may be missing',
    async (status) => {
      const gateway = known;
      gateway.sandbox.control.heal();
      gateway.sandbox.control.fail('/', { status });
      const { data, errors } = await gateway.execute(
        '{ callAttempts { nodes { id } } assistants { nodes { id } } campaigns { nodes { id } } }',
        {},
        headers,
      );
      expect(data).toEqual({ callAttempts: null, assistants: null, campaigns: null });
      expect(errors?.map(({ extensions }) => extensions)).toEqual(
        Array(3).fill({ code: 'UPSTREAM_REJECTED', status }),
      );
    },
  );

  test('the HTTP status of the response is 200 whatever the status of the upstream', async () => {
    for (const status of [401, 403, 429, 500]) {
      const gateway = create();
      gateway.sandbox.control.fail('/call/odd', { status, times: 1 });
      const response = await gateway.fetch('/graphql', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
          ...headers,
        },
        body: JSON.stringify({ query: '{ call(id: "odd") { id } }' }),
      });
      expect(response.status, String(status)).toBe(200);
      expect(response.headers.get('www-authenticate')).toBeNull();
    }
  });
});

test.each([
  [{ 'retry-after': '7' }, 7],
  [{ 'retry-after': 'Sat, 01 Jun 2024 12:00:30 GMT' }, 30],
  [{ 'retry-after-ms': '1500', 'retry-after': '60' }, 2],
  // The cooldown that the gateway itself applies without a usable Retry-After.
  ...['whenever', '-1', '1e9'].map((text): [Record<string, string>, number] => [
    { 'retry-after': text },
    1,
  ]),
  [{ 'retry-after': '2.5' }, 3],
  // Five minutes at most.
  [{ 'retry-after': '1000000000' }, 300],
])(
  'a 429 with the headers %j is reported with a retryAfter of %s',
  async (headers: Record<string, string>, retryAfter) => {
    const { sandbox, execute, traffic } = createPassThroughGateway();
    sandbox.control.fail('/call/odd', { status: 429, headers });
    const { errors } = await execute(
      '{ call(id: "odd") { id } }',
      {},
      { authorization: `Bearer ${KEY_A}` },
    );
    expect(errors?.[0]?.extensions).toEqual({ code: 'RATE_LIMITED', retryAfter });
    expect(traffic()).toEqual(['GET /call/odd']);
  },
);

test.each([{ key: 'sk_demo_wrong', mode: 'pass-through mode', code: 'UNAUTHENTICATED' }])(
  'a key that the upstream does not know is $code at the field',
  async ({ key, code }) => {
    const { data, errors } = await createPassThroughGateway().execute(
      '{ call(id: "x") { id } }',
      {},
      { authorization: `Bearer ${key}` },
    );
    expect(data).toEqual({ call: null });
    expect(errors).toMatchObject([{ path: ['call'], extensions: { code } }]);
    expect(JSON.stringify(errors)).not.toContain(key);
  },
);
