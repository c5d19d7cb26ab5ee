import { describe, expect, test } from 'vitest';
import { createClock } from '../support/clock.ts';
import { createTestGateway, type TestGateway } from '../support/test-gateway.ts';

const KIB = 1024;
const CALLS = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';
const CALL = 'query ($id: ID!) { call(id: $id) { id } }';
const TEN_IDS = Array.from({ length: 10 }, (_, n) => `call-${n}`);
const EXCEEDED = { code: 'UPSTREAM_BUDGET_EXCEEDED' };

/** A gateway over an upstream whose calls have `bytes` bytes each, sent in ten chunks. */
function createGatewayWithLongBodies(settings: Record<string, string> = {}, bytes = 100 * KIB) {
  const bodies = { open: 0, sentBytes: 0, hold: Promise.resolve() };
  const upstream = async ({ url }: Request) => {
    const id = new URL(url).pathname.split('/').at(-1);
    const text = JSON.stringify({ call: { id, call_attempts: [] } }).padEnd(bytes);
    let at = 0;
    bodies.open += 1;
    await bodies.hold;
    return new Response(
      new ReadableStream({
        pull(controller) {
          controller.enqueue(Buffer.from(text.slice(at, at + bytes / 10)));
          at += bytes / 10;
          bodies.sentBytes += bytes / 10;
          if (at >= text.length) {
            bodies.open -= 1;
            controller.close();
          }
        },
        cancel() {
          bodies.open -= 1;
        },
      }),
    );
  };
  const gateway: TestGateway = createTestGateway({
    settings: { MAX_UPSTREAM_BYTES: `${512 * KIB}`, ...settings },
    upstream,
    gateway: { now: createClock().now },
  });
  return { ...gateway, bodies };
}

test('concurrent operations that share the same large objects all complete although together they reach the byte limit', async () => {
  const settings = { MAX_UPSTREAM_BYTES: String(32 * 1024 * KIB) };
  const { execute, bodies } = createGatewayWithLongBodies(settings, 2_000 * KIB);
  const results = await Promise.all(
    Array.from({ length: 5 }, (_, n) => execute(`query Q${n}${CALLS.slice(5)}`, { ids: TEN_IDS })),
  );
  expect(results).toEqual(results.map(() => ({ data: { calls: TEN_IDS.map((id) => ({ id })) } })));
  expect(bodies.open).toBe(0);
});

test('an operation that holds all bytes of the API key of the gateway while it waits for a slow endpoint does not block a small operation', async () => {
  const [large, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const upstream = async ({ url }: Request) => {
    const id = new URL(url).pathname.split('/').at(-1);
    if (id === 'slow') await slow.promise;
    const text = JSON.stringify({ call: { id, call_attempts: [] } });
    if (id !== 'large') return new Response(text);
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from(text.padEnd(13 * 1024 * KIB))),
      pull(controller) {
        controller.close();
        large.resolve();
      },
    });
    return new Response(body);
  };
  const { execute, traffic } = createTestGateway({ upstream });
  const holding = execute(CALLS, { ids: ['large', 'slow'] });
  await large.promise;
  expect(await execute(CALL, { id: 'small' })).toEqual({ data: { call: { id: 'small' } } });
  slow.resolve();
  expect((await holding).data.calls).toEqual([{ id: 'large' }, { id: 'slow' }]);
  expect(traffic().sort()).toEqual(['GET /call/large', 'GET /call/slow', 'GET /call/small']);
});

describe('Upstream byte budget', () => {
  test('an exhausted byte budget stops all in-flight bodies of its operation and keeps the rest of the response', async () => {
    const { execute, bodies, traffic, unexpectedErrors } = createGatewayWithLongBodies();
    const { data, errors } = await execute(`${CALLS.replace('{ calls', '{ __typename calls')}`, {
      ids: TEN_IDS,
    });
    expect(data.__typename).toBe('Query');
    const loaded = data.calls.filter((call: unknown) => call !== null);
    expect(errors).toHaveLength(10 - loaded.length);
    expect(errors?.every(({ extensions }) => extensions.code === EXCEEDED.code)).toBe(true);
    expect(errors?.[0]?.message).toBe(
      'This operation may read 524288 bytes from the Revox API (MAX_UPSTREAM_BYTES) and needs more. Request fewer objects in one operation.',
    );
    expect(traffic()).toHaveLength(10);
    // Each body reads at most one more chunk, and its stream buffers another.
    expect(bodies.sentBytes).toBeLessThanOrEqual((512 + 10 * 2 * 10) * KIB);
    expect(bodies.open).toBe(0);
    expect(unexpectedErrors).toEqual([]);
  });

  test('an exhausted byte budget fails the queued requests of its operation', async () => {
    const { execute, traffic } = createGatewayWithLongBodies({ REVOX_MAX_CONCURRENCY: '1' });
    const { data, errors } = await execute(CALLS, { ids: TEN_IDS });
    expect(data.calls).toEqual(TEN_IDS.map((id, n) => (n < 5 ? { id } : null)));
    expect(errors).toMatchObject(TEN_IDS.slice(5).map(() => ({ extensions: EXCEEDED })));
    expect(traffic()).toHaveLength(6);
  });

  test('each operation has its own byte budget, and cached data costs none of it', async () => {
    const { execute, traffic } = createGatewayWithLongBodies({
      MAX_UPSTREAM_BYTES: `${250 * KIB}`,
    });
    for (const ids of [TEN_IDS.slice(0, 2), TEN_IDS.slice(2, 4), TEN_IDS.slice(0, 4)]) {
      expect(await execute(CALLS, { ids })).toEqual({ data: { calls: ids.map((id) => ({ id })) } });
    }
    expect(traffic()).toHaveLength(4);
  });

  test('an operation that joins a request is not affected by the exhausted byte budget of the operation that sent it', async () => {
    const { execute, bodies, traffic } = createGatewayWithLongBodies({
      MAX_UPSTREAM_BYTES: `${150 * KIB}`,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    bodies.hold = promise;
    const pending = execute(CALLS, { ids: TEN_IDS.slice(0, 3) });
    const joining = execute(CALL, { id: TEN_IDS[2] });
    while (bodies.open < 3) await new Promise(setImmediate);
    resolve();
    expect((await pending).errors?.map(({ extensions }) => extensions)).toContainEqual(EXCEEDED);
    expect(await joining).toEqual({ data: { call: { id: TEN_IDS[2] } } });
    expect(traffic()).toHaveLength(4);
  });

  test('an exceeded byte budget is not an upstream failure: the circuit stays closed and nothing is retried', async () => {
    const { execute, traffic } = createGatewayWithLongBodies({
      MAX_UPSTREAM_BYTES: `${50 * KIB}`,
      REVOX_BREAKER_FAILURES: '1',
    });
    for (let time = 0; time < 3; time += 1) {
      expect(await execute(CALL, { id: 'c' })).toMatchObject({
        data: { call: null },
        errors: [{ extensions: EXCEEDED }],
      });
    }
    expect(traffic()).toHaveLength(3);
  });
});
