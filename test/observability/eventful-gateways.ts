import { sampleIds } from '#sandbox/sample-ids.ts';
import { createManualTimers } from '../rest/real-server.ts';
import { readMetrics, type Sample } from '../support/metrics.ts';
import { NO_RETRIES, type TestGatewayOptions } from '../support/test-gateway.ts';
import { createTimedGateway, type TimedGateway, untilIdle } from '../support/timed-gateway.ts';

const VOICES = '{ assistants(first: 1) { nodes { id } } }';
const CALL = '{ call(id: "c") { id direction } }';
const ALL = () => true;

interface Scene extends TimedGateway {
  readonly timers: ReturnType<typeof createManualTimers>;
}

interface Scenario {
  readonly options?: TestGatewayOptions;
  act(scene: Scene): Promise<unknown>;
}

/**
 * Everything that can happen to a gateway except the circuit breaker: every one of its states is
 * always exposed.
 */
const SCENARIOS: readonly Scenario[] = [
  {
    options: {
      settings: { ...NO_RETRIES, REVOX_BREAKER_FAILURES: '1000', REVOX_TIMEOUT_MS: '5000' },
      gateway: { processMetrics: true },
    },
    async act(scene) {
      await hitEverySource(scene);
      await getRejected(scene);
      await failInEveryWay(scene);
    },
  },
  {
    options: {
      settings: NO_RETRIES,
      upstream: () =>
        Promise.reject(
          Object.assign(new Error('no connection in time'), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
        ),
    },
    act: ({ execute }) => execute(CALL),
  },
  {
    options: {
      settings: NO_RETRIES,
      upstream: () =>
        Promise.reject(Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' })),
    },
    act: ({ execute }) => execute(CALL),
  },
  {
    options: { settings: { ...NO_RETRIES, MAX_SUBSCRIPTIONS: '1' } },
    async act({ fetch, sandbox, timers }) {
      const { liveCallId: id } = sampleIds(sandbox);
      const subscribe = () =>
        fetch('/graphql', {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
          body: JSON.stringify({ query: `subscription { callUpdated(id: "${id}") { id } }` }),
        });
      const stream = (await subscribe()).body?.getReader();
      await stream?.read();
      // The first poll.
      timers.elapse(0);
      await stream?.read();
      await subscribe();
      await stream?.cancel();
      await subscribe();
    },
  },
  {
    options: { gateway: { random: () => 1 } },
    async act({ execute, sandbox, timers }) {
      sandbox.control.fail(ALL, { status: 503, times: 1 });
      const asked = execute(CALL);
      await untilIdle();
      timers.elapse(250);
      await asked;
    },
  },
  {
    options: {
      gateway: {
        startTimer(ms) {
          // The timer of one upstream request, not that of the operation.
          if (ms === 10_000) throw new Error('an unexpected error');
          return () => {};
        },
      },
    },
    act: ({ execute }) => execute(CALL),
  },
];

/**
 * `/metrics` of gateways to which everything has happened that can: every metric in use must be in
 * it.
 */
export async function readEventfulGateways(): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const { options = {}, act } of SCENARIOS) {
    const timers = createManualTimers();
    const gateway = createTimedGateway({
      ...options,
      gateway: { startTimer: timers.startTimer, ...options.gateway },
    });
    await act({ ...gateway, timers });
    samples.push(...(await readMetrics(gateway)));
  }
  return samples;
}

/** One lookup from each source: network, coalesced, memory, and memory past its freshness. */
async function hitEverySource({ execute, clock, sandbox }: Scene): Promise<void> {
  await Promise.all([execute(VOICES), execute(VOICES)]);
  await execute(VOICES);
  clock.pass(700_000);
  sandbox.control.fail('/assistants', { status: 503 });
  await execute(VOICES);
}

async function getRejected({ execute }: Scene): Promise<void> {
  await execute('{ nope }');
  await execute(`{ ${'__typename '.repeat(200)} }`);
}

async function failInEveryWay({
  execute,
  fetch,
  sandbox: { control },
  timers,
}: Scene): Promise<void> {
  control.corrupt('/call/', '{ "call": { "id": "c", "direction": "sideways" } }', {}, 1);
  await execute('{ call(id: "odd") { direction } }');
  control.corrupt('/call/', 'no JSON', {}, 1);
  await execute(CALL);
  control.fail('/call/', { status: 500, times: 1 });
  await execute(CALL);
  control.reset('/call/', 1);
  await execute(CALL);
  control.hang('/call/');

  const client = new AbortController();
  const left = fetch(`/graphql?query=${encodeURIComponent(CALL)}`, { signal: client.signal }).catch(
    () => {},
  );
  await untilIdle();
  client.abort();
  await left;

  const tooLate = execute(CALL);
  await untilIdle();
  timers.elapse(5_000);
  await tooLate;

  control.heal();
  control.fail('/call/', { status: 429 });
  await execute(CALL);
}
