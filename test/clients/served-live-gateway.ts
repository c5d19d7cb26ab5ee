import { createClock } from '../support/clock.ts';
import { type CallState, putCallState } from '../support/live-gateway.ts';
import {
  type ServedGateway,
  type ServedGatewayOptions,
  serveTestGateway,
} from '../support/served-gateway.ts';
import { createTimers } from '../support/timers.ts';

/** A gateway on a port, whose clock and calls the test owns. */
export interface ServedLiveGateway extends ServedGateway {
  readonly now: () => number;
  /** Adds a call to the sandbox, or replaces it. */
  putCall(call: CallState): void;
  /** Resolves when the condition holds. The time of the gateway stands still. */
  until(condition: () => boolean): Promise<void>;
  /** Lets time pass for the gateway until the condition holds. */
  passUntil(condition: () => boolean): Promise<void>;
  /** The same for a condition that depends on the timers of clients, which are real. */
  awaitClient(condition: () => boolean): Promise<void>;
  /** Lets time pass for the gateway. */
  pass(ms: number): Promise<void>;
  /** Timers of the gateway that are started and not called back. */
  readonly pendingTimers: () => number;
  /** Why each stream has ended, in order. A subscription without a stream has its status instead. */
  readonly ends: readonly string[];
}

const STEP_MS = 250;
/** Timers of clients take seconds: looking for them more often only takes CPU time. */
const CLIENT_PAUSE_MS = 25;

export async function serveLiveGateway({
  settings,
  gateway: gatewayOptions,
}: ServedGatewayOptions = {}): Promise<ServedLiveGateway> {
  const clock = createClock();
  const timers = createTimers(clock);
  const ends: string[] = [];
  const served: ServedGateway = await serveTestGateway({
    settings: { REVOX_RETRIES: '0', REVOX_API_KEY: '', ...settings },
    sandbox: { now: clock.now, startedAt: clock.now() },
    gateway: {
      // The upstream has no sockets: it has responded when the event loop is idle.
      fetch: (request) => served.sandbox.fetch(request),
      now: clock.now,
      monotonicNow: clock.now,
      startTimer: timers.startTimer,
      // The shortest time until a client comes back.
      random: () => 0,
      log: {
        info(_message, fields) {
          const { reason, status } = (fields ?? {}) as { reason?: string; status?: number };
          const end = reason ?? status;
          if (end !== undefined) ends.push(String(end));
        },
        error() {},
        unexpected: (error) => {
          throw error;
        },
      },
      ...gatewayOptions,
    },
  });
  return {
    ...served,
    now: clock.now,
    pendingTimers: () => timers.pending,
    putCall: (call) => putCallState(served.sandbox, call),
    until: (condition) => passUntil(condition, 0),
    passUntil: (condition) => passUntil(condition, STEP_MS),
    awaitClient: (condition) => passUntil(condition, STEP_MS, CLIENT_PAUSE_MS),
    pass: timers.pass,
    ends,
  };

  /** The steps leave the event loop time for the sockets. */
  async function passUntil(condition: () => boolean, stepMs: number, pauseMs = 2): Promise<void> {
    while (!condition()) {
      await timers.pass(stepMs);
      await new Promise((resolve) => void setTimeout(resolve, pauseMs));
    }
  }
}
