import { describe, expect, test } from 'vitest';
import { afterMicrotasks, createOperationScheduler } from '#http/scheduler.ts';
import { createManualTimers } from '../rest/real-server.ts';

/** Callers whose name begins so have keys that the upstream has not accepted. */
const INVALID_CALLER_PREFIX = 'invented';
const toCaller = (callerKey: string) => ({ callerKey, isCredentialAccepted: () => !callerKey.startsWith(INVALID_CALLER_PREFIX) });

/** As long as operations may begin in one turn. */
const TIME_SLICE_MS = 2;

/** A loop whose turns are taken by hand, and operations that take so long, ms. */
function createFakeEventLoop(operationMs: number) {
  let time = 0;
  let planned: (() => void)[] = [];
  let whenDone: (() => void)[] = [];
  const timers = createManualTimers();
  const beginnings = createOperationScheduler({
    monotonicNow: () => time,
    runNextIteration: (run) => planned.push(run),
    afterMicrotasks: (run) => whenDone.push(run),
    startTimer: timers.startTimer,
  });
  const begun: string[] = [];
  const begin = (name: string, ms: number) => {
    begun.push(name);
    time += ms;
  };
  return {
    beginnings,
    begun,
    timers,
    pass(ms: number): void {
      time += ms;
    },
    arrive(caller: string, name = caller, ms = operationMs): void {
      const turn = beginnings.waitForTurn(toCaller(caller));
      if (turn) void turn.then(() => begin(name, ms));
      else begin(name, ms);
    },
    /** Ends this turn of the loop, with all that it leads to at once. */
    async turn(): Promise<void> {
      const due = planned;
      planned = [];
      for (const run of due) run();
      await Promise.resolve();
      while (whenDone.length > 0) {
        const next = whenDone;
        whenDone = [];
        for (const run of next) run();
        await Promise.resolve();
      }
    },
    get isIdle() {
      return planned.length === 0;
    },
  };
}

