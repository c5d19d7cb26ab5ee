import { expect, test } from 'vitest';
import { createParseScheduler } from '#rest/transport/parse-scheduler.ts';

/** Parses that take so many ms each, by a clock of the test's; turns of the event loop come when the test says so. */
function createScene() {
  const clock = { now: 0 };
  const order: string[] = [];
  let nextTurn: (() => void)[] = [];
  const turns = createParseScheduler(
    () => clock.now,
    (run) => nextTurn.push(run),
  );
  return {
    order,
    run: (name: string, ms: number, credential = name) =>
      turns.run(credential, () => {
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
    /** What is parsed in the next turn that has parses at all, three free ones before it. */
    passFreeTurns(): string[] {
      expect([this.passTurn(), this.passTurn(), this.passTurn()]).toEqual([[], [], []]);
      return this.passTurn();
    },
    get isIdle() {
      return nextTurn.length === 0;
    },
  };
}

test('a parse runs at once as long as its turn of the event loop has time left', () => {
  const { run, order } = createScene();
  expect([run('a', 2), run('b', 2), run('c', 2)]).toEqual(['a', 'b', 'c']);
  expect(order).toEqual(['a', 'b', 'c']);
});

test('parses beyond five milliseconds of one turn are left to later turns, each credential in turn', async () => {
  const scene = createScene();
  const { run, order } = scene;
  const parsed = ['a1', 'a2', 'a3', 'a4', 'a5'].map((name) => run(name, 4, 'a'));
  parsed.push(run('b1', 4, 'b'), run('b2', 4, 'b'));
  expect(order.splice(0)).toEqual(['a1', 'a2']);
  expect([scene.passFreeTurns(), scene.passFreeTurns(), scene.passFreeTurns()]).toEqual([['a3', 'b1'], ['a4', 'b2'], ['a5']]);
  expect(await Promise.all(parsed)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2']);
});

test('a single parse that takes long has a turn for itself', () => {
  const scene = createScene();
  const { run, order } = scene;
  for (const name of ['a', 'b', 'c']) run(name, 30);
  expect(order.splice(0)).toEqual(['a']);
  expect([scene.passFreeTurns(), scene.passFreeTurns()]).toEqual([['b'], ['c']]);
});

test('a parse that fails rejects alone, at once or in a later turn', async () => {
  const scene = createScene();
  const { run } = scene;
  expect(() => run('bad', 10)).toThrow(SyntaxError);
  const outcomes = Promise.allSettled([run('bad', 1), run('good', 1)]);
  expect([scene.order.splice(0), scene.passFreeTurns()]).toEqual([['bad'], ['bad', 'good']]);
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('nothing is scheduled when nothing is parsed', () => {
  const scene = createScene();
  scene.run('a', 1);
  scene.passTurn();
  expect(scene.isIdle).toBe(true);
});
