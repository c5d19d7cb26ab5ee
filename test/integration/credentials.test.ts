import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createLiveGateway } from '../support/live-gateway.ts';
import { type GraphQLResult, KEY_A, KEY_B, NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway, type TimedGateway, untilIdle } from '../support/timed-gateway.ts';

const CALL = 'query ($id: ID!) { call(id: $id) { id } }';
const CALLS = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';

const PASS_THROUGH = { ...NO_RETRIES, REVOX_API_KEY: '' };

/** A gateway in pass-through mode: each request carries its own API key. */
function createPassThroughGateway(settings = {}) {
  const gateway = createTimedGateway({
    settings: { ...PASS_THROUGH, ...settings },
  });
  const { richCallId: id, twentyCallIds: ids } = sampleIds(gateway.sandbox);
  const executeAs = (
    key: string,
    query: string,
    variables: Record<string, unknown>,
  ): Promise<GraphQLResult> =>
    gateway.execute(query, variables, { authorization: `Bearer ${key}` });
  return { ...gateway, id, ids, executeAs };
}

describe('API key rejected with 401', () => {
  const status = 401;

  test.each([
    { mode: 'service', settings: { REVOX_API_KEY: KEY_A }, headers: {} },
    {
      mode: 'pass-through',
      settings: { REVOX_API_KEY: '' },
      headers: { authorization: `Bearer ${KEY_A}` },
    },
  ])(
    'an API key rejected with 401 reads no cached entry any more ($mode mode)',
    async ({ settings, headers }) => {
      const { execute, traffic, sandbox, clock } = createTimedGateway({
        settings: { ...NO_RETRIES, REVOX_BREAKER_FAILURES: '1000', ...settings },
      });
      const { richCallId, twentyCallIds } = sampleIds(sandbox);
      await execute(CALLS, { ids: [richCallId, ...twentyCallIds] }, headers);
      traffic();

      sandbox.control.fail(() => true, { status, times: 1 });
      expect((await execute(CALL, { id: 'elsewhere' }, headers)).errors).toHaveLength(1);
      traffic();
      // The rejection itself expires after five seconds.
      clock.pass(5_000);
      sandbox.control.reset(() => true);
      const { data, errors } = await execute(
        CALLS,
        { ids: [richCallId, ...twentyCallIds] },
        headers,
      );
      expect(data.calls.every((call: unknown) => call === null)).toBe(true);
      expect(errors?.every(({ extensions }) => extensions.code === 'UPSTREAM_UNAVAILABLE')).toBe(
        true,
      );
      expect(traffic()).toHaveLength(new Set([richCallId, ...twentyCallIds]).size);
    },
  );

  test('a 401 for one API key leaves the cache of another key intact', async () => {
    const { executeAs, traffic, sandbox, clock, id } = createPassThroughGateway();
    const ofB = sandbox.control.data(KEY_B).calls.find((call) => call.status === 'completed')!.id;
    await executeAs(KEY_A, CALL, { id });
    await executeAs(KEY_B, CALL, { id: ofB });
    traffic();
    sandbox.control.fail('/call/elsewhere', { status });
    await executeAs(KEY_A, CALL, { id: 'elsewhere' });
    expect(traffic()).toEqual(['GET /call/elsewhere']);
    expect((await executeAs(KEY_B, CALL, { id: ofB })).data.call).toEqual({ id: ofB });
    expect(traffic()).toEqual([]);
    clock.pass(1_000);
    await executeAs(KEY_A, CALL, { id });
    expect(traffic()).toEqual([`GET /call/${id}`]);
  });

  test('a response in flight when its API key is rejected is not cached', async () => {
    const { executeAs, traffic, sandbox, id } = createPassThroughGateway();
    const { promise: late, resolve: arrive } = Promise.withResolvers<void>();
    await executeAs(KEY_A, CALL, { id: sampleIds(sandbox).retriedCallId });
    sandbox.control.delay(`/call/${id}`, late, 1);
    const onItsWay = executeAs(KEY_A, CALL, { id });
    await untilIdle();
    sandbox.control.fail('/call/elsewhere', { status, times: 1 });
    await executeAs(KEY_A, CALL, { id: 'elsewhere' });
    arrive();
    expect((await onItsWay).data.call).toEqual({ id });
    traffic();
    await executeAs(KEY_A, CALL, { id });
    expect(traffic()).toEqual([`GET /call/${id}`]);
  });
});