describe('Operations begin', () => {
  test('at once, when nothing else has happened in this turn', async () => {
    const { arrive, begun, turn } = createFakeEventLoop(50);
    arrive('a');
    await turn();
    arrive('b');
    expect(begun).toEqual(['a', 'b']);
  });

  test('as long as they take no longer than two milliseconds in one turn', () => {
    const { arrive, begun } = createFakeEventLoop(0.5);
    for (let n = 1; n <= 10; n += 1) arrive('a', `a${n}`);
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  test('and then those who wait, no longer than that in one turn, and each when the one before has begun', async () => {
    const { arrive, begun, turn } = createFakeEventLoop(0.9);
    for (let n = 1; n <= 8; n += 1) arrive('a', `a${n}`);
    expect(begun).toEqual(['a1', 'a2', 'a3']);
    await turn();
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
    await turn();
    expect(begun.slice(6)).toEqual(['a7', 'a8']);
    // What is left of the turn is for who comes.
    arrive('b');
    expect(begun.at(-1)).toBe('b');
    arrive('c');
    expect(begun.at(-1)).toBe('b');
  });

  test('one in each turn where that takes all of it, of every caller who waits', async () => {
    const { arrive, begun, turn } = createFakeEventLoop(3);
    for (let n = 1; n <= 5; n += 1) arrive('flood', `flood${n}`);
    arrive('b', 'b1');
    arrive('b', 'b2');
    arrive('c', 'c1');
    for (let n = 0; n < 4; n += 1) await turn();
    expect(begun).toEqual(['flood1', 'flood2', 'b1', 'c1', 'flood3']);
    for (let n = 0; n < 3; n += 1) await turn();
    expect(begun.slice(5)).toEqual(['b2', 'flood4', 'flood5']);
  });

  test('in the order in which they came, of one caller', async () => {
    const { arrive, begun, turn } = createFakeEventLoop(3);
    for (let n = 1; n <= 5; n += 1) {
      arrive('a', `a${n}`);
      if (n % 2 === 0) await turn();
    }
    for (let n = 0; n < 3; n += 1) await turn();
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  });

  test('not before those who wait, however quick', async () => {
    const { arrive, begun, turn } = createFakeEventLoop(3);
    for (const name of ['a1', 'a2', 'a3']) arrive('a', name);
    await turn();
    arrive('b');
    expect(begun).toEqual(['a1', 'a2']);
    await turn();
    await turn();
    expect(begun).toEqual(['a1', 'a2', 'a3', 'b']);
  });
});

test('An operation that must be alone does not go on beside one that has just been let go', async () => {
  const { beginnings, turn } = createFakeEventLoop(0);
  const begun: string[] = [];
  const go = (name: string) => {
    const wait = beginnings.waitForTurn(toCaller('a'), true);
    if (wait) void wait.then(() => begun.push(name));
    else begun.push(name);
  };
  for (const name of ['first', 'second', 'third']) go(name);
  expect(begun).toEqual(['first']);
  await turn();
  expect(begun).toEqual(['first', 'second', 'third']);
});

test('A clock that is moved by a minute while an operation begins makes no caller rest', async () => {
  const { arrive, begun, turn, pass, beginnings } = createFakeEventLoop(1);
  beginnings.recordActivity('tenant');
  arrive('a');
  pass(60_000);
  await turn();
  beginnings.recordActivity('tenant');
  arrive('a');
  expect(begun).toEqual(['a', 'a']);
});

describe('Callers whose keys the upstream has not accepted', () => {
  test('delay the operation of an accepted caller by one operation, however many there are', async () => {
    const { arrive, begun, turn } = createFakeEventLoop(3);
    for (let n = 0; n < 100; n += 1) arrive(`${INVALID_CALLER_PREFIX} ${n}`);
    arrive('tenant');
    await turn();
    await turn();
    expect(begun).toEqual([`${INVALID_CALLER_PREFIX} 0`, `${INVALID_CALLER_PREFIX} 1`, 'tenant']);
  });

  test('rest for an accepted caller that is active, but its own requests that wait among theirs do not', async () => {
    const { arrive, begun, turn, beginnings } = createFakeEventLoop(100);
    arrive(`${INVALID_CALLER_PREFIX} 1`);
    arrive(`${INVALID_CALLER_PREFIX} 2`);
    arrive(`${INVALID_CALLER_PREFIX} tenant`);
    // The upstream accepts its key.
    beginnings.recordActivity(`${INVALID_CALLER_PREFIX} tenant`);
    await turn();
    await turn();
    expect(begun).toEqual([`${INVALID_CALLER_PREFIX} 1`, `${INVALID_CALLER_PREFIX} tenant`]);
  });

  test('take turns among themselves', async () => {
    const { arrive, begun, turn } = createFakeEventLoop(3);
    for (let n = 1; n <= 4; n += 1) arrive(`${INVALID_CALLER_PREFIX} flood`, `flood${n}`);
    arrive(`${INVALID_CALLER_PREFIX} new`, 'new');
    for (let n = 0; n < 3; n += 1) await turn();
    expect(begun).toEqual(['flood1', 'flood2', 'new', 'flood3']);
  });
});

describe('A caller whose operation took 100 ms', () => {
  test('rests for twice as long before its next one while another caller is active, and that one waits for nothing', async () => {
    const { arrive, begun, turn, timers, pass } = createFakeEventLoop(1);
    arrive('tenant');
    await turn();
    arrive('heavy', 'heavy1', 100);
    await turn();
    for (let n = 2; n <= 9; n += 1) arrive('heavy', `heavy${n}`, 100);
    await turn();
    expect(begun).toEqual(['tenant', 'heavy1']);
    expect(timers.running).toEqual([200]);
    for (let n = 0; n < 5; n += 1) {
      pass(20);
      arrive('tenant');
      await turn();
    }
    expect(begun.slice(2)).toEqual(Array(5).fill('tenant'));
    pass(100);
    timers.elapse(200);
    await turn();
    expect(begun.slice(7)).toEqual(['heavy2']);
  });

  test('does not rest while it is alone', async () => {
    const { arrive, begun, turn, timers } = createFakeEventLoop(100);
    for (let n = 1; n <= 4; n += 1) {
      arrive('heavy', `heavy${n}`);
      await turn();
    }
    expect(begun).toEqual(['heavy1', 'heavy2', 'heavy3', 'heavy4']);
    expect(timers.running).toEqual([]);
  });

  test('does not rest for a caller that was active more than a second ago', async () => {
    const { arrive, begun, turn, pass } = createFakeEventLoop(100);
    arrive('tenant');
    pass(1_000);
    for (let n = 1; n <= 3; n += 1) {
      arrive('heavy', `heavy${n}`);
      await turn();
    }
    expect(begun).toEqual(['tenant', 'heavy1', 'heavy2', 'heavy3']);
  });

  test('does not rest for callers with invented keys', async () => {
    const { arrive, begun, turn } = createFakeEventLoop(100);
    for (let n = 1; n <= 3; n += 1) {
      arrive('heavy', `heavy${n}`);
      await turn();
      arrive(`${INVALID_CALLER_PREFIX} ${n}`, 'invented', 0);
      await turn();
    }
    expect(begun.filter((name) => name !== 'invented')).toEqual(['heavy1', 'heavy2', 'heavy3']);
  });

  test('rests for a caller that is answered without an operation', async () => {
    const { arrive, begun, turn, beginnings } = createFakeEventLoop(100);
    for (let n = 1; n <= 3; n += 1) {
      beginnings.recordActivity('tenant');
      arrive('heavy', `heavy${n}`);
      await turn();
    }
    expect(begun).toEqual(['heavy1']);
  });

  test('rests the longer the more others do, so that all of them together take half of the time', async () => {
    const { arrive, begun, turn, pass, beginnings, timers } = createFakeEventLoop(100);
    let taken = 0;
    let dueAt = Number.POSITIVE_INFINITY;
    for (let ms = 0; ms < 20_000; ms += 10) {
      beginnings.recordActivity('tenant');
      for (const heavy of ['a', 'b', 'c', 'd']) if (beginnings.queued < 4) arrive(heavy);
      const [timer] = timers.running;
      if (timer !== undefined) dueAt = Math.min(dueAt, ms + timer);
      if (timer !== undefined && ms >= dueAt) {
        timers.elapse(timer);
        dueAt = Number.POSITIVE_INFINITY;
      }
      await turn();
      const begunNow = begun.splice(0).length;
      taken += begunNow * 100;
      ms += begunNow * 100;
      pass(10);
    }
    expect(taken).toBeLessThan(12_000);
    expect(taken).toBeGreaterThan(4_000);
  });
});

test('When nobody waits, nothing is planned and nobody is remembered', async () => {
  const loop = createFakeEventLoop(3);
  for (let n = 0; n < 10; n += 1) loop.arrive(`caller ${n}`);
  expect(loop.beginnings.queued).toBe(9);
  for (let n = 0; n < 10; n += 1) await loop.turn();
  expect(loop.begun).toHaveLength(10);
  expect([loop.beginnings.queued, loop.isIdle]).toEqual([0, true]);
});

test('In a real loop an operation has done all that it does at once before the next one begins, and that in one turn', async () => {
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    let time = 0;
    const beginnings = createOperationScheduler({
      monotonicNow: () => time,
      runNextIteration: setImmediate,
      afterMicrotasks,
      startTimer: createManualTimers().startTimer,
    });
    const operate = async (name: string) => {
      await beginnings.waitForTurn(toCaller(name));
      told.push(`${name} begins`);
      for (let step = 0; step < 50; step += 1) await undefined;
      told.push(`${name} has done what it can`);
      if (name === 'c') resolve();
    };
    beginnings.waitForTurn(toCaller('first'));
    // That has taken all of this turn: the others wait for the next one.
    time += TIME_SLICE_MS;
    for (const name of ['a', 'b', 'c']) void operate(name);
    setImmediate(() => told.push('another turn'));
  });
  expect(told).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} has done what it can`]));
});
