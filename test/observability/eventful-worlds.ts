import { readMetrics, type Sample } from '../kit/metrics.ts';
import { createTimedWorld, type TimedWorld, untilIdle } from '../kit/timed-world.ts';
import { ONE_TRY, type WorldOptions } from '../kit/world.ts';
import { createManualTimers } from '../rest/real-server.ts';

const VOICES = '{ assistants(first: 1) { nodes { id } } }';
const CALL = '{ call(id: "c") { id direction } }';
const ALL = () => true;

interface Scene extends TimedWorld {
  readonly timers: ReturnType<typeof createManualTimers>;
}

interface Story {
  readonly options?: WorldOptions;
  act(scene: Scene): Promise<unknown>;
}

/** What can happen to a gateway; the breaker stays out of it, for each of its states is always told. */
const STORIES: readonly Story[] = [
  {
    options: {
      settings: { ...ONE_TRY, REVOX_BREAKER_FAILURES: '1000', REVOX_TIMEOUT_MS: '5000' },
      gateway: { processMetrics: true },
    },
    async act(scene) {
      await findEverywhere(scene);
      await beRefused(scene);
      await failInEachWay(scene);
    },
  },
  {
    options: {
      settings: ONE_TRY,
      upstream: () => Promise.reject(Object.assign(new Error('no connection in time'), { code: 'UND_ERR_CONNECT_TIMEOUT' })),
    },
    act: ({ ask }) => ask(CALL),
  },
  {
    options: {
      settings: ONE_TRY,
      upstream: () => Promise.reject(Object.assign(new Error('nobody listens'), { code: 'ECONNREFUSED' })),
    },
    act: ({ ask }) => ask(CALL),
  },
  {
    options: { gateway: { random: () => 1 } },
    async act({ ask, sandbox, timers }) {
      sandbox.control.fail(ALL, { status: 503, times: 1 });
      const asked = ask(CALL);
      await untilIdle();
      timers.elapse(250);
      await asked;
    },
  },
  {
    options: {
      gateway: {
        startTimer(ms) {
          // The clock of one upstream request, not that of the operation.
          if (ms === 10_000) throw new Error('nobody foresaw this');
          return () => {};
        },
      },
    },
    act: ({ ask }) => ask(CALL),
  },
];

/** `/metrics` of gateways to which everything has happened that can: whatever is asked for has to be among it. */
export async function readEventfulWorlds(): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const { options = {}, act } of STORIES) {
    const timers = createManualTimers();
    const world = createTimedWorld({ ...options, gateway: { startTimer: timers.startTimer, ...options.gateway } });
    await act({ ...world, timers });
    samples.push(...(await readMetrics(world)));
  }
  return samples;
}

/** From the network, by joining another's question, from memory, and from there when it is too old. */
async function findEverywhere({ ask, clock, sandbox }: Scene): Promise<void> {
  await Promise.all([ask(VOICES), ask(VOICES)]);
  await ask(VOICES);
  clock.pass(700_000);
  sandbox.control.fail('/assistants', { status: 503 });
  await ask(VOICES);
}

async function beRefused({ ask }: Scene): Promise<void> {
  await ask('{ nope }');
  await ask(`{ ${'__typename '.repeat(200)} }`);
}

async function failInEachWay({ ask, fetch, sandbox: { control }, timers }: Scene): Promise<void> {
  control.corrupt('/call/', '{ "call": { "id": "c", "direction": "sideways" } }', {}, 1);
  await ask('{ call(id: "odd") { direction } }');
  control.corrupt('/call/', 'no JSON', {}, 1);
  await ask(CALL);
  control.fail('/call/', { status: 500, times: 1 });
  await ask(CALL);
  control.reset('/call/', 1);
  await ask(CALL);
  control.hang('/call/');

  const client = new AbortController();
  const left = fetch(`/graphql?query=${encodeURIComponent(CALL)}`, { signal: client.signal }).catch(() => {});
  await untilIdle();
  client.abort();
  await left;

  const tooLate = ask(CALL);
  await untilIdle();
  timers.elapse(5_000);
  await tooLate;

  control.heal();
  control.fail('/call/', { status: 429 });
  await ask(CALL);
}
