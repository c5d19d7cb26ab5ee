import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSingleFlight, JoinRejectedError } from '#cache/single-flight.ts';
import type { CancellationSignal } from '#cancellation.ts';

/** The state of an in-flight request, for tests in which it does not matter. */
const NOW = {
  sentAt: 0,
  latestSequenceAtSend: 0,
  attempts: 1,
  queuedFor: undefined,
  isWaitingForBudget: false,
  deadlineAt: 0,
};

const NEVER_ABORTED = new AbortController().signal;

/** A request whose outcome the test decides. */
function createRequest() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const signals: CancellationSignal[] = [];
  return {
    send: (signal: CancellationSignal) => {
      signals.push(signal);
      return promise;
    },
    respond: resolve,
    fail: reject,
    /** How often the request was sent. */
    get sendCount() {
      return signals.length;
    },
    get isCalledBack() {
      return signals.some(({ aborted }) => aborted);
    },
  };
}

/** A request without a response, which rejects when it is aborted. */
function neverRespondingRequest(signal: CancellationSignal): Promise<string> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

/** Runs everything that can run. */
function turn(): Promise<void> {
  return new Promise(setImmediate);
}

/** Whether a promise has settled by the time everything that can run has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await turn();
  return settled;
}

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => unhandled.push(reason);

beforeEach(() => {
  process.on('unhandledRejection', onUnhandled);
});

afterEach(async () => {
  await turn();
  process.off('unhandledRejection', onUnhandled);
  vi.restoreAllMocks();
  expect(unhandled.splice(0)).toEqual([]);
});

describe('In-flight request', () => {
  test('an in-flight request is sent at once and once, and all joined callers get its response', async () => {
    const flights = createSingleFlight();
    const request = createRequest();
    const flight = flights.start('key', NOW, request.send);
    expect(request.sendCount).toBe(1);
    const waiting = [
      flight.join(NEVER_ABORTED),
      flights.get<string>('key')!.join(NEVER_ABORTED),
      flights.get<string>('key')!.join(NEVER_ABORTED),
    ];
    expect(await isSettled(Promise.race(waiting))).toBe(false);

    request.respond('so it is');

    expect(await Promise.all(waiting)).toEqual(['so it is', 'so it is', 'so it is']);
    expect(request.sendCount).toBe(1);
    expect(request.isCalledBack).toBe(false);
  });

  test('a failed in-flight request rejects for all joined callers with the same error', async () => {
    const flights = createSingleFlight();
    const request = createRequest();
    const flight = flights.start('key', NOW, request.send);
    const waiting = [
      flight.join(NEVER_ABORTED),
      flight.join(new AbortController().signal),
      flight.join(NEVER_ABORTED),
    ];
    const error = new Error('no response');
    request.fail(error);
    expect(await Promise.allSettled(waiting)).toEqual(
      waiting.map(() => ({ status: 'rejected', reason: error })),
    );
  });

  test('an in-flight request exposes the state with which it was started', () => {
    const flights = createSingleFlight();
    flights.start(
      'key',
      {
        sentAt: 0,
        latestSequenceAtSend: 17,
        attempts: 1,
        queuedFor: undefined,
        isWaitingForBudget: false,
        deadlineAt: 0,
      },
      createRequest().send,
    );
    expect(flights.get('key')!.state).toEqual({
      sentAt: 0,
      latestSequenceAtSend: 17,
      attempts: 1,
      queuedFor: undefined,
      isWaitingForBudget: false,
      deadlineAt: 0,
    });
  });

  test('an in-flight request settles on a response and on a failure, and never rejects', async () => {
    const flights = createSingleFlight();
    const [succeeded, failed] = [createRequest(), createRequest()];
    const settled = [
      flights.start('a', NOW, succeeded.send).settled,
      flights.start('b', NOW, failed.send).settled,
    ];
    expect(await Promise.all(settled.map(isSettled))).toEqual([false, false]);
    succeeded.respond('yes');
    expect(await Promise.all(settled.map(isSettled))).toEqual([true, false]);
    failed.fail(new Error('no'));
    expect(await Promise.all(settled)).toEqual([undefined, undefined]);
  });

  test('an in-flight request may fail when no caller has joined it', async () => {
    const flights = createSingleFlight();
    const request = createRequest();
    flights.start('key', NOW, request.send);
    request.fail(new Error('not reported'));
    await turn();
    expect(flights.get('key')).toBeUndefined();
  });
});

describe('Leaving an in-flight request', () => {
  test('an aborted caller rejects with its own reason, and the other callers get the response', async () => {
    const flights = createSingleFlight();
    const request = createRequest();
    const flight = flights.start('key', NOW, request.send);
    const [first, second] = [new AbortController(), new AbortController()];
    const [aborted, alsoAborted, waiting] = [
      flight.join(first.signal),
      flight.join(second.signal),
      flight.join(NEVER_ABORTED),
    ];

    first.abort(new Error('the first has to go'));
    second.abort(new Error('the second, too'));

    await expect(aborted).rejects.toThrow('the first has to go');
    await expect(alsoAborted).rejects.toThrow('the second, too');
    expect(request.isCalledBack).toBe(false);
    request.respond('worth the wait');
    expect(await waiting).toBe('worth the wait');
  });

  test('an in-flight request is aborted when the last caller leaves, and not before', async () => {
    const flights = createSingleFlight();
    const request = createRequest();
    const flight = flights.start('key', NOW, request.send);
    const leaving = [new AbortController(), new AbortController(), new AbortController()];
    const waiting = leaving.map(({ signal }) => flight.join(signal));
    const isCalledBack = leaving.map((one) => {
      one.abort(new Error('gone'));
      return request.isCalledBack;
    });
    expect(isCalledBack).toEqual([false, false, true]);
    for (const one of waiting) await expect(one).rejects.toThrow('gone');
  });

  test('an in-flight request is not aborted while a caller stays, whichever caller joined first', async () => {
    const flights = createSingleFlight();
    for (const [key, isHeldFirst] of [
      ['held, then joined', true],
      ['joined, then held', false],
    ] as const) {
      const request = createRequest();
      const flight = flights.start(key, NOW, request.send);
      const leaving = new AbortController();
      const held = isHeldFirst ? flight.join(NEVER_ABORTED) : undefined;
      const aborted = flight.join(leaving.signal);
      const stays = held ?? flight.join(NEVER_ABORTED);
      leaving.abort(new Error('gone'));
      await expect(aborted).rejects.toThrow('gone');
      expect(request.isCalledBack).toBe(false);
      expect(flights.get(key)).toBe(flight);
      request.respond('held');
      expect(await stays).toBe('held');
    }
  });

  test('an aborted caller rejects at once, whether the in-flight request goes on or is aborted', async () => {
    const flights = createSingleFlight();
    const flight = flights.start('key', NOW, createRequest().send);
    const leaving = [new AbortController(), new AbortController()];
    const waiting = leaving.map(({ signal }) => flight.join(signal));
    for (const [index, one] of leaving.entries()) {
      one.abort();
      expect(await isSettled(waiting[index]!)).toBe(true);
    }
    await Promise.allSettled(waiting);
  });

  test('a caller that joins with an aborted signal is rejected and does not affect the other callers', async () => {
    const flights = createSingleFlight();
    const request = createRequest();
    const flight = flights.start('key', NOW, request.send);
    const waiting = flight.join(NEVER_ABORTED);
    await expect(flight.join(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(request.isCalledBack).toBe(false);
    request.respond('still here');
    expect(await waiting).toBe('still here');
  });

  test('a single caller that joins with an aborted signal aborts the in-flight request', async () => {
    const flights = createSingleFlight();
    const request = createRequest();
    const aborted = flights
      .start('key', NOW, request.send)
      .join(AbortSignal.abort(new Error('too late')));
    await expect(aborted).rejects.toThrow('too late');
    expect(request.isCalledBack).toBe(true);
    expect(flights.get('key')).toBeUndefined();
  });

  test('a caller that leaves after the response aborts nothing', async () => {
    const flights = createSingleFlight();
    const request = createRequest();
    const leaving = new AbortController();
    const pending = flights.start('key', NOW, request.send).join(leaving.signal);
    request.respond('here');
    expect(await pending).toBe('here');
    leaving.abort();
    expect(request.isCalledBack).toBe(false);
  });

  test('a caller that leaves while the response is being delivered aborts nothing', async () => {
    const flights = createSingleFlight();
    const leaving = new AbortController();
    let isCalledBack = false;
    const flight = flights.start('key', NOW, async (signal) => {
      signal.addEventListener('abort', () => {
        isCalledBack = true;
      });
      return 'here';
    });
    const pending = flight.join(leaving.signal);
    // After the in-flight request has settled, and before the joined caller is notified.
    const left = flight.settled.then(() => leaving.abort(new Error('gone')));
    await Promise.allSettled([pending, left]);
    expect(leaving.signal.aborted).toBe(true);
    expect(isCalledBack).toBe(false);
  });

  test('an aborted in-flight request leaves no unhandled rejection behind', async () => {
    const flights = createSingleFlight();
    const leaving = [new AbortController(), new AbortController()];
    const flight = flights.start('key', NOW, neverRespondingRequest);
    const waiting = leaving.map(({ signal }) => flight.join(signal));
    for (const one of leaving) one.abort(new Error('gone'));
    await flight.settled;
    for (const one of waiting) await expect(one).rejects.toThrow('gone');
  });
});

describe('Single-flight', () => {
  test('an in-flight request is found by its key only', () => {
    const flights = createSingleFlight();
    const [a, b] = [
      flights.start('a', NOW, createRequest().send),
      flights.start('b', NOW, createRequest().send),
    ];
    expect([flights.get('a'), flights.get('b'), flights.get('c')]).toEqual([a, b, undefined]);
    expect(flights.get('a')).toBe(a);
    expect(flights.get('b')).toBe(b);
  });

  test('a settled in-flight request is no longer found, whether it succeeded or failed', async () => {
    const flights = createSingleFlight();
    const [pending, failed] = [createRequest(), createRequest()];
    flights.start('a', NOW, pending.send);
    const lost = flights.start('b', NOW, failed.send).join(NEVER_ABORTED);
    pending.respond('yes');
    failed.fail(new Error('no'));
    await expect(lost).rejects.toThrow('no');
    expect([flights.get('a'), flights.get('b')]).toEqual([undefined, undefined]);
  });

  test('an aborted in-flight request is no longer found, even before it has settled', async () => {
    const flights = createSingleFlight();
    const request = createRequest();
    const leaving = new AbortController();
    const flight = flights.start('key', NOW, request.send);
    const aborted = flight.join(leaving.signal);
    leaving.abort(new Error('gone'));
    expect(flights.get('key')).toBeUndefined();
    await expect(aborted).rejects.toThrow('gone');
    expect(await isSettled(flight.settled)).toBe(false);

    const again = createRequest();
    const next = flights.start('key', NOW, again.send);
    request.fail(new Error('called back'));
    await flight.settled;
    expect(flights.get('key')).toBe(next);
    again.respond('requested again');
    expect(await next.join(NEVER_ABORTED)).toBe('requested again');
  });

  test('a new request under the same key replaces the in-flight one, which goes on for its callers', async () => {
    const flights = createSingleFlight();
    const [old, fresh] = [createRequest(), createRequest()];
    const first = flights.start(
      'key',
      {
        sentAt: 0,
        latestSequenceAtSend: 1,
        attempts: 1,
        queuedFor: undefined,
        isWaitingForBudget: false,
        deadlineAt: 0,
      },
      old.send,
    );
    const early = first.join(NEVER_ABORTED);
    const second = flights.start(
      'key',
      {
        sentAt: 0,
        latestSequenceAtSend: 2,
        attempts: 1,
        queuedFor: undefined,
        isWaitingForBudget: false,
        deadlineAt: 0,
      },
      fresh.send,
    );
    expect(flights.get('key')).toBe(second);
    expect(old.isCalledBack).toBe(false);

    old.respond('as it was');

    expect(await early).toBe('as it was');
    expect(flights.get('key')).toBe(second);
    const late = flights.get<string>('key')!.join(NEVER_ABORTED);
    fresh.respond('as it is');
    expect(await late).toBe('as it is');
    expect(flights.get('key')).toBeUndefined();
  });

  test('an aborted request leaves the one that replaced it in place', async () => {
    const flights = createSingleFlight();
    const [old, fresh] = [createRequest(), createRequest()];
    const leaving = new AbortController();
    const aborted = flights
      .start(
        'key',
        {
          sentAt: 0,
          latestSequenceAtSend: 1,
          attempts: 1,
          queuedFor: undefined,
          isWaitingForBudget: false,
          deadlineAt: 0,
        },
        old.send,
      )
      .join(leaving.signal);
    const second = flights.start(
      'key',
      {
        sentAt: 0,
        latestSequenceAtSend: 2,
        attempts: 1,
        queuedFor: undefined,
        isWaitingForBudget: false,
        deadlineAt: 0,
      },
      fresh.send,
    );
    leaving.abort(new Error('gone'));
    await expect(aborted).rejects.toThrow('gone');
    expect([old.isCalledBack, fresh.isCalledBack]).toEqual([true, false]);
    expect(flights.get('key')).toBe(second);
  });

  test('settled requests leave no listener on a signal that joined many of them', async () => {
    const flights = createSingleFlight();
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    for (let index = 0; index < 20; index += 1) {
      const request = createRequest();
      const joined = flights.start(`key ${index}`, NOW, request.send).join(signal);
      if (index % 2 === 0) request.respond('yes');
      else request.fail(new Error('no'));
      await Promise.allSettled([joined]);
    }
    await turn();
    expect(add).toHaveBeenCalledTimes(20);
    expect(remove.mock.calls).toEqual(add.mock.calls.map(([type, listener]) => [type, listener]));
    expect(new Set(add.mock.calls.map(([, listener]) => listener)).size).toBe(20);
  });

  test('joining with an aborted signal adds no listener to it', async () => {
    const flights = createSingleFlight();
    const signal = AbortSignal.abort(new Error('too late'));
    const add = vi.spyOn(signal, 'addEventListener');
    await expect(flights.start('key', NOW, createRequest().send).join(signal)).rejects.toThrow(
      'too late',
    );
    expect(add).not.toHaveBeenCalled();
  });
});

test('a request that dismisses its other callers rejects all but the first, and is aborted when that one leaves too', async () => {
  const flights = createSingleFlight();
  const held = Promise.withResolvers<string>();
  let abortOthers = () => {};
  let signal: CancellationSignal | undefined;
  const flight = flights.start<string>('key', NOW, (given, dismiss) => {
    signal = given;
    abortOthers = dismiss;
    return held.promise;
  });
  const leaving = new AbortController();
  const first = flight.join(leaving.signal);
  const others = [flight.join(NEVER_ABORTED), flight.join(NEVER_ABORTED)];
  abortOthers();
  expect(await Promise.allSettled(others)).toEqual(
    Array(2).fill({ status: 'rejected', reason: expect.any(JoinRejectedError) }),
  );
  expect(signal?.aborted).toBe(false);
  leaving.abort();
  await expect(first).rejects.toBe(leaving.signal.reason);
  expect([signal?.aborted, flights.size]).toEqual([true, 0]);
});

test('an operation that has left a request is not counted again when the request dismisses its other callers', async () => {
  const flights = createSingleFlight();
  const held = Promise.withResolvers<string>();
  let dismissOthers = () => {};
  let signal: CancellationSignal | undefined;
  const flight = flights.start<string>('key', NOW, (given, dismiss) => {
    signal = given;
    dismissOthers = dismiss;
    return held.promise;
  });
  const first = flight.join(NEVER_ABORTED);
  const leaving = new AbortController();
  const left = flight.join(leaving.signal);
  leaving.abort();
  await expect(left).rejects.toBe(leaving.signal.reason);
  dismissOthers();
  dismissOthers();
  expect([signal?.aborted, flights.size]).toEqual([false, 1]);
  held.resolve('response');
  expect(await first).toBe('response');
});
