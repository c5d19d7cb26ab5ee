import { describe, expect, test } from 'vitest';
import { type Diagnosis, type DiagnosisOptions, diagnose, STARTED_AT } from './doctor-scene.ts';

const KEY = ['/assistants', '/assistants'];
const PAGES_FROM_1 = [0, 1, 2].map((page) => `/call?page=${page}&page_size=50`);
const ENDPOINTS = [
  '/campaigns',
  '/campaigns/{id}',
  '/campaigns/{id}/rows?page=0&page_size=50',
  '/campaigns/{id}/rows?page=1&page_size=50',
  '/call/{id}',
  '/call/{id}',
  '/assistants/{id}',
];
const OTHERS = ['initializing', 'calling', 'scheduled', 'cancelled', 'errored'].concat(
  'queued_for_calling',
);
const filters = (page: number, size = 50) => {
  const path = `/call?page=${page}&page_size=${size}`;
  return {
    one: `${path}&statuses=completed`,
    oneInBrackets: `${path}&statuses%5B%5D=completed`,
    comma: `${path}&statuses=${OTHERS.join('%2C')}`,
    repeat: `${path}${OTHERS.map((status) => `&statuses=${status}`).join('')}`,
    brackets: `${path}${OTHERS.map((status) => `&statuses%5B%5D=${status}`).join('')}`,
  };
};
const HEALTHY_TRAFFIC = [
  ...KEY,
  ...PAGES_FROM_1,
  '/call?page=1&page_size=1000',
  '/call?page=100001&page_size=50',
  ...ENDPOINTS,
  filters(1).one,
  filters(1).comma,
];

const SETTINGS = {
  REVOX_FIRST_PAGE: '1',
  REVOX_PAGE_SIZE: '50',
  REVOX_ARRAY_FORMAT: 'comma',
};

describe('Doctor and a healthy upstream', () => {
  test('each check of an upstream as documented has its exact verdict and sentence', async () => {
    const diagnosis = await diagnose();

    expect(
      diagnosis.findings.map(({ check, verdict, message }) => [verdict, check, message]),
    ).toMatchInlineSnapshot(`
      [
        [
          "ok",
          "connection",
          "http://localhost/api responds.",
        ],
        [
          "ok",
          "clock",
          "The clocks of the API and of this machine differ by 0 s.",
        ],
        [
          "ok",
          "key",
          "The API accepts the key, and refuses a made-up one (401).",
        ],
        [
          "ok",
          "first-page",
          "The first page has the number 1: the API rejects page 0.",
        ],
        [
          "ok",
          "page-size",
          "The API honours page_size, and serves pages of at least 1000.",
        ],
        [
          "ok",
          "past-the-end",
          "Past the end, the API serves an empty page.",
        ],
        [
          "ok",
          "list-order",
          "The list of call attempts is newest first.",
        ],
        [
          "ok",
          "row-pages",
          "The first page of rows has the number 1.",
        ],
        [
          "ok",
          "attempt-id",
          "GET /call/{id} accepts only ids of orders: the id of an attempt gets status 404.",
        ],
        [
          "ok",
          "embedded-assistant",
          "The assistant of a call equals GET /assistants/{id}.",
        ],
        [
          "ok",
          "array-format",
          "The API filters by statuses in the format comma.",
        ],
        [
          "ok",
          "contract",
          "GET /call/{id} matches the contract.",
        ],
        [
          "ok",
          "contract",
          "GET /call matches the contract.",
        ],
        [
          "ok",
          "contract",
          "GET /assistants matches the contract.",
        ],
        [
          "ok",
          "contract",
          "GET /assistants/{id} matches the contract.",
        ],
        [
          "ok",
          "contract",
          "GET /campaigns matches the contract.",
        ],
        [
          "ok",
          "contract",
          "GET /campaigns/{id} matches the contract.",
        ],
        [
          "ok",
          "contract",
          "GET /campaigns/{id}/rows matches the contract.",
        ],
        [
          "ok",
          "drift",
          "No field of the responses drifts from the contract.",
        ],
        [
          "ok",
          "unknown-keys",
          "The contract has every key of the responses.",
        ],
        [
          "ok",
          "unknown-values",
          "The schema has every enum value of the responses.",
        ],
        [
          "note",
          "rate-limit",
          "No response has a header about rate limits.",
        ],
        [
          "note",
          "caching",
          "No response has a caching header; the gateway derives freshness from the data.",
        ],
        [
          "note",
          "compression",
          "The API does not compress responses.",
        ],
        [
          "ok",
          "latency",
          "The API responds in time: p50 0 ms, slowest 0 ms, of 16 requests.",
        ],
      ]
    `);
    expect(diagnosis).toMatchObject({ exitCode: 0, result: 'works', settings: SETTINGS });
    expect(diagnosis.traffic).toEqual(HEALTHY_TRAFFIC);
    expect(diagnosis.requests).toBe(HEALTHY_TRAFFIC.length);
  });
});

