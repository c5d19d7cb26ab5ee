import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '#errors/gateway-error.ts';
import { createTestGateway, KEY_A, type TestGateway } from '../support/test-gateway.ts';
import { type RandomRequest, randomRequests } from './random-requests.ts';

const NUM_RUNS = Number(process.env.FUZZ_RUNS ?? 200);

/** Maximum processor time for one request, in ms. The time of other processes does not count. */
const MAX_CPU_MS = 1_000;

/** Codes that the random requests must cause; otherwise the requests would test too little. */
const SEEN_CODES = [
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_TOO_COMPLEX',
] as const;
const CODES: readonly unknown[] = [
  ...SEEN_CODES,
  'FORBIDDEN',
  'PERSISTED_QUERY_NOT_FOUND',
  'UNAUTHENTICATED',
  // A valid operation may exceed the upstream budget.
  'UPSTREAM_BUDGET_EXCEEDED',
] satisfies ErrorCode[];

const SECRET = 'a-secret-that-is-not-guessable';
const MODES: [string, Record<string, string>, Record<string, string>][] = [
  ['service mode on loopback', {}, {}],
  [
    'router secret, in production',
    { ROUTER_SECRETS: SECRET, NODE_ENV: 'production' },
    { 'router-authorization': SECRET },
  ],
  [
    'router secret, with federated traces',
    { ROUTER_SECRETS: SECRET },
    { 'router-authorization': SECRET, 'apollo-federation-include-trace': 'ftv1' },
  ],
  ['pass-through mode', { REVOX_API_KEY: '' }, { authorization: `Bearer ${KEY_A}` }],
];

describe.each(MODES)('Random requests (%s)', (_, settings, proof) => {
  test(
    'the gateway responds to any request without an unexpected error, in time and within the upstream budget',
    async () => {
      const gateway = createTestGateway({ settings });
      // The first use compiles and loads code, which must not count for a random request.
      await gateway.execute('{ callAttempts(first: 1) { nodes { id } } }', {}, proof);
      await (
        await gateway.fetch('/graphql', { headers: { accept: 'text/html', ...proof } })
      ).text();
      const seen = new Set<unknown>();
      await fc.assert(
        fc.asyncProperty(randomRequests, fc.boolean(), async (request, isProved) => {
          gateway.traffic();
          const { response, text, cpuMs } = await send(gateway, request, isProved ? proof : {});
          const codes = codesIn(response, text);
          expect(response.status).toBeLessThan(500);
          expect(gateway.unexpectedErrors).toEqual([]);
          expect(leaksIn(response, text)).toEqual([]);
          expect(codes.filter((code) => !CODES.includes(code))).toEqual([]);
          if (response.status >= 400 && request.init.method !== 'HEAD')
            expect(codes).not.toEqual([]);
          expect(cpuMs).toBeLessThan(MAX_CPU_MS);
          expect(gateway.traffic().length).toBeLessThanOrEqual(250);
          for (const code of codes) seen.add(code);
        }),
        { numRuns: NUM_RUNS },
      );
      expect([...seen]).toEqual(expect.arrayContaining([...SEEN_CODES]));
    },
    30_000 + NUM_RUNS * 200,
  );
});

async function send(
  gateway: TestGateway,
  { path, init }: RandomRequest,
  proof: Record<string, string>,
) {
  const before = process.cpuUsage();
  const response = await gateway.fetch(path, { ...init, headers: { ...init.headers, ...proof } });
  const text = await response.text();
  const { user, system } = process.cpuUsage(before);
  return { response, text, cpuMs: (user + system) / 1000 };
}

/** The codes of all errors of a response; `undefined` for an error without one. */
function codesIn(response: Response, text: string): unknown[] {
  // The parts of a multipart response, and the events of a stream.
  if (!/json/.test(response.headers.get('content-type') ?? ''))
    return Array.from(text.matchAll(/"code":"(\w+)"/g), ([, code]) => code);
  if (text === '') return [];
  const results = [JSON.parse(text)].flat();
  return results.flatMap(({ errors = [] }) =>
    errors.map((error: { extensions?: { code?: unknown } }) => error.extensions?.code),
  );
}

/**
 * Internal details in a response. The GraphiQL page is the same for every caller, so it is not
 * searched.
 */
function leaksIn(response: Response, text: string): string[] {
  if (response.headers.get('content-type')?.startsWith('text/html')) return [];
  return (
    text.match(/node_modules|\.ts:\d+|\bat \w+ \(|a-secret-that-is-not-guessable|sk_demo_\w/g) ?? []
  );
}
