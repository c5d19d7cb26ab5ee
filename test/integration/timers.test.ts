import { describe, expect, test } from 'vitest';
import { SWEEP_INTERVAL_MS } from '#cache/memory-store.ts';
import { createManualTimers } from '../rest/real-server.ts';
import { NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway, untilIdle } from '../support/timed-gateway.ts';

const ASSISTANTS = '{ assistants(first: 1) { nodes { id } } }';
const CALL = '{ call(id: "x") { id } }';

function createScene(settings = {}) {
  const timers = createManualTimers();
  const gateway = createTimedGateway({
    settings: { ...NO_RETRIES, ...settings },
    gateway: { startTimer: timers.startTimer },
  });
  return {
    ...gateway,
    timers,
    /** The running timers besides the one that removes expired entries from the cache. */
    async runningTimers() {
      await untilIdle();
      return timers.running.filter((ms) => ms !== SWEEP_INTERVAL_MS);
    },
  };
}

describe('Timers of the gateway', () => {
  test('an operation leaves no timer, whether it succeeds, finds nothing or fails', async () => {
    const { execute, traffic, sandbox, runningTimers } = createScene();
    expect((await execute(ASSISTANTS)).errors).toBeUndefined();
    expect(await runningTimers()).toEqual([]);
    expect(await execute(CALL)).toEqual({ data: { call: null } });
    expect(await runningTimers()).toEqual([]);
    for (const status of [401, 403, 409, 500]) {
      sandbox.control.fail(`/call/${status}`, { status, times: 1 });
      expect((await execute(`{ call(id: "${status}") { id } }`)).errors).toHaveLength(1);
      expect([status, await runningTimers()]).toEqual([status, []]);
    }
    sandbox.control.reset(() => true);
    expect((await execute('{ call(id: "y") { id } }')).errors).toHaveLength(1);
    expect(await runningTimers()).toEqual([]);
    expect((await execute('{ nope }')).errors).toHaveLength(1);
    expect(await runningTimers()).toEqual([]);
    expect(traffic().length).toBeGreaterThan(2);
  });

  test('the operation of a client that disconnects leaves no timer', async () => {
    const { fetch, traffic, sandbox, timers, runningTimers, unexpectedErrors } = createScene();
    sandbox.control.hang('/call/x');
    const client = new AbortController();
    const response = fetch(`/graphql?query=${encodeURIComponent(CALL)}`, { signal: client.signal });
    await untilIdle();
    expect(timers.running).toContain(30_000);
    client.abort();
    await expect(response).rejects.toThrow();
    // The upstream request keeps its slot until the upstream would usually have responded.
    expect(await runningTimers()).toEqual([1_000]);
    timers.elapse(1_000);
    expect(await runningTimers()).toEqual([]);
    expect([traffic(), unexpectedErrors]).toEqual([['GET /call/x'], []]);
  });

  test.each([200, 500])(
    'a revalidation in the background that ends with %i leaves no timer',
    async (status) => {
      const { execute, executeTraced, clock, traffic, sandbox, runningTimers, timers } =
        createScene({ FRESHNESS_ASSISTANT_MS: '1000', FRESHNESS_WHILE_REVALIDATING_MS: '60000' });
      await execute(ASSISTANTS);
      traffic();
      clock.pass(1_000);
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      if (status === 200) sandbox.control.delay('/assistants', held, 1);
      else sandbox.control.fail('/assistants', { status, times: 1 });
      const { sources } = await executeTraced(ASSISTANTS);
      expect(sources).toEqual([expect.stringMatching(/^stale /)]);
      if (status === 200) {
        await untilIdle();
        // The revalidation outlives the operation, and has the operation's deadline.
        expect(timers.running).toContain(30_000);
      }
      release();
      expect(await runningTimers()).toEqual([]);
      expect(traffic()).toEqual(['GET /assistants']);
    },
  );
});
