import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSingleFlight, JoinRejectedError } from '#cache/single-flight.ts';

/** When a question was put, where it does not matter. */
const NOW = { sentAt: 0, latestSequenceAtSend: 0, attempts: 1, queuedFor: undefined, isWaitingForBudget: false, deadlineAt: 0 };

const NEVER_ABORTED = new AbortController().signal;

/** A question whose answer is in the test's hands. */
function createRequest() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  return {
    ask: (signal: AbortSignal) => {
      signals.push(signal);
      return promise;
    },
    answer: resolve,
    fail: reject,
    /** How often it was put. */
    get asked() {
      return signals.length;
    },
    get isCalledBack() {
      return signals.some(({ aborted }) => aborted);
    },
  };
}

/** A question without an answer, that ends as a request does when it is called back. */
function neverRespondingRequest(signal: AbortSignal): Promise<string> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

/** Lets everything run that can. */
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

describe('A flight', () => {
  test('puts its question at once, once, and brings everyone who waits the one answer', async () => {
    const flights = createSingleFlight();
    const question = createRequest();
    const flight = flights.start('key', NOW, question.ask);
    expect(question.asked).toBe(1);
    const waiting = [
      flight.join(NEVER_ABORTED),
      flights.get<string>('key')!.join(NEVER_ABORTED),
      flights.get<string>('key')!.join(NEVER_ABORTED),
    ];
    expect(await isSettled(Promise.race(waiting))).toBe(false);

    question.answer('so it is');

    expect(await Promise.all(waiting)).toEqual(['so it is', 'so it is', 'so it is']);
    expect(question.asked).toBe(1);
    expect(question.isCalledBack).toBe(false);
  });

  test('fails for everyone who waits, with the same error', async () => {
    const flights = createSingleFlight();
    const question = createRequest();
    const flight = flights.start('key', NOW, question.ask);
    const waiting = [flight.join(NEVER_ABORTED), flight.join(new AbortController().signal), flight.join(NEVER_ABORTED)];
    const error = new Error('no answer');
    question.fail(error);
    expect(await Promise.allSettled(waiting)).toEqual(waiting.map(() => ({ status: 'rejected', reason: error })));
  });

  test('tells what was the newest reading when it began', () => {
    const flights = createSingleFlight();
    flights.start(
      'key',
      { sentAt: 0, latestSequenceAtSend: 17, attempts: 1, queuedFor: undefined, isWaitingForBudget: false, deadlineAt: 0 },
      createRequest().ask,
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

  test('is settled when the answer has come, and when it has failed, and never rejects', async () => {
    const flights = createSingleFlight();
    const [answered, failed] = [createRequest(), createRequest()];
    const settled = [flights.start('a', NOW, answered.ask).settled, flights.start('b', NOW, failed.ask).settled];
    expect(await Promise.all(settled.map(isSettled))).toEqual([false, false]);
    answered.answer('yes');
    expect(await Promise.all(settled.map(isSettled))).toEqual([true, false]);
    failed.fail(new Error('no'));
    expect(await Promise.all(settled)).toEqual([undefined, undefined]);
  });

  test('may fail with nobody waiting', async () => {
    const flights = createSingleFlight();
    const question = createRequest();
    flights.start('key', NOW, question.ask);
    question.fail(new Error('nobody hears of it'));
    await turn();
    expect(flights.get('key')).toBeUndefined();
  });
});

describe('Who leaves', () => {
  test('rejects with its own reason, and the others get the answer', async () => {
    const flights = createSingleFlight();
    const question = createRequest();
    const flight = flights.start('key', NOW, question.ask);
    const [first, second] = [new AbortController(), new AbortController()];
    const [gone, alsoGone, patient] = [flight.join(first.signal), flight.join(second.signal), flight.join(NEVER_ABORTED)];

    first.abort(new Error('the first has to go'));
    second.abort(new Error('the second, too'));

    await expect(gone).rejects.toThrow('the first has to go');
    await expect(alsoGone).rejects.toThrow('the second, too');
    expect(question.isCalledBack).toBe(false);
    question.answer('worth the wait');
    expect(await patient).toBe('worth the wait');
  });

  test('calls the question back as the last one, and not before', async () => {
    const flights = createSingleFlight();
    const question = createRequest();
    const flight = flights.start('key', NOW, question.ask);
    const leaving = [new AbortController(), new AbortController(), new AbortController()];
    const waiting = leaving.map(({ signal }) => flight.join(signal));
    const isCalledBack = leaving.map((one) => {
      one.abort(new Error('gone'));
      return question.isCalledBack;
    });
    expect(isCalledBack).toEqual([false, false, true]);
    for (const one of waiting) await expect(one).rejects.toThrow('gone');
  });

  test('does not call back what somebody stays for, whoever came first', async () => {
    const flights = createSingleFlight();
    for (const [key, isHeldFirst] of [
      ['held, then joined', true],
      ['joined, then held', false],
    ] as const) {
      const question = createRequest();
      const flight = flights.start(key, NOW, question.ask);
      const leaving = new AbortController();
      const held = isHeldFirst ? flight.join(NEVER_ABORTED) : undefined;
      const gone = flight.join(leaving.signal);
      const stays = held ?? flight.join(NEVER_ABORTED);
      leaving.abort(new Error('gone'));
      await expect(gone).rejects.toThrow('gone');
      expect(question.isCalledBack).toBe(false);
      expect(flights.get(key)).toBe(flight);
      question.answer('held');
      expect(await stays).toBe('held');
    }
  });

  test('rejects at once where the question goes on, and where it is called back', async () => {
    const flights = createSingleFlight();
    const flight = flights.start('key', NOW, createRequest().ask);
    const leaving = [new AbortController(), new AbortController()];
    const waiting = leaving.map(({ signal }) => flight.join(signal));
    for (const [index, one] of leaving.entries()) {
      one.abort();
      expect(await isSettled(waiting[index]!)).toBe(true);
    }
    await Promise.allSettled(waiting);
  });

  test('before it has come is told so, and counts no more than any other who leaves', async () => {
    const flights = createSingleFlight();
    const question = createRequest();
    const flight = flights.start('key', NOW, question.ask);
    const patient = flight.join(NEVER_ABORTED);
    await expect(flight.join(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(question.isCalledBack).toBe(false);
    question.answer('still here');
    expect(await patient).toBe('still here');
  });

  test('before it has come, and alone, calls the question back', async () => {
    const flights = createSingleFlight();
    const question = createRequest();
    const gone = flights.start('key', NOW, question.ask).join(AbortSignal.abort(new Error('too late')));
    await expect(gone).rejects.toThrow('too late');
    expect(question.isCalledBack).toBe(true);
    expect(flights.get('key')).toBeUndefined();
  });

  test('after the answer has come calls nothing back', async () => {
    const flights = createSingleFlight();
    const question = createRequest();
    const leaving = new AbortController();
    const answered = flights.start('key', NOW, question.ask).join(leaving.signal);
    question.answer('here');
    expect(await answered).toBe('here');
    leaving.abort();
    expect(question.isCalledBack).toBe(false);
  });

  test('while the answer is being handed out calls nothing back', async () => {
    const flights = createSingleFlight();
    const leaving = new AbortController();
    let isCalledBack = false;
    const flight = flights.start('key', NOW, async (signal) => {
      signal.addEventListener('abort', () => {
        isCalledBack = true;
      });
      return 'here';
    });
    const answered = flight.join(leaving.signal);
    // Before the one who joined hears of the answer, and after the flight has.
    const left = flight.settled.then(() => leaving.abort(new Error('gone')));
    await Promise.allSettled([answered, left]);
    expect(leaving.signal.aborted).toBe(true);
    expect(isCalledBack).toBe(false);
  });

  test('leaves no rejection behind when what is called back fails for it', async () => {
    const flights = createSingleFlight();
    const leaving = [new AbortController(), new AbortController()];
    const flight = flights.start('key', NOW, neverRespondingRequest);
    const waiting = leaving.map(({ signal }) => flight.join(signal));
    for (const one of leaving) one.abort(new Error('gone'));
    await flight.settled;
    for (const one of waiting) await expect(one).rejects.toThrow('gone');
  });
});

describe('The flights', () => {
  test('are found by their keys, and by no others', () => {
    const flights = createSingleFlight();
    const [a, b] = [flights.start('a', NOW, createRequest().ask), flights.start('b', NOW, createRequest().ask)];
    expect([flights.get('a'), flights.get('b'), flights.get('c')]).toEqual([a, b, undefined]);
    expect(flights.get('a')).toBe(a);
    expect(flights.get('b')).toBe(b);
  });

  test('are found no more when they are over, answered or failed', async () => {
    const flights = createSingleFlight();
    const [answered, failed] = [createRequest(), createRequest()];
    flights.start('a', NOW, answered.ask);
    const lost = flights.start('b', NOW, failed.ask).join(NEVER_ABORTED);
    answered.answer('yes');
    failed.fail(new Error('no'));
    await expect(lost).rejects.toThrow('no');
    expect([flights.get('a'), flights.get('b')]).toEqual([undefined, undefined]);
  });

  test('are found no more from the moment they are called back, though they are not over', async () => {
    const flights = createSingleFlight();
    const question = createRequest();
    const leaving = new AbortController();
    const flight = flights.start('key', NOW, question.ask);
    const gone = flight.join(leaving.signal);
    leaving.abort(new Error('gone'));
    expect(flights.get('key')).toBeUndefined();
    await expect(gone).rejects.toThrow('gone');
    expect(await isSettled(flight.settled)).toBe(false);

    const again = createRequest();
    const next = flights.start('key', NOW, again.ask);
    question.fail(new Error('called back'));
    await flight.settled;
    expect(flights.get('key')).toBe(next);
    again.answer('asked anew');
    expect(await next.join(NEVER_ABORTED)).toBe('asked anew');
  });

  test('give way to another under the same key, and go on for those who wait', async () => {
    const flights = createSingleFlight();
    const [old, fresh] = [createRequest(), createRequest()];
    const first = flights.start(
      'key',
      { sentAt: 0, latestSequenceAtSend: 1, attempts: 1, queuedFor: undefined, isWaitingForBudget: false, deadlineAt: 0 },
      old.ask,
    );
    const early = first.join(NEVER_ABORTED);
    const second = flights.start(
      'key',
      { sentAt: 0, latestSequenceAtSend: 2, attempts: 1, queuedFor: undefined, isWaitingForBudget: false, deadlineAt: 0 },
      fresh.ask,
    );
    expect(flights.get('key')).toBe(second);
    expect(old.isCalledBack).toBe(false);

    old.answer('as it was');

    expect(await early).toBe('as it was');
    expect(flights.get('key')).toBe(second);
    const late = flights.get<string>('key')!.join(NEVER_ABORTED);
    fresh.answer('as it is');
    expect(await late).toBe('as it is');
    expect(flights.get('key')).toBeUndefined();
  });

  test('leave one that took their place alone when they are called back', async () => {
    const flights = createSingleFlight();
    const [old, fresh] = [createRequest(), createRequest()];
    const leaving = new AbortController();
    const gone = flights
      .start(
        'key',
        { sentAt: 0, latestSequenceAtSend: 1, attempts: 1, queuedFor: undefined, isWaitingForBudget: false, deadlineAt: 0 },
        old.ask,
      )
      .join(leaving.signal);
    const second = flights.start(
      'key',
      { sentAt: 0, latestSequenceAtSend: 2, attempts: 1, queuedFor: undefined, isWaitingForBudget: false, deadlineAt: 0 },
      fresh.ask,
    );
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    expect([old.isCalledBack, fresh.isCalledBack]).toEqual([true, false]);
    expect(flights.get('key')).toBe(second);
  });

  test('keep no listener on a signal that has seen many of them', async () => {
    const flights = createSingleFlight();
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    for (let index = 0; index < 20; index += 1) {
      const question = createRequest();
      const joined = flights.start(`key ${index}`, NOW, question.ask).join(signal);
      if (index % 2 === 0) question.answer('yes');
      else question.fail(new Error('no'));
      await Promise.allSettled([joined]);
    }
    await turn();
    expect(add).toHaveBeenCalledTimes(20);
    expect(remove.mock.calls).toEqual(add.mock.calls.map(([type, listener]) => [type, listener]));
    expect(new Set(add.mock.calls.map(([, listener]) => listener)).size).toBe(20);
  });

  test('put no listener on a signal that is over', async () => {
    const flights = createSingleFlight();
    const signal = AbortSignal.abort(new Error('too late'));
    const add = vi.spyOn(signal, 'addEventListener');
    await expect(flights.start('key', NOW, createRequest().ask).join(signal)).rejects.toThrow('too late');
    expect(add).not.toHaveBeenCalled();
  });
});

test('A flight that is held rejects all operations that have joined it but the first, and is called back when that one has left, too', async () => {
  const flights = createSingleFlight();
  const held = Promise.withResolvers<string>();
  let dismissOthers = () => {};
  let signal: AbortSignal | undefined;
  const flight = flights.start<string>('key', NOW, (given, dismiss) => {
    signal = given;
    dismissOthers = dismiss;
    return held.promise;
  });
  const leaving = new AbortController();
  const first = flight.join(leaving.signal);
  const others = [flight.join(NEVER_ABORTED), flight.join(NEVER_ABORTED)];
  dismissOthers();
  expect(await Promise.allSettled(others)).toEqual(Array(2).fill({ status: 'rejected', reason: expect.any(JoinRejectedError) }));
  expect(signal?.aborted).toBe(false);
  leaving.abort();
  await expect(first).rejects.toBe(leaving.signal.reason);
  expect([signal?.aborted, flights.size]).toEqual([true, 0]);
});
