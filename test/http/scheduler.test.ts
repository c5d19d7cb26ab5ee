import { describe, expect, test } from 'vitest';
import { afterMicrotasks, createOperationScheduler } from '#http/scheduler.ts';
import { createManualTimers } from '../rest/real-server.ts';

/** A caller with this prefix has an API key that the upstream has not accepted. */
const INVALID_CALLER_PREFIX = 'invented';
const toCaller = (callerKey: string) => ({
  callerKey,
  isCredentialAccepted: () => !callerKey.startsWith(INVALID_CALLER_PREFIX),
});

/** The time slice in which operations may start in one iteration of the event loop. */
const TIME_SLICE_MS = 2;

/** An event loop whose iterations the test runs, with operations that take `operationMs`. */
function createFakeEventLoop(operationMs: number) {
  let time = 0;
  let planned: (() => void)[] = [];
  let whenDone: (() => void)[] = [];
  const timers = createManualTimers();
  const scheduler = createOperationScheduler({
    monotonicNow: () => time,
    runNextIteration: (run) => planned.push(run),
    afterMicrotasks: (run) => whenDone.push(run),
    startTimer: timers.startTimer,
  });
  const started: string[] = [];
  const begin = (name: string, ms: number) => {
    started.push(name);
    time += ms;
  };
  return {
    scheduler,
    started,
    timers,
    pass(ms: number): void {
      time += ms;
    },
    arrive(caller: string, name = caller, ms = operationMs): void {
      const turn = scheduler.waitForTurn(toCaller(caller));
      if (turn) void turn.then(() => begin(name, ms));
      else begin(name, ms);
    },
    /** Ends this iteration of the event loop, including the microtasks that it causes. */
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

describe('Operation scheduler time slice', () => {
  test('an operation starts at once when no other operation has started in this iteration', async () => {
    const { arrive, started, turn } = createFakeEventLoop(50);
    arrive('a');
    await turn();
    arrive('b');
    expect(started).toEqual(['a', 'b']);
  });

  test('operations start at once until they have used two milliseconds of one iteration', () => {
    const { arrive, started } = createFakeEventLoop(0.5);
    for (let n = 1; n <= 10; n += 1) arrive('a', `a${n}`);
    expect(started).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  test('queued operations start one after the other for at most one time slice per iteration', async () => {
    const { arrive, started, turn } = createFakeEventLoop(0.9);
    for (let n = 1; n <= 8; n += 1) arrive('a', `a${n}`);
    expect(started).toEqual(['a1', 'a2', 'a3']);
    await turn();
    expect(started).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
    await turn();
    expect(started.slice(6)).toEqual(['a7', 'a8']);
    // New operations use the rest of the time slice.
    arrive('b');
    expect(started.at(-1)).toBe('b');
    arrive('c');
    expect(started.at(-1)).toBe('b');
  });

  test('callers are served round-robin when one operation fills the time slice of an iteration', async () => {
    const { arrive, started, turn } = createFakeEventLoop(3);
    for (let n = 1; n <= 5; n += 1) arrive('flood', `flood${n}`);
    arrive('b', 'b1');
    arrive('b', 'b2');
    arrive('c', 'c1');
    for (let n = 0; n < 4; n += 1) await turn();
    expect(started).toEqual(['flood1', 'flood2', 'b1', 'c1', 'flood3']);
    for (let n = 0; n < 3; n += 1) await turn();
    expect(started.slice(5)).toEqual(['b2', 'flood4', 'flood5']);
  });

  test('operations of one caller start in the order of their arrival', async () => {
    const { arrive, started, turn } = createFakeEventLoop(3);
    for (let n = 1; n <= 5; n += 1) {
      arrive('a', `a${n}`);
      if (n % 2 === 0) await turn();
    }
    for (let n = 0; n < 3; n += 1) await turn();
    expect(started).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  });

  test('a new operation does not start before queued operations', async () => {
    const { arrive, started, turn } = createFakeEventLoop(3);
    for (const name of ['a1', 'a2', 'a3']) arrive('a', name);
    await turn();
    arrive('b');
    expect(started).toEqual(['a1', 'a2']);
    await turn();
    await turn();
    expect(started).toEqual(['a1', 'a2', 'a3', 'b']);
  });
});

test('an exclusive operation does not start together with an operation that has just left the queue', async () => {
  const { scheduler, turn } = createFakeEventLoop(0);
  const started: string[] = [];
  const go = (name: string) => {
    const wait = scheduler.waitForTurn(toCaller('a'), true);
    if (wait) void wait.then(() => started.push(name));
    else started.push(name);
  };
  for (const name of ['first', 'second', 'third']) go(name);
  expect(started).toEqual(['first']);
  await turn();
  expect(started).toEqual(['first', 'second', 'third']);
});

test('a clock that jumps by a minute while an operation starts delays no caller', async () => {
  const { arrive, started, turn, pass, scheduler } = createFakeEventLoop(1);
  scheduler.recordActivity('tenant');
  arrive('a');
  pass(60_000);
  await turn();
  scheduler.recordActivity('tenant');
  arrive('a');
  expect(started).toEqual(['a', 'a']);
});

describe('Operation scheduler for unaccepted API keys', () => {
  test('any number of callers with unaccepted keys delay an accepted caller by one operation', async () => {
    const { arrive, started, turn } = createFakeEventLoop(3);
    for (let n = 0; n < 100; n += 1) arrive(`${INVALID_CALLER_PREFIX} ${n}`);
    arrive('tenant');
    await turn();
    await turn();
    expect(started).toEqual([`${INVALID_CALLER_PREFIX} 0`, `${INVALID_CALLER_PREFIX} 1`, 'tenant']);
  });

  test('callers with unaccepted keys are delayed while an accepted caller is active, and the queued requests of that caller are not', async () => {
    const { arrive, started, turn, scheduler } = createFakeEventLoop(100);
    arrive(`${INVALID_CALLER_PREFIX} 1`);
    arrive(`${INVALID_CALLER_PREFIX} 2`);
    arrive(`${INVALID_CALLER_PREFIX} tenant`);
    // The upstream accepts the key of this caller.
    scheduler.recordActivity(`${INVALID_CALLER_PREFIX} tenant`);
    await turn();
    await turn();
    expect(started).toEqual([`${INVALID_CALLER_PREFIX} 1`, `${INVALID_CALLER_PREFIX} tenant`]);
  });

  test('callers with unaccepted keys are served round-robin', async () => {
    const { arrive, started, turn } = createFakeEventLoop(3);
    for (let n = 1; n <= 4; n += 1) arrive(`${INVALID_CALLER_PREFIX} flood`, `flood${n}`);
    arrive(`${INVALID_CALLER_PREFIX} new`, 'new');
    for (let n = 0; n < 3; n += 1) await turn();
    expect(started).toEqual(['flood1', 'flood2', 'new', 'flood3']);
  });
});

describe('Operation scheduler delay after a long operation', () => {
  test('a caller whose operation took 100 ms waits 200 ms while another caller is active, and the other caller does not wait', async () => {
    const { arrive, started, turn, timers, pass } = createFakeEventLoop(1);
    arrive('tenant');
    await turn();
    arrive('heavy', 'heavy1', 100);
    await turn();
    for (let n = 2; n <= 9; n += 1) arrive('heavy', `heavy${n}`, 100);
    await turn();
    expect(started).toEqual(['tenant', 'heavy1']);
    expect(timers.running).toEqual([200]);
    for (let n = 0; n < 5; n += 1) {
      pass(20);
      arrive('tenant');
      await turn();
    }
    expect(started.slice(2)).toEqual(Array(5).fill('tenant'));
    pass(100);
    timers.elapse(200);
    await turn();
    expect(started.slice(7)).toEqual(['heavy2']);
  });

  test('a caller with long operations is not delayed while no other caller is active', async () => {
    const { arrive, started, turn, timers } = createFakeEventLoop(100);
    for (let n = 1; n <= 4; n += 1) {
      arrive('heavy', `heavy${n}`);
      await turn();
    }
    expect(started).toEqual(['heavy1', 'heavy2', 'heavy3', 'heavy4']);
    expect(timers.running).toEqual([]);
  });

  test('a caller with long operations is not delayed for a caller that was active more than a second ago', async () => {
    const { arrive, started, turn, pass } = createFakeEventLoop(100);
    arrive('tenant');
    pass(1_000);
    for (let n = 1; n <= 3; n += 1) {
      arrive('heavy', `heavy${n}`);
      await turn();
    }
    expect(started).toEqual(['tenant', 'heavy1', 'heavy2', 'heavy3']);
  });

  test('a caller with long operations is not delayed for callers with unaccepted keys', async () => {
    const { arrive, started, turn } = createFakeEventLoop(100);
    for (let n = 1; n <= 3; n += 1) {
      arrive('heavy', `heavy${n}`);
      await turn();
      arrive(`${INVALID_CALLER_PREFIX} ${n}`, 'invented', 0);
      await turn();
    }
    expect(started.filter((name) => name !== 'invented')).toEqual(['heavy1', 'heavy2', 'heavy3']);
  });

  test('a caller with long operations is delayed for a caller whose requests start no operation', async () => {
    const { arrive, started, turn, scheduler } = createFakeEventLoop(100);
    for (let n = 1; n <= 3; n += 1) {
      scheduler.recordActivity('tenant');
      arrive('heavy', `heavy${n}`);
      await turn();
    }
    expect(started).toEqual(['heavy1']);
  });

  test('four callers with long operations together use about half of the time while another caller is active', async () => {
    const { arrive, started, turn, pass, scheduler, timers } = createFakeEventLoop(100);
    let taken = 0;
    let dueAt = Number.POSITIVE_INFINITY;
    for (let ms = 0; ms < 20_000; ms += 10) {
      scheduler.recordActivity('tenant');
      for (const heavy of ['a', 'b', 'c', 'd']) if (scheduler.queued < 4) arrive(heavy);
      const [timer] = timers.running;
      if (timer !== undefined) dueAt = Math.min(dueAt, ms + timer);
      if (timer !== undefined && ms >= dueAt) {
        timers.elapse(timer);
        dueAt = Number.POSITIVE_INFINITY;
      }
      await turn();
      const startedNow = started.splice(0).length;
      taken += startedNow * 100;
      ms += startedNow * 100;
      pass(10);
    }
    expect(taken).toBeLessThan(12_000);
    expect(taken).toBeGreaterThan(4_000);
  });
});

test('an empty queue schedules nothing and retains no caller', async () => {
  const loop = createFakeEventLoop(3);
  for (let n = 0; n < 10; n += 1) loop.arrive(`caller ${n}`);
  expect(loop.scheduler.queued).toBe(9);
  for (let n = 0; n < 10; n += 1) await loop.turn();
  expect(loop.started).toHaveLength(10);
  expect([loop.scheduler.queued, loop.isIdle]).toEqual([0, true]);
});

test('in a real event loop each queued operation runs its microtasks before the next one starts, within one iteration', async () => {
  const events: string[] = [];
  await new Promise<void>((resolve) => {
    let time = 0;
    const scheduler = createOperationScheduler({
      monotonicNow: () => time,
      runNextIteration: setImmediate,
      afterMicrotasks,
      startTimer: createManualTimers().startTimer,
    });
    const operate = async (name: string) => {
      await scheduler.waitForTurn(toCaller(name));
      events.push(`${name} begins`);
      for (let step = 0; step < 50; step += 1) await undefined;
      events.push(`${name} has done what it can`);
      if (name === 'c') resolve();
    };
    scheduler.waitForTurn(toCaller('first'));
    // The first operation has used up the time slice: the others wait for the next iteration.
    time += TIME_SLICE_MS;
    for (const name of ['a', 'b', 'c']) void operate(name);
    setImmediate(() => events.push('another turn'));
  });
  expect(events).toEqual(
    ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} has done what it can`]),
  );
});
