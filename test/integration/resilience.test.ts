import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createManualTimers } from '../rest/real-server.ts';
import { KEY_A, KEY_B, NO_CACHE, type TestGatewayOptions } from '../support/test-gateway.ts';
import { createTimedGateway, untilIdle } from '../support/timed-gateway.ts';
import {
  AUDIENCE,
  createKey,
  createTokenIssuer,
  ISSUER,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
} from '../support/token-issuer.ts';

const CALL = 'query ($id: ID!) { call(id: $id) { id } }';
const ALL = () => true;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function createScene({ gateway, ...options }: TestGatewayOptions = {}) {
  const timers = createManualTimers();
  const testGateway = createTimedGateway({
    ...options,
    gateway: { startTimer: timers.startTimer, random: () => 1, ...gateway },
  });
  const [first, second] = sampleIds(testGateway.sandbox).twentyCallIds;
  return {
    ...testGateway,
    ids: { first: first!, second: second! },
    async pass(ms: number) {
      await untilIdle();
      testGateway.clock.pass(ms);
      timers.elapse(ms);
      await untilIdle();
    },
  };
}

describe('Retries', () => {
  test('a failed upstream request is retried, and extensions.upstream reports the number of retries', async () => {
    const { executeTraced, sandbox, pass, traffic, ids } = createScene();
    sandbox.control.fail('/call/', { status: 503, times: 1 });
    sandbox.control.reset('/call/', 1);
    const pending = executeTraced(CALL, { id: ids.first });
    await pass(250);
    await pass(500);
    const { data, errors, extensions } = await pending;
    expect([data, errors]).toEqual([{ call: { id: ids.first } }, undefined]);
    expect(extensions.upstream).toMatchObject({
      requests: 3,
      calls: [{ status: 200, source: 'network', retries: 2 }],
    });
    expect(traffic()).toEqual(Array(3).fill(`GET /call/${ids.first}`));
  });

  test('a retry serves every caller that waits for the request, including callers that join during the backoff', async () => {
    const { executeTraced, sandbox, pass, traffic, ids } = createScene();
    sandbox.control.fail('/call/', { status: 503, headers: { 'retry-after': '5' }, times: 1 });
    const first = executeTraced(CALL, { id: ids.first });
    await pass(3_000);
    const second = executeTraced(CALL, { id: ids.first });
    await pass(5_250);
    expect((await Promise.all([first, second])).map(({ data }) => data.call.id)).toEqual([
      ids.first,
      ids.first,
    ]);
    expect((await second).sources).toEqual([`coalesced /call/${ids.first}`]);
    expect(traffic()).toHaveLength(2);
  });

  test('a caller with a stale entry waits at most one second for retries before it receives the stale response', async () => {
    const { executeTraced, sandbox, pass, traffic, clock, ids } = createScene();
    await executeTraced(CALL, { id: ids.first });
    clock.pass(700_000);
    sandbox.control.fail('/call/', { status: 503 });
    const pending = executeTraced(CALL, { id: ids.first });
    await pass(250);
    await pass(500);
    expect((await pending).extensions.upstream).toMatchObject({ stale: 1, requests: 3 });
    traffic();
    sandbox.control.heal();
    sandbox.control.fail('/call/', { status: 503, headers: { 'retry-after': '2' } });
    expect((await executeTraced(CALL, { id: ids.first })).extensions.upstream).toMatchObject({
      stale: 1,
      requests: 1,
    });
    expect(traffic()).toHaveLength(1);
  });
});

