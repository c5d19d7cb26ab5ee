import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PIPELINES, type Pipeline } from '../support/pipelines.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';

const NAMES = Object.keys(PIPELINES) as Pipeline[];
const gateways = {} as Record<Pipeline, ServedGateway>;
beforeAll(async () => {
  for (const pipeline of NAMES)
    gateways[pipeline] = await serveTestGateway({
      gateway: PIPELINES[pipeline],
      settings: { SUBSCRIPTIONS: 'off' },
    });
});
afterAll(() => Promise.all(Object.values(gateways).map((gateway) => gateway.close())));

const NO_MUTATIONS = 'This API is read-only: it has no mutations. Send a query.';
const NO_SUBSCRIPTIONS =
  'This gateway has no subscriptions (SUBSCRIPTIONS). Send a query, and repeat it to see changes.';

interface Result {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function post({ url }: ServedGateway, params: object, headers = {}): Promise<Result> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(params),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function toBody(message: string, column = 1): object {
  return {
    errors: [{ message, locations: [{ line: 1, column }], extensions: { code: 'BAD_USER_INPUT' } }],
  };
}

describe.each(NAMES)(
  'Operation that the API does not have or the settings disable, %s',
  (pipeline) => {
    test.each([
      ['a mutation', 'mutation { startCall { id } }', NO_MUTATIONS],
      ['a mutation of __typename', 'mutation { __typename }', NO_MUTATIONS],
      [
        'a mutation with an unknown input type',
        'mutation M($i: StartCallInput!) { startCall(i: $i) { id } }',
        NO_MUTATIONS,
      ],
      [
        'a mutation with an unknown fragment',
        'mutation { startCall { ...nowhere } }',
        NO_MUTATIONS,
      ],
      ['a subscription', 'subscription { callUpdated(id: "x") { id } }', NO_SUBSCRIPTIONS],
      [
        'a subscription with two root fields',
        'subscription S($i: In) { a(i: $i) b }',
        NO_SUBSCRIPTIONS,
      ],
    ])('%s is rejected in plain words', async (_, query, message) => {
      const gateway = gateways[pipeline];
      for (let time = 1; time <= 2; time += 1) {
        for (const [accept, expected] of [
          ['application/json', 200],
          ['application/graphql-response+json', 400],
          // GraphiQL's.
          ['application/json, multipart/mixed', 200],
        ] as const) {
          const { status, text } = await post(gateway, { query }, { accept });
          expect([status, JSON.parse(text)]).toEqual([expected, toBody(message)]);
        }
        expect(gateway.traffic()).toEqual([]);
      }
      expect(gateway.unexpectedErrors).toEqual([]);
    });

    test('a subscription over an event stream ends with the same words', async () => {
      const gateway = gateways[pipeline];
      const query = 'subscription { callUpdated(id: "x") { id } }';
      const { status, text } = await post(gateway, { query }, { accept: 'text/event-stream' });
      expect(status).toBe(200);
      expect(text).toContain(`event: next\ndata: ${JSON.stringify(toBody(NO_SUBSCRIPTIONS))}`);
      expect(text).toContain('event: complete');
      expect(gateway.traffic()).toEqual([]);
    });

    test('a mutation by GET is rejected with 405, and a subscription by GET like one by POST', async () => {
      const gateway = gateways[pipeline];
      const get = (query: string) => fetch(`${gateway.url}?query=${encodeURIComponent(query)}`);
      const mutation = await get('mutation M($i: In!) { startCall(i: $i) { id } }');
      expect([mutation.status, mutation.headers.get('allow'), await mutation.json()]).toEqual([
        405,
        'POST',
        toBody(NO_MUTATIONS),
      ]);
      const subscription = await get('subscription { a }');
      expect([subscription.status, await subscription.json()]).toEqual([
        200,
        toBody(NO_SUBSCRIPTIONS),
      ]);
      expect(gateway.traffic()).toEqual([]);
    });

    test('the name selects between a query and a mutation of one document', async () => {
      const gateway = gateways[pipeline];
      const query = 'query Q { __typename } mutation M { startCall { id } }';
      for (let time = 1; time <= 2; time += 1) {
        const executed = await post(gateway, { query, operationName: 'Q' });
        expect(JSON.parse(executed.text)).toEqual({ data: { __typename: 'Query' } });
        const rejected = await post(gateway, { query, operationName: 'M' });
        expect(JSON.parse(rejected.text)).toEqual(
          toBody(NO_MUTATIONS, query.indexOf('mutation') + 1),
        );
      }
      expect(gateway.traffic()).toEqual([]);
    });

    test('a mutation that does not parse is reported as such', async () => {
      const { text } = await post(gateways[pipeline], { query: 'mutation { startCall(' });
      expect(JSON.parse(text)).toMatchObject({
        errors: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }],
      });
    });
  },
);
