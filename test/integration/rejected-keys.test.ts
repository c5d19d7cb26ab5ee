import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { KEY_A, NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway, untilIdle } from '../support/timed-gateway.ts';

const CALL = 'query ($id: ID!) { call(id: $id) { id } }';
const CALLS = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';
const EVERYTHING = `query ($ids: [ID!]!) {
  calls(ids: $ids) { id campaign { status assistant { name } } }
  callAttempts(first: 100) { totalCount nodes { id } }
  assistants { totalCount nodes { id } }
  campaigns(first: 100) { nodes { rows(first: 100) { nodes { id call { id } } } } }
  nodes(ids: $ids) { id }
}`;
const INVALID_KEY = { authorization: 'Bearer sk_invented' };
const VALID_KEY = { authorization: `Bearer ${KEY_A}` };

const hundredIds = Array.from({ length: 100 }, (_, n) => `call-${n}`);

function createPassThroughGateway(settings = {}) {
  return createTimedGateway({ settings: { REVOX_API_KEY: '', ...settings } });
}

function codesOf({
  errors = [],
}: {
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}): string[] {
  return [...new Set(errors.map(({ extensions }) => extensions.code))];
}

describe('Invented API key in pass-through mode', () => {
  test('an invented API key costs the upstream one request, whatever the document selects', async () => {
    const { execute, traffic } = createPassThroughGateway();
    const result = await execute(EVERYTHING, { ids: hundredIds }, INVALID_KEY);
    expect(codesOf(result)).toEqual(['UNAUTHENTICATED']);
    expect(traffic()).toHaveLength(1);
  });

  test('an invented API key costs one request even when the upstream responds slowly with x-should-retry', async () => {
    const { execute, clock, traffic, sandbox } = createPassThroughGateway();
    const late = Promise.withResolvers<void>();
    sandbox.control.fail(() => true, { status: 401, headers: { 'x-should-retry': 'true' } });
    sandbox.control.delay(() => true, late.promise);
    const pending = execute(EVERYTHING, { ids: hundredIds }, INVALID_KEY);
    await untilIdle();
    clock.pass(10_000);
    late.resolve();
    expect(codesOf(await pending)).toEqual(['UNAUTHENTICATED']);
    expect(traffic()).toHaveLength(1);
  });

  test('a hundred concurrent operations with an invented API key cost one request, and the next hundred in the same second none', async () => {
    const { execute, clock, traffic } = createPassThroughGateway();
    const executeAll = () =>
      Promise.all(hundredIds.map((id) => execute(CALL, { id }, INVALID_KEY)));
    const results = await executeAll();
    expect([...new Set(results.flatMap(codesOf))]).toEqual(['UNAUTHENTICATED']);
    expect(results.every(({ data }) => data.call === null)).toBe(true);
    expect(traffic()).toHaveLength(1);
    clock.pass(999);
    expect([...new Set((await executeAll()).flatMap(codesOf))]).toEqual(['UNAUTHENTICATED']);
    expect(traffic()).toEqual([]);
    clock.pass(1);
    expect([...new Set((await executeAll()).flatMap(codesOf))]).toEqual(['UNAUTHENTICATED']);
    expect(traffic()).toHaveLength(1);
  });

  test('a request that is rejected without being sent is reported with a null status', async () => {
    const { executeTraced } = createPassThroughGateway();
    await executeTraced(CALL, { id: 'x' }, INVALID_KEY);
    const { extensions, errors } = await executeTraced(CALL, { id: 'x' }, INVALID_KEY);
    expect(codesOf({ errors: errors ?? [] })).toEqual(['UNAUTHENTICATED']);
    expect(extensions.upstream).toMatchObject({
      requests: 0,
      calls: [{ path: '/call/x', status: null }],
    });
  });
});