describe('Rate-limit cooldown', () => {
  test('a 429 response pauses the requests of its credential only, until Retry-After has passed', async () => {
    const { execute, sandbox, pass, traffic, ids } = createScene({
      settings: { REVOX_API_KEY: '' },
    });
    const { id: ofB } = sandbox.control.data(KEY_B).calls[0]!;
    sandbox.control.fail('/call/', { status: 429, headers: { 'retry-after': '20' }, times: 1 });
    const first = execute(CALL, { id: ids.first }, bearer(KEY_A));
    await untilIdle();
    const second = execute(CALL, { id: ids.second }, bearer(KEY_A));
    expect(await execute(CALL, { id: ofB }, bearer(KEY_B))).toEqual({
      data: { call: { id: ofB } },
    });
    expect(traffic()).toEqual([`GET /call/${ids.first}`, `GET /call/${ofB}`]);
    await pass(20_000);
    expect((await Promise.all([first, second])).map(({ data }) => data.call.id)).toEqual([
      ids.first,
      ids.second,
    ]);
    expect(traffic()).toEqual([`GET /call/${ids.first}`, `GET /call/${ids.second}`]);
  });

  test('identical requests that wait for the end of a cooldown are coalesced', async () => {
    const { execute, sandbox, pass, traffic, ids } = createScene();
    sandbox.control.fail('/call/', { status: 429, headers: { 'retry-after': '20' }, times: 1 });
    const pending = [execute(CALL, { id: ids.first })];
    for (let second = 0; second < 5; second += 1) {
      await pass(2_000);
      pending.push(execute(CALL, { id: ids.first }), execute(CALL, { id: ids.second }));
    }
    await pass(20_000);
    expect((await Promise.all(pending)).every(({ data }) => data.call !== null)).toBe(true);
    expect(traffic()).toEqual([
      `GET /call/${ids.first}`,
      `GET /call/${ids.first}`,
      `GET /call/${ids.second}`,
    ]);
  });

  test('a request whose deadline ends before the cooldown fails its field with RATE_LIMITED and retryAfter, without an upstream request', async () => {
    const { execute, sandbox, traffic, ids } = createScene({
      settings: { REQUEST_DEADLINE_MS: '5000' },
    });
    sandbox.control.fail('/call/', { status: 429, headers: { 'retry-after': '20' }, times: 1 });
    const limited = {
      data: { call: null },
      errors: [{ extensions: { code: 'RATE_LIMITED', retryAfter: 20 } }],
    };
    expect(await execute(CALL, { id: ids.first })).toMatchObject(limited);
    expect(traffic()).toHaveLength(1);
    expect(
      await execute('query ($id: ID!) { __typename call(id: $id) { id } }', { id: ids.second }),
    ).toMatchObject({
      data: { __typename: 'Query', call: null },
      errors: [{ path: ['call'], extensions: { code: 'RATE_LIMITED', retryAfter: 20 } }],
    });
    expect(traffic()).toEqual([]);
  });
});

describe('Circuit breaker', () => {
  test('an open circuit sends no requests, serves stale responses, and closes after a successful probe', async () => {
    const settings = { REVOX_RETRIES: '0', REVOX_BREAKER_FAILURES: '3' };
    const { execute, executeTraced, sandbox, pass, traffic, clock, ids } = createScene({
      settings,
    });
    await execute(CALL, { id: ids.first });
    clock.pass(700_000);
    traffic();
    sandbox.control.reset(ALL);
    for (let n = 0; n < 10; n += 1) {
      expect(await execute(CALL, { id: `unseen ${n}` })).toMatchObject({
        errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
      });
    }
    expect(traffic()).toHaveLength(3);
    const stale = await executeTraced(CALL, { id: ids.first });
    expect(stale).toMatchObject({
      data: { call: { id: ids.first } },
      extensions: { upstream: { requests: 0, stale: 1 } },
    });
    expect(traffic()).toEqual([]);
    sandbox.control.heal();
    await pass(1_000);
    expect((await executeTraced(CALL, { id: ids.first })).extensions.upstream).toMatchObject({
      requests: 1,
      stale: 0,
    });
    expect((await execute(CALL, { id: ids.second })).data.call.id).toBe(ids.second);
    expect(traffic()).toEqual([`GET /call/${ids.first}`, `GET /call/${ids.second}`]);
  });
});

describe('Fair queueing between token subjects', () => {
  test('a token subject that floods the shared API key does not delay the request of another subject', async () => {
    const key = await createKey('one');
    const { execute, sandbox, traffic, clock } = createScene({
      settings: {
        ...NO_CACHE,
        ...JWT_SETTINGS,
        JWT_SCOPE: '',
        HOST: '0.0.0.0',
        REVOX_MAX_CONCURRENCY: '4',
      },
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    const as = async (sub: string) =>
      bearer(
        await sign(key, {
          iss: ISSUER,
          aud: AUDIENCE,
          sub,
          exp: Math.floor(clock.now() / 1000) + 60,
        }),
      );
    const [flooding, modest] = [await as('flooding'), await as('modest')];
    const { calls } = sandbox.control.data(KEY_A);
    const ids = calls.slice(0, 40).map(({ id }) => id);
    sandbox.control.hang(ALL);
    // Token verification takes an unknown number of event-loop iterations.
    const untilInFlight = async (count: number) => {
      while (sandbox.control.inFlight() < count) await new Promise(setImmediate);
      await untilIdle();
    };

    const flood = execute('query ($ids: [ID!]!) { calls(ids: $ids) { id } }', { ids }, flooding);
    await untilInFlight(3);
    // The concurrency limiter reserves one slot for other callers.
    expect(traffic()).toEqual(ids.slice(0, 3).map((id) => `GET /call/${id}`));
    const ownCallId = calls.at(-1)!.id;
    const pending = execute(CALL, { id: ownCallId }, modest);
    await untilInFlight(4);
    expect(traffic()).toEqual([`GET /call/${ownCallId}`]);

    sandbox.control.heal();
    expect((await pending).data.call.id).toBe(ownCallId);
    expect((await flood).data.calls).toHaveLength(40);
  });
});