describe.each([
  { mode: 'service', key: KEY_A, code: 'UPSTREAM_REJECTED', headers: {} },
  {
    mode: 'pass-through',
    key: '',
    code: 'FORBIDDEN',
    headers: { authorization: `Bearer ${KEY_A}` },
  },
])('Upstream 403 ($mode mode)', ({ key, code, headers }) => {
  const settings = { ...NO_RETRIES, REVOX_API_KEY: key, CREDENTIAL_RECHECK_MS: '86400000' };

  test('a 403 for an object that the key has never read fails that field and keeps all cached entries', async () => {
    const { execute, traffic, sandbox } = createTimedGateway({ settings });
    const { twentyCallIds: ids } = sampleIds(sandbox);
    await execute(CALLS, { ids }, headers);
    traffic();

    sandbox.control.fail('/call/elsewhere', { status: 403 });
    const { data, errors } = await execute(CALLS, { ids: ['elsewhere', ...ids] }, headers);

    expect(data.calls).toEqual([null, ...ids.map((id) => ({ id }))]);
    expect(errors).toMatchObject([{ path: ['calls', 0], extensions: { code } }]);
    expect(traffic()).toEqual(['GET /call/elsewhere']);
    expect((await execute(CALLS, { ids }, headers)).errors).toBeUndefined();
    expect(traffic()).toEqual([]);
  });

  test('a 403 for an object that the key could read before drops all cached entries of the key', async () => {
    const { execute, clock, traffic, sandbox } = createTimedGateway({ settings });
    const { twentyCallIds, richCallId } = sampleIds(sandbox);
    const [first = '', ...others] = twentyCallIds.filter((id) => id !== richCallId);
    await execute(CALLS, { ids: [first] }, headers);
    clock.pass(600_000);
    await execute(CALLS, { ids: others }, headers);
    clock.pass(20_000);
    traffic();

    sandbox.control.fail(`/call/${first}`, { status: 403 });
    expect(await execute(CALL, { id: first }, headers)).toMatchObject({
      data: { call: null },
      errors: [{ extensions: { code } }],
    });
    expect(traffic()).toEqual([`GET /call/${first}`]);
    expect((await execute(CALLS, { ids: others }, headers)).errors).toBeUndefined();
    expect(traffic().sort()).toEqual(others.map((id) => `GET /call/${id}`).sort());
  });
});

describe('Credential recheck after a minute', () => {
  test('an API key last accepted a minute ago reads cached entries again after one successful upstream request', async () => {
    const { executeAs, traffic, clock, ids } = createPassThroughGateway();
    await executeAs(KEY_A, CALLS, { ids });
    traffic();
    clock.pass(59_999);
    await executeAs(KEY_A, CALLS, { ids });
    expect(traffic()).toEqual([]);
    clock.pass(1);
    expect((await executeAs(KEY_A, CALLS, { ids })).errors).toBeUndefined();
    expect(traffic()).toEqual([`GET /call/${ids[0]}`]);
    await executeAs(KEY_A, CALLS, { ids });
    expect(traffic()).toEqual([]);
  });

  test('an API key that was revoked since its last acceptance reads no cached entry', async () => {
    const { executeAs, traffic, clock, ids, sandbox } = createPassThroughGateway();
    await executeAs(KEY_A, CALLS, { ids });
    traffic();
    clock.pass(60_000);
    sandbox.control.fail(() => true, { status: 401 });
    const { data, errors } = await executeAs(KEY_A, CALLS, { ids });
    expect(data.calls).toEqual(ids.map(() => null));
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(
      ids.map(() => 'UNAUTHENTICATED'),
    );
    expect(traffic()).toHaveLength(1);
  });

  test.each([503, 429, 400, 404])(
    'an upstream response with status %i does not count as acceptance of the API key',
    async (status) => {
      const { execute, pass, sandbox, traffic } = createLiveGateway({ settings: PASS_THROUGH });
      const { richCallId: id } = sampleIds(sandbox);
      const headers = { authorization: `Bearer ${KEY_A}` };
      await execute(CALL, { id }, headers);
      await pass(60_000);
      sandbox.control.fail(() => true, { status });
      for (let time = 0; time < 2; time += 1) {
        const pending = execute(CALL, { id }, headers);
        // After a 429 the next request waits.
        await pass(3_000);
        expect((await pending).data).toEqual({ call: null });
      }
      expect(traffic()).toHaveLength(3);
    },
  );

  test('the last acceptance of an API key stays valid for the grace period while the upstream does not respond', async () => {
    const { executeAs, traffic, clock, id, sandbox } = createPassThroughGateway({
      GRACE_MS: '300000',
    });
    await executeAs(KEY_A, CALL, { id });
    sandbox.control.reset(() => true);
    clock.pass(60_000 + 300_000 - 1);
    expect((await executeAs(KEY_A, CALL, { id })).data.call).toEqual({ id });
    clock.pass(1);
    expect(await executeAs(KEY_A, CALL, { id })).toMatchObject({
      data: { call: null },
      errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
    });
    expect(traffic()).toHaveLength(3);
  });

  test('the API key of the gateway itself needs no recheck', async () => {
    const { execute, traffic, clock, sandbox }: TimedGateway = createTimedGateway();
    const { richCallId: id } = sampleIds(sandbox);
    await execute(CALL, { id });
    traffic();
    clock.pass(599_999);
    await execute(CALL, { id });
    expect(traffic()).toEqual([]);
  });
});