describe('Rejected API key in pass-through mode', () => {
  test('a rejected API key works again within a second after the upstream accepts it, by one probe', async () => {
    const { execute, clock, traffic, sandbox } = createPassThroughGateway(NO_RETRIES);
    const { richCallId, twentyCallIds: ids } = sampleIds(sandbox);
    sandbox.control.fail(() => true, { status: 401, times: 1 });
    expect(codesOf(await execute(CALL, { id: richCallId }, VALID_KEY))).toEqual([
      'UNAUTHENTICATED',
    ]);
    clock.pass(999);
    expect(codesOf(await execute(CALL, { id: richCallId }, VALID_KEY))).toEqual([
      'UNAUTHENTICATED',
    ]);
    expect(traffic()).toHaveLength(1);
    clock.pass(1);
    expect((await execute(CALL, { id: richCallId }, VALID_KEY)).data.call).toEqual({
      id: richCallId,
    });
    expect((await execute(CALLS, { ids }, VALID_KEY)).errors).toBeUndefined();
    expect(traffic()).toHaveLength(
      1 + new Set([...ids, richCallId]).size - (ids.includes(richCallId) ? 1 : 0),
    );
  });

  test('the rejection of one API key does not affect another key', async () => {
    const { execute, traffic, sandbox } = createPassThroughGateway();
    const { richCallId: id } = sampleIds(sandbox);
    await execute(CALL, { id: 'x' }, INVALID_KEY);
    traffic();
    expect((await execute(CALL, { id }, VALID_KEY)).data.call).toEqual({ id });
    expect(traffic()).toEqual([`GET /call/${id}`]);
  });

  test('an operation that has received a 401 sends no further request, even after the rejection has expired', async () => {
    const { execute, clock, traffic, sandbox } = createPassThroughGateway(NO_RETRIES);
    const { richCallId } = sampleIds(sandbox);
    await execute(CALL, { id: richCallId }, VALID_KEY);
    traffic();
    const [rejection, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    sandbox.control.delay('/assistants', rejection.promise);
    sandbox.control.fail('/assistants', { status: 401 });
    sandbox.control.delay('/call/slow', late.promise);
    sandbox.control.corrupt(
      '/call/slow',
      JSON.stringify({ call: { id: 'slow', call_attempts: [], campaign: { id: 'next' } } }),
    );
    const pending = execute(
      '{ assistants { nodes { id } } call(id: "slow") { id campaign { status } } }',
      {},
      VALID_KEY,
    );
    await untilIdle();
    rejection.resolve();
    await untilIdle();
    clock.pass(60_000);
    late.resolve();
    const result = await pending;
    expect(result.errors?.map(({ path }) => path)).toEqual([
      ['assistants'],
      ['call', 'campaign', 'status'],
    ]);
    expect(codesOf(result)).toEqual(['UNAUTHENTICATED']);
    expect(traffic().sort()).toEqual(['GET /assistants', 'GET /call/slow']);
  });
});

describe('API key of the gateway in service mode', () => {
  test('after ten 401s in a row the API key of the gateway is probed once a second and used again as soon as it is accepted', async () => {
    const { execute, clock, traffic, sandbox } = createTimedGateway({
      settings: { ...NO_RETRIES, REVOX_MAX_CONCURRENCY: '1' },
    });
    const { richCallId: id } = sampleIds(sandbox);
    sandbox.control.fail(() => true, { status: 401 });
    const result = await execute(CALLS, { ids: hundredIds });
    expect(codesOf(result)).toEqual(['UPSTREAM_REJECTED']);
    expect(result.errors).toHaveLength(100);
    expect(traffic()).toHaveLength(10);
    expect(codesOf(await execute(CALL, { id }))).toEqual(['UPSTREAM_REJECTED']);
    expect(traffic()).toEqual([]);
    sandbox.control.heal();
    clock.pass(1_000);
    expect((await execute(CALL, { id })).data.call).toEqual({ id });
    expect((await execute(CALLS, { ids: hundredIds })).errors).toBeUndefined();
    expect(traffic()).toHaveLength(101);
  });

  test('a suspended API key of the gateway recovers within a second although one client polls an object that is rejected with 401', async () => {
    const { execute, clock, traffic, sandbox } = createTimedGateway({
      settings: { ...NO_RETRIES, REVOX_MAX_CONCURRENCY: '1' },
    });
    const { richCallId: id } = sampleIds(sandbox);
    sandbox.control.fail(({ path }) => path === '/call/refused', { status: 401 });
    const poll = async (times: number) => {
      for (let time = 0; time < times; time += 1)
        expect(codesOf(await execute(CALL, { id: 'refused' }))).toEqual(['UPSTREAM_REJECTED']);
    };
    await poll(11);
    expect(codesOf(await execute(CALL, { id }))).toEqual(['UPSTREAM_REJECTED']);
    expect(traffic()).toHaveLength(10);
    clock.pass(1_000);
    await poll(2);
    expect(traffic()).toEqual([]);
    expect((await execute(CALL, { id })).data.call).toEqual({ id });
    expect(traffic()).toEqual([`GET /call/${id}`]);
  });

  test('an API key of the gateway that is rejected for some objects still serves the others', async () => {
    const { execute, traffic, sandbox } = createTimedGateway({
      settings: { ...NO_RETRIES, REVOX_MAX_CONCURRENCY: '1' },
    });
    const { twentyCallIds: ids } = sampleIds(sandbox);
    sandbox.control.fail(({ path }) => path.startsWith('/call/call-'), { status: 401 });
    const mixed = ids.flatMap((id, n) => [id, `call-${n}`]);
    const { data, errors } = await execute(CALLS, { ids: mixed });
    expect(data.calls).toEqual(ids.flatMap((id) => [{ id }, null]));
    expect(errors).toHaveLength(ids.length);
    expect(traffic()).toHaveLength(mixed.length);
  });
});
