import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '#errors/gateway-error.ts';
import { createTestGateway, KEY_A, type TestGateway } from '../support/test-gateway.ts';
import { type RandomRequest, randomRequests } from './random-requests.ts';

const NUM_RUNS = Number(process.env.FUZZ_RUNS ?? 500);

/** One request, of this process's own time: what other processes do does not count. */
const MAX_CPU_MS = 1_000;

/** What the requests of this suite have to lead to, or they would not be worth sending. */
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
  // What an operation may run into that is fine in itself.
  'UPSTREAM_BUDGET_EXCEEDED',
] satisfies ErrorCode[];

const SECRET = 'a-secret-nobody-guesses';
const MODES: [string, Record<string, string>, Record<string, string>][] = [
  ['open on this machine', {}, {}],
  [
    'behind a secret, in production',
    { ROUTER_SECRETS: SECRET, NODE_ENV: 'production' },
    { 'router-authorization': SECRET },
  ],
  [
    'asked for traces by a router',
    { ROUTER_SECRETS: SECRET },
    { 'router-authorization': SECRET, 'apollo-federation-include-trace': 'ftv1' },
  ],
  ['passing keys through', { REVOX_API_KEY: '' }, { authorization: `Bearer ${KEY_A}` }],
];

describe.each(MODES)('A gateway that is %s', (_, settings, proof) => {
  test(
    'answers whatever it is sent with a code, never with a fault of its own, in time and within its budget',
    async () => {
      const world = createTestGateway({ settings });
      // What is compiled, or loaded, when it is first used is nobody's request.
      await world.execute('{ callAttempts(first: 1) { nodes { id } } }', {}, proof);
      await (await world.fetch('/graphql', { headers: { accept: 'text/html', ...proof } })).text();
      const seen = new Set<unknown>();
      await fc.assert(
        fc.asyncProperty(randomRequests, fc.boolean(), async (request, isProved) => {
          world.traffic();
          const { response, text, cpuMs } = await send(world, request, isProved ? proof : {});
          const codes = codesIn(response, text);
          expect(response.status).toBeLessThan(500);
          expect(world.unexpectedErrors).toEqual([]);
          expect(leaksIn(response, text)).toEqual([]);
          expect(codes.filter((code) => !CODES.includes(code))).toEqual([]);
          if (response.status >= 400 && request.init.method !== 'HEAD')
            expect(codes).not.toEqual([]);
          expect(cpuMs).toBeLessThan(MAX_CPU_MS);
          expect(world.traffic().length).toBeLessThanOrEqual(250);
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

/** Of every error of an answer; an error without one is `undefined`. */
function codesIn(response: Response, text: string): unknown[] {
  // Parts of a multipart answer, and events of a stream.
  if (!/json/.test(response.headers.get('content-type') ?? ''))
    return Array.from(text.matchAll(/"code":"(\w+)"/g), ([, code]) => code);
  if (text === '') return [];
  const answers = [JSON.parse(text)].flat();
  return answers.flatMap(({ errors = [] }) =>
    errors.map((error: { extensions?: { code?: unknown } }) => error.extensions?.code),
  );
}

/** What tells of our inside. GraphiQL's page, all nine megabytes, is the same for everyone. */
function leaksIn(response: Response, text: string): string[] {
  if (response.headers.get('content-type')?.startsWith('text/html')) return [];
  return text.match(/node_modules|\.ts:\d+|\bat \w+ \(|a-secret-nobody-guesses|sk_demo_\w/g) ?? [];
}
