import { expect, test } from 'vitest';
import { createParseScheduler } from '#rest/transport/parse-scheduler.ts';

/**
 * Parses that take the given time in ms on the test's clock. The test decides when the event loop
 * iterates.
 */
function createScene() {
  const clock = { now: 0 };
  const order: string[] = [];
  let nextTurn: (() => void)[] = [];
  const scheduler = createParseScheduler(
    () => clock.now,
    (run) => nextTurn.push(run),
  );
  return {
    order,
    run: (name: string, ms: number, credential = name) =>
      scheduler.run(credential, () => {
        clock.now += ms;
        order.push(name);
        if (name === 'bad') throw new SyntaxError('no JSON');
        return name;
      }),
    passTurn() {
      const due = nextTurn;
      nextTurn = [];
      for (const run of due) run();
      return order.splice(0);
    },
    /** Expects three iterations without parses, and returns what is parsed in the fourth. */
    passFreeTurns(): string[] {
      expect([this.passTurn(), this.passTurn(), this.passTurn()]).toEqual([[], [], []]);
      return this.passTurn();
    },
    get isIdle() {
      return nextTurn.length === 0;
    },
  };
}

test('the scheduler parses at once while the event-loop iteration has time left', () => {
  const { run, order } = createScene();
  expect([run('a', 2), run('b', 2), run('c', 2)]).toEqual(['a', 'b', 'c']);
  expect(order).toEqual(['a', 'b', 'c']);
});

test('the scheduler defers parses beyond five milliseconds to later event-loop iterations, with a turn for each credential', async () => {
  const scene = createScene();
  const { run, order } = scene;
  const parsed = ['a1', 'a2', 'a3', 'a4', 'a5'].map((name) => run(name, 4, 'a'));
  parsed.push(run('b1', 4, 'b'), run('b2', 4, 'b'));
  expect(order.splice(0)).toEqual(['a1', 'a2']);
  expect([scene.passFreeTurns(), scene.passFreeTurns(), scene.passFreeTurns()]).toEqual([
    ['a3', 'b1'],
    ['a4', 'b2'],
    ['a5'],
  ]);
  expect(await Promise.all(parsed)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2']);
});

test('a single long parse gets an event-loop iteration of its own', () => {
  const scene = createScene();
  const { run, order } = scene;
  for (const name of ['a', 'b', 'c']) run(name, 30);
  expect(order.splice(0)).toEqual(['a']);
  expect([scene.passFreeTurns(), scene.passFreeTurns()]).toEqual([['b'], ['c']]);
});

test('a failed parse rejects alone, at once or in a later event-loop iteration', async () => {
  const scene = createScene();
  const { run } = scene;
  expect(() => run('bad', 10)).toThrow(SyntaxError);
  const outcomes = Promise.allSettled([run('bad', 1), run('good', 1)]);
  expect([scene.order.splice(0), scene.passFreeTurns()]).toEqual([['bad'], ['bad', 'good']]);
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('an idle scheduler schedules nothing', () => {
  const scene = createScene();
  scene.run('a', 1);
  scene.passTurn();
  expect(scene.isIdle).toBe(true);
});
