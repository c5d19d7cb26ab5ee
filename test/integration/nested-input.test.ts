import { describe, expect, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { readMetrics, sumSamples } from '../support/metrics.ts';
import { createTestGateway, type TestGateway } from '../support/test-gateway.ts';

const QUERY =
  'query ($n: Int, $r: [_Any!] = []) { assistants(first: $n) { totalCount } _entities(representations: $r) { __typename } }';

const lists = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

/** Builds the body as text: `JSON.stringify` itself cannot handle this depth. */
const toBody = (parameter: string, json: string) =>
  `{"query":${JSON.stringify(QUERY)},"${parameter}":${json}}`;

async function post(gateway: TestGateway, body: string) {
  const response = await gateway.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return response.json();
}

const limitErrorOf = (parameter: string) => ({
  errors: [
    {
      message: `\`${parameter}\` is nested more than 64 levels deep; at most 64 are allowed.`,
      extensions: { code: 'OPERATION_TOO_COMPLEX', limit: 64, measured: 65 },
    },
  ],
});

describe('Nesting limit of JSON input', () => {
  test.each([
    ['lists in variables, one level more than allowed', 'variables', `{"r":${lists(64)}}`],
    ['objects in variables, one level more than allowed', 'variables', `{"n":${objects(64)}}`],
    ['300,000 lists in variables', 'variables', `{"r":${lists(300_000)}}`],
    ['150,000 objects in variables', 'variables', `{"n":${objects(150_000)}}`],
    ['an undeclared variable', 'variables', `{"n":1,"unknown":${objects(10_000)}}`],
    ['objects in extensions', 'extensions', `{"n":${objects(10_000)}}`],
    [
      'the hash of a persisted query',
      'extensions',
      `{"persistedQuery":{"version":1,"sha256Hash":${lists(10_000)}}}`,
    ],
  ])(
    'JSON nested too deeply is rejected with the name of the parameter and without an unexpected error: %s',
    async (_, parameter, json) => {
      const log = captureLog();
      const gateway = createTestGateway({
        settings: { LOG_PERSONAL_DATA: 'on' },
        gateway: { log: log.log },
      });
      // The operation is warm: later requests take the fast path.
      await gateway.execute(QUERY);
      await gateway.execute(QUERY);
      gateway.traffic();
      for (let round = 0; round < 3; round += 1) {
        const result = await post(gateway, toBody(parameter, json));
        if (json.includes('sha256Hash'))
          expect(result.errors[0].extensions.code).toMatch(/OPERATION_TOO_COMPLEX|BAD_USER_INPUT/);
        else expect(result).toEqual(limitErrorOf(parameter));
      }
      expect(gateway.traffic()).toEqual([]);
      expect(log.read().filter(({ level }) => level === 'error')).toEqual([]);
      expect(sumSamples(await readMetrics(gateway), 'unexpected_errors_total')).toBe(0);
    },
  );

  test.each(['variables', 'extensions'])(
    'JSON nested too deeply in the URL parameter %s is rejected',
    async (parameter) => {
      const gateway = createTestGateway();
      const url = `/graphql?${new URLSearchParams({ query: QUERY, [parameter]: objects(2_000) })}`;
      expect(await (await gateway.fetch(url)).json()).toEqual(limitErrorOf(parameter));
      expect([gateway.traffic(), gateway.unexpectedErrors]).toEqual([[], []]);
    },
  );

  test.each([
    ['lists', `{"r":${lists(63)}}`],
    ['objects', `{"r":${objects(63)}}`],
  ])(
    'JSON of 64 levels is accepted, and an invalid value is reported by its field: %s',
    async (_, json) => {
      const log = captureLog();
      const gateway = createTestGateway({
        settings: { LOG_PERSONAL_DATA: 'on' },
        gateway: { log: log.log },
      });
      const result = await post(gateway, toBody('variables', json));
      expect(result.errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT' }, path: ['_entities', 0] },
      ]);
      expect(log.read().filter(({ level }) => level === 'error')).toEqual([]);
    },
  );
});
