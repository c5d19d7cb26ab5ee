import { describe, expect, test } from 'vitest';
import { createBeginnings, whenDone } from '#http/beginnings.ts';

/** As long as operations may begin in one turn. */
const TURN_MS = 2;

/** A loop whose turns are taken by hand, and operations that take so long, ms. */
function createLoop(operationMs: number) {
  let time = 0;
  let planned: (() => void)[] = [];
  let whenDone: (() => void)[] = [];
  const beginnings = createBeginnings(
    () => time,
    (run) => planned.push(run),
    (run) => whenDone.push(run),
  );
  const begun: string[] = [];
  const begin = (name: string) => {
    begun.push(name);
    time += operationMs;
  };
  return {
    beginnings,
    begun,
    arrive(caller: string, name = caller): void {
      const turn = beginnings.wait(caller);
      if (turn) void turn.then(() => begin(name));
      else begin(name);
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
    const { arrive, begun, turn } = createLoop(50);
    arrive('a');
    await turn();
    arrive('b');
    expect(begun).toEqual(['a', 'b']);
  });

  test('as long as they take no longer than two milliseconds in one turn', () => {
    const { arrive, begun } = createLoop(0.5);
    for (let n = 1; n <= 10; n += 1) arrive('a', `a${n}`);
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  test('and then those who wait, no longer than that in one turn, and each when the one before has begun', async () => {
    const { arrive, begun, turn } = createLoop(0.9);
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
    const { arrive, begun, turn } = createLoop(3);
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
    const { arrive, begun, turn } = createLoop(3);
    for (let n = 1; n <= 5; n += 1) {
      arrive('a', `a${n}`);
      if (n % 2 === 0) await turn();
    }
    for (let n = 0; n < 3; n += 1) await turn();
    expect(begun).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  });

  test('not before those who wait, however quick', async () => {
    const { arrive, begun, turn } = createLoop(3);
    for (const name of ['a1', 'a2', 'a3']) arrive('a', name);
    await turn();
    arrive('b');
    expect(begun).toEqual(['a1', 'a2']);
    await turn();
    await turn();
    expect(begun).toEqual(['a1', 'a2', 'a3', 'b']);
  });
});

test('When nobody waits, nothing is planned and nobody is remembered', async () => {
  const loop = createLoop(3);
  for (let n = 0; n < 10; n += 1) loop.arrive(`caller ${n}`);
  expect(loop.beginnings.waiting).toBe(9);
  for (let n = 0; n < 10; n += 1) await loop.turn();
  expect(loop.begun).toHaveLength(10);
  expect([loop.beginnings.waiting, loop.isIdle]).toEqual([0, true]);
});

test('In a real loop an operation has done all that it does at once before the next one begins, and that in one turn', async () => {
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    let time = 0;
    const beginnings = createBeginnings(() => time, setImmediate, whenDone);
    const operate = async (name: string) => {
      await beginnings.wait(name);
      told.push(`${name} begins`);
      for (let step = 0; step < 50; step += 1) await undefined;
      told.push(`${name} has done what it can`);
      if (name === 'c') resolve();
    };
    beginnings.wait('first');
    // That has taken all of this turn: the others wait for the next one.
    time += TURN_MS;
    for (const name of ['a', 'b', 'c']) void operate(name);
    setImmediate(() => told.push('another turn'));
  });
  expect(told).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} has done what it can`]));
});
