import type { Call } from '#sandbox/api/wire.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { createClock } from './clock.ts';
import { type EventStream, readEventStream } from './event-stream.ts';
import {
  createTestGateway,
  KEY_A,
  type TestGateway,
  type TestGatewayOptions,
} from './test-gateway.ts';
import { createTimers } from './timers.ts';

export interface LiveGateway extends TestGateway {
  readonly now: () => number;
  /** Moves the clock of the gateway and of the sandbox, with all timers. */
  pass(ms: number): Promise<void>;
  readonly pendingTimers: () => number;
  subscribe(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<EventStream>;
  /** Adds a call to the sandbox, or replaces it. */
  putCall(call: CallState, apiKey?: string): void;
  /** The value of a metric, or 0. @param name as in the exposition, with its labels */
  metric(name: string): Promise<number>;
}

/** A call by what subscriptions show of it. */
export interface CallState extends Partial<Call> {
  readonly id: string;
}

/** A gateway over a sandbox whose calls the test moves, with a clock that the test owns. */
export function createLiveGateway({
  sandbox,
  gateway,
  ...options
}: TestGatewayOptions = {}): LiveGateway {
  const clock = createClock();
  const timers = createTimers(clock);
  const testGateway = createTestGateway({
    ...options,
    sandbox: { now: clock.now, startedAt: clock.now(), ...sandbox },
    gateway: {
      now: clock.now,
      monotonicNow: clock.now,
      startTimer: timers.startTimer,
      // In the middle: jitter and spreads have no effect.
      random: () => 0.5,
      ...gateway,
    },
  });
  return {
    ...testGateway,
    now: clock.now,
    pass: timers.pass,
    pendingTimers: () => timers.pending,
    async subscribe(query, variables, headers = {}) {
      const abort = new AbortController();
      const response = await testGateway.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
        body: JSON.stringify({ query, variables }),
        signal: abort.signal,
      });
      const stream = await readEventStream(response, abort);
      await timers.pass(0);
      return stream;
    },
    putCall: (call, apiKey) => putCallState(testGateway.sandbox, call, apiKey),
    async metric(name) {
      const text = await (await testGateway.fetch('/metrics')).text();
      const line = text.split('\n').find((each) => each.startsWith(`revox_gateway_${name} `));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
  };
}

/** Adds a call to the sandbox, or replaces it. */
export function putCallState({ control }: Sandbox, call: CallState, apiKey = KEY_A): void {
  const known = control.data(apiKey).calls.find(({ id }) => id === call.id);
  const template = known ?? control.data(apiKey).calls[0];
  if (!template) throw new Error('The sandbox has no calls.');
  control.putCall(apiKey, {
    ...template,
    calls_count: 0,
    call_attempts: [],
    last_call_attempt: null,
    ...call,
  });
}
