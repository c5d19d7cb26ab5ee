import { queryObjects } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { createWriteTurns, type WaitingWriter } from '#live/write-turns.ts';

/** Writers that write when it is their turn, in iterations that the test starts. */
function createScene() {
  const iterations: (() => void)[] = [];
  let now = 1_000;
  const turns = createWriteTurns(
    () => now,
    (run) => iterations.push(run),
  );
  const written: number[] = [];
  return {
    written,
    isIdle: () => iterations.length === 0,
    /** @param ms how long the iteration before has taken */
    runIteration(ms = 1) {
      now += ms;
      iterations.shift()?.();
    },
    write(...writers: readonly number[]) {
      for (const writer of writers)
        if (turns.take({ onTurn: () => written.push(writer) })) written.push(writer);
    },
  };
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe('Turns to write', () => {
  test('few writers write at once, and each iteration permits as many', () => {
    const { written, write, runIteration, isIdle } = createScene();
    write(...range(0, 32));
    expect(written).toEqual(range(0, 32));
    runIteration();
    expect(isIdle()).toBe(true);
    write(...range(32, 64));
    expect(written).toEqual(range(0, 64));
    // After iterations without a write, writers still get their turns.
    runIteration();
    write(...range(64, 128));
    expect(written).toEqual(range(0, 96));
    runIteration();
    expect(written).toEqual(range(0, 128));
  });

  test('many writers write in order, 32 in each iteration', () => {
    const { written, write, runIteration, isIdle } = createScene();
    write(...range(0, 100));
    const counts = [written.length];
    for (; !isIdle(); counts.push(written.length)) runIteration();
    expect(counts).toEqual([32, 64, 96, 100, 100]);
    expect(written).toEqual(range(0, 100));
  });

  test('after a long iteration more writers write, at most 128', () => {
    const { written, write, runIteration } = createScene();
    write(...range(0, 500));
    runIteration(4);
    expect(written.length).toBe(32 + 64);
    runIteration(100);
    expect(written.length).toBe(32 + 64 + 128);
  });

  test('turns that no waiting writer needs are for new ones in the same iteration', () => {
    const { written, write, runIteration } = createScene();
    write(...range(0, 68));
    runIteration();
    runIteration();
    write(...range(68, 96));
    expect(written).toEqual(range(0, 96));
  });

  test('a new writer does not overtake those that wait', () => {
    const { written, write, runIteration } = createScene();
    write(...range(0, 40));
    runIteration();
    write(...range(40, 80));
    expect(written).toEqual(range(0, 64));
    runIteration();
    runIteration();
    expect(written).toEqual(range(0, 80));
  });

  test('a writer that has written is not retained', () => {
    const { write, runIteration, isIdle } = createRetentionScene();
    write(1_000);
    while (!isIdle()) runIteration();
    expect(countWriters()).toBe(0);
  });

  test('while writers always wait, at most 4,096 that have written are retained', () => {
    const { write, runIteration } = createRetentionScene();
    write(100);
    for (let iteration = 0; iteration < 1_000; iteration += 1) {
      write(32);
      runIteration();
    }
    const waiting = 100;
    expect(countWriters()).toBeLessThan(4_096 + waiting);
  });
});

/** A writer that is found in the heap by its class. */
class CountedWriter implements WaitingWriter {
  onTurn(): void {}
}

/** The writers that something refers to: V8 collects all others before it counts. */
const countWriters = () => queryObjects(CountedWriter, { format: 'count' });

function createRetentionScene() {
  const iterations: (() => void)[] = [];
  const turns = createWriteTurns(
    () => 0,
    (run) => iterations.push(run),
  );
  return {
    isIdle: () => iterations.length === 0,
    runIteration: () => iterations.shift()?.(),
    write(count: number) {
      for (let index = 0; index < count; index += 1) turns.take(new CountedWriter());
    },
  };
}