interface Behaviour extends DiagnosisOptions {
  readonly verdicts: Readonly<Record<string, string | undefined>>;
  readonly settings?: Record<string, string>;
  readonly advice?: Readonly<Record<string, string>>;
  readonly exitCode: 0 | 1 | 2;
  readonly traffic?: readonly string[];
}

describe('Doctor and an upstream that behaves otherwise', () => {
  const behaviours: Readonly<Record<string, Behaviour>> = {
    'numbers pages from 0': {
      sandbox: { firstPage: 0 },
      verdicts: {
        'first-page': 'ok: The first page has the number 0.',
        'row-pages': 'ok: The first page of rows has the number 0.',
      },
      advice: { REVOX_FIRST_PAGE: '0' },
      exitCode: 0,
      traffic: [
        ...KEY,
        ...PAGES_FROM_1.slice(0, 2),
        '/call?page=0&page_size=1000',
        '/call?page=100000&page_size=50',
        ...ENDPOINTS,
        filters(0).one,
        filters(0).comma,
      ],
    },
    'numbers pages from 0, unlike the settings': {
      sandbox: { firstPage: 0 },
      settings: { REVOX_FIRST_PAGE: '1' },
      verdicts: {
        'first-page': 'finding: The first page has the number 0, but REVOX_FIRST_PAGE is 1.',
      },
      advice: { REVOX_FIRST_PAGE: '0' },
      exitCode: 2,
    },
    'clamps page numbers': {
      sandbox: { clampsPageNumber: true },
      verdicts: {
        'first-page': 'ok: The first page has the number 1: the API serves page 1 for page 0.',
        'row-pages': 'ok: The first page of rows has the number 1.',
        'past-the-end':
          'note: Past the end, the API serves the last page again; the gateway recognizes that.',
      },
      exitCode: 0,
      // The first page of rows names its own number.
      traffic: HEALTHY_TRAFFIC.filter((path) => !path.includes('rows?page=1')),
    },
    'caps its pages': {
      sandbox: { maxPageSize: 40 },
      verdicts: {
        'page-size':
          'finding: The API serves at most 40 items a page: the gateway must first learn that REVOX_PAGE_SIZE=50 is too large.',
      },
      advice: { REVOX_PAGE_SIZE: '40' },
      exitCode: 2,
      traffic: HEALTHY_TRAFFIC.toSpliced(6, 0, '/call?page=2&page_size=39'),
    },
    'caps its pages, and leaves out the rest of each': {
      sandbox: { maxPageSize: 40, capOffset: 'requested' },
      verdicts: {
        'page-size':
          'finding: The API serves at most 40 items a page: a page of 50 leaves out the rest of its items.',
      },
      advice: { REVOX_PAGE_SIZE: '40' },
      exitCode: 2,
    },
    'caps its pages at the size of the settings': {
      sandbox: { maxPageSize: 40 },
      settings: { REVOX_PAGE_SIZE: '40' },
      verdicts: {
        'page-size': 'ok: The API honours page_size, and serves at most 40 items a page.',
      },
      advice: { REVOX_PAGE_SIZE: '40' },
      exitCode: 0,
    },
    'ignores page_size': {
      sandbox: { fixedPageSize: 40 },
      verdicts: {
        'page-size': 'finding: The API ignores page_size, and serves pages of 40.',
      },
      advice: { REVOX_PAGE_SIZE: '40' },
      exitCode: 2,
    },
    'ignores page_size, and serves more': {
      sandbox: { fixedPageSize: 60 },
      verdicts: {
        'page-size': 'finding: The API ignores page_size, and serves pages of 60.',
      },
      advice: { REVOX_PAGE_SIZE: '60' },
      exitCode: 2,
      traffic: HEALTHY_TRAFFIC.filter((path) => !path.includes('page_size=1000')),
    },
    'lists the oldest attempts first': {
      sandbox: { oldestFirst: true },
      verdicts: {
        'list-order':
          'note: The list of call attempts is oldest first: `last` returns the new ones, not `first`.',
      },
      exitCode: 0,
    },
    'reads repeated parameters': {
      sandbox: { arrayFormat: 'repeat' },
      verdicts: {
        'array-format':
          'finding: The API filters by statuses in the format repeat, but REVOX_ARRAY_FORMAT is comma.',
      },
      advice: { REVOX_ARRAY_FORMAT: 'repeat' },
      exitCode: 2,
      traffic: [...HEALTHY_TRAFFIC, filters(1).repeat],
    },
    'reads brackets': {
      sandbox: { arrayFormat: 'brackets' },
      verdicts: {
        'array-format':
          'finding: The API filters by statuses in the format brackets, but REVOX_ARRAY_FORMAT is comma.',
      },
      advice: { REVOX_ARRAY_FORMAT: 'brackets' },
      exitCode: 2,
      traffic: [
        ...HEALTHY_TRAFFIC,
        filters(1).repeat,
        filters(1).brackets,
        filters(1).oneInBrackets,
      ],
    },
    'reads brackets, caps its pages, and so needs every request': {
      sandbox: { arrayFormat: 'brackets', maxPageSize: 40 },
      verdicts: {
        'array-format':
          'finding: The API filters by statuses in the format brackets, but REVOX_ARRAY_FORMAT is comma.',
      },
      advice: { REVOX_ARRAY_FORMAT: 'brackets', REVOX_PAGE_SIZE: '40' },
      exitCode: 2,
      traffic: [
        ...HEALTHY_TRAFFIC.toSpliced(6, 0, '/call?page=2&page_size=39'),
        filters(1).repeat,
        filters(1).brackets,
        filters(1).oneInBrackets,
      ],
    },
    'reads brackets, and whose first page has a single status': {
      sandbox: { arrayFormat: 'brackets', maxPageSize: 20 },
      verdicts: {
        'array-format':
          'finding: The API accepts statuses only in the format brackets, and the data does not show that it filters.',
      },
      advice: { REVOX_ARRAY_FORMAT: 'brackets' },
      exitCode: 2,
    },
    'reads brackets, as the settings say': {
      sandbox: { arrayFormat: 'brackets' },
      settings: { REVOX_ARRAY_FORMAT: 'brackets' },
      verdicts: {
        'array-format': 'ok: The API filters by statuses in the format brackets.',
      },
      advice: { REVOX_ARRAY_FORMAT: 'brackets' },
      exitCode: 0,
    },
    'ignores the filter': {
      sandbox: { ignoresStatuses: true },
      verdicts: {
        'array-format':
          'finding: The API filters by statuses in no format: comma is ignored, repeat is ignored, brackets is ignored.',
      },
      exitCode: 2,
    },
    'reads only the last of several values': {
      prepare: ({ control }) => control.transform(/statuses=.*statuses=/, () => ({ calls: [] })),
      sandbox: { arrayFormat: 'repeat' },
      verdicts: {
        'array-format':
          'finding: The API filters by statuses in no format: comma is rejected, repeat filters wrongly, brackets is rejected.',
      },
      exitCode: 2,
    },
    'has an empty organization': {
      prepare: ({ control }) => {
        const { attempts, campaigns, assistants } = control.data('sk_demo_a');
        for (const list of [attempts, campaigns, assistants]) list.splice(0);
      },
      verdicts: {
        key: 'ok: The API accepts the key, and refuses a made-up one (401).',
        'first-page': 'ok: The first page has the number 1: the API rejects page 0.',
        'page-size':
          'unknown: The list of call attempts is too short to show whether the API honours page_size.',
        'past-the-end': 'ok: Past the end, the API serves an empty page.',
        'list-order': 'unknown: The list of call attempts is too short to show its order.',
        'embedded-assistant': 'unknown: There is no assistant to read.',
        'array-format': 'unknown: The data does not show which format filters by statuses.',
      },
      exitCode: 0,
      traffic: [
        ...KEY,
        ...PAGES_FROM_1.slice(0, 2),
        '/call?page=100001&page_size=50',
        '/campaigns',
      ],
    },
    'has an empty organization, and clamps page numbers': {
      sandbox: { clampsPageNumber: true },
      prepare: ({ control }) => control.data('sk_demo_a').attempts.splice(0),
      verdicts: {
        'first-page':
          'unknown: The list of call attempts is empty, so it does not show the number of its first page.',
      },
      exitCode: 0,
    },
    'accepts any key': {
      sandbox: { acceptsAnyKey: true },
      verdicts: {
        key: 'finding: The API responds to a made-up key as to this one: it checks no keys, or REVOX_BASE_URL is not the real API.',
      },
      exitCode: 2,
      traffic: HEALTHY_TRAFFIC,
    },
    'has a clock that is ahead': {
      sandbox: { now: () => STARTED_AT + 90_000 },
      verdicts: {
        clock:
          'finding: The clock of the API is 90 s ahead of that of this machine: check NTP on this machine.',
      },
      exitCode: 2,
    },
    'has a clock that is behind': {
      sandbox: { now: () => STARTED_AT - 90_000 },
      verdicts: {
        clock:
          'finding: The clock of the API is 90 s behind that of this machine: check NTP on this machine.',
      },
      exitCode: 2,
    },
    'sends no dates': {
      sandbox: { sendsDate: false },
      verdicts: { clock: 'unknown: The responses have no date to compare clocks.' },
      exitCode: 0,
    },
    'accepts ids of attempts': {
      prepare: ({ control, organizations }) => {
        const [call] = control.data(organizations[0]?.apiKey ?? '').calls;
        control.fail(/^\/call\/(?!never)/, { status: 200, body: { call } });
      },
      verdicts: { 'attempt-id': 'note: GET /call/{id} accepts the id of an attempt.' },
      exitCode: 0,
    },
    'changes assistants after their calls': {
      prepare: ({ control }) =>
        control.transform('/assistants/', (assistant) => ({ ...assistant, prompt: 'Hello' })),
      verdicts: {
        'embedded-assistant':
          'note: The assistant of a call differs from GET /assistants/{id} in 1 key; the gateway does not use one for the other.',
      },
      exitCode: 0,
    },
    'reports limits, caching and compression': {
      prepare: ({ control }) =>
        control.fail(/^\/campaigns$/, {
          status: 200,
          body: { campaigns: [] },
          headers: { 'x-ratelimit-remaining': '58', 'cache-control': 'no-store', etag: '"x"' },
        }),
      verdicts: {
        'rate-limit': 'note: The API reports rate limits: x-ratelimit-remaining: 58.',
        caching:
          'note: Responses have the caching headers cache-control, etag; the gateway derives freshness from the data.',
      },
      exitCode: 0,
    },
    'limits the rate of requests': {
      prepare: ({ control }) =>
        control.fail('/campaigns', { status: 429, headers: { 'retry-after': '30' } }),
      verdicts: {
        'rate-limit':
          'finding: The API limits the rate of requests: request 8 of this run got 429, and no other was sent.',
      },
      exitCode: 2,
      traffic: HEALTHY_TRAFFIC.slice(0, 8),
    },
    'fails in the middle of the run': {
      prepare: ({ control }) => control.fail(/^\/(campaigns|call\/)/, { status: 503 }),
      verdicts: {},
      exitCode: 2,
    },
    'rejects large pages': {
      prepare: ({ control }) => control.fail(/page_size=1000/, { status: 422 }),
      verdicts: {
        'page-size': 'ok: The API serves pages of 50, and rejects page_size=1000 with status 422.',
      },
      exitCode: 0,
    },
    'fails for large pages': {
      prepare: ({ control }) => control.fail(/page_size=1000/, { status: 504 }),
      verdicts: {
        'page-size':
          'unknown: The API serves pages of 50; a page of 1000 cannot be read: the API responds with status 504.',
      },
      exitCode: 0,
      traffic: HEALTHY_TRAFFIC,
    },
    'has ids that no path can contain': {
      prepare: ({ control }) =>
        control.rewrite('', (json) => json.replaceAll(/"id":"[^"]+"/g, '"id":"\\ud800"')),
      verdicts: {
        'attempt-id': undefined,
        'embedded-assistant': 'unknown: There is no assistant to read.',
      },
      exitCode: 0,
    },
    'rejects pages past the end': {
      prepare: ({ control }) => control.fail(/page=100001/, { status: 404 }),
      verdicts: { 'past-the-end': 'ok: Past the end, the API responds with status 404.' },
      exitCode: 0,
    },
    'serves the first page past the end': {
      prepare: ({ control }) => {
        const { attempts } = control.data('sk_demo_a');
        control.transform(/page=100001/, () => ({ calls: attempts.slice(0, 50) }));
      },
      verdicts: {
        'past-the-end':
          'finding: Past the end, the API serves the first page again, so the list seems endless.',
      },
      exitCode: 2,
    },
  };

  test.each(Object.entries(behaviours))(
    'an upstream that %s gets exact verdicts',
    async (_, behaviour) => {
      const diagnosis: Diagnosis = await diagnose(behaviour);

      for (const [check, expected] of Object.entries(behaviour.verdicts))
        expect(diagnosis.verdictOf(check)).toBe(expected);
      expect(diagnosis.settings).toMatchObject(behaviour.advice ?? {});
      expect(diagnosis.exitCode).toBe(behaviour.exitCode);
      if (behaviour.traffic) expect(diagnosis.traffic).toEqual(behaviour.traffic);
      expect(diagnosis.traffic.length).toBe(diagnosis.requests);
      expect(diagnosis.requests).toBeLessThanOrEqual(20);
    },
  );
});
