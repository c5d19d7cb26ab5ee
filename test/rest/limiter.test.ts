import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLimiter } from '#rest/limiter.ts';

const NEVER = new AbortController().signal;

/** Whether a promise has settled by the time everything that can run has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await new Promise(setImmediate);
  return settled;
}

describe('The limiter', () => {
  afterEach(() => vi.restoreAllMocks());

  test('lets in as many as there are places, then one for each that leaves, first come first served', async () => {
    const waitForTurn = createLimiter(2);
    const order: string[] = [];
    const enter = (name: string) =>
      waitForTurn('key', NEVER).then((release) => {
        order.push(name);
        return release;
      });
    const [first, second, third, fourth] = [enter('first'), enter('second'), enter('third'), enter('fourth')];

    expect(await isSettled(third)).toBe(false);
    expect(order).toEqual(['first', 'second']);

    (await second)();
    await third;
    expect(order).toEqual(['first', 'second', 'third']);
    expect(await isSettled(fourth)).toBe(false);

    (await first)();
    await fourth;
    expect(order).toEqual(['first', 'second', 'third', 'fourth']);
  });

  test('never holds more than its limit, however they come and go', async () => {
    const waitForTurn = createLimiter(3);
    let inside = 0;
    let most = 0;
    const visit = async (length: number) => {
      const release = await waitForTurn('key', NEVER);
      inside += 1;
      most = Math.max(most, inside);
      for (let turn = 0; turn < length; turn += 1) await Promise.resolve();
      inside -= 1;
      release();
    };
    await Promise.all(Array.from({ length: 100 }, (_, index) => visit((index * 7) % 11)));
    expect(most).toBe(3);
    expect(inside).toBe(0);
  });

  test('does not let one key wait for another', async () => {
    const waitForTurn = createLimiter(1);
    await waitForTurn('a', NEVER);
    const second = waitForTurn('a', NEVER);
    await expect(waitForTurn('b', NEVER)).resolves.toBeTypeOf('function');
    expect(await isSettled(second)).toBe(false);
  });

  test('frees a place once, however often it is told to', async () => {
    const waitForTurn = createLimiter(1);
    const release = await waitForTurn('key', NEVER);
    const next = waitForTurn('key', NEVER);
    const afterNext = waitForTurn('key', NEVER);
    release();
    release();
    await next;
    expect(await isSettled(afterNext)).toBe(false);
  });

  test('lets one who gives up leave the queue, with the reason, and takes no place for them', async () => {
    const waitForTurn = createLimiter(1);
    const release = await waitForTurn('key', NEVER);
    const leaving = new AbortController();
    const gone = waitForTurn('key', leaving.signal);
    const next = waitForTurn('key', NEVER);

    leaving.abort(new Error('I have to go'));
    await expect(gone).rejects.toThrow('I have to go');
    release();
    (await next)();

    await expect(waitForTurn('key', NEVER)).resolves.toBeTypeOf('function');
  });

  test('lets nobody in who has given up already', async () => {
    const waitForTurn = createLimiter(1);
    await expect(waitForTurn('key', AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    await expect(waitForTurn('key', NEVER)).resolves.toBeTypeOf('function');
  });

  test('leaves no listener on a signal that it has waited with', async () => {
    const waitForTurn = createLimiter(1);
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    const release = await waitForTurn('key', signal);
    const second = waitForTurn('key', signal);
    release();
    await second;
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls[0]).toEqual(add.mock.calls[0]?.slice(0, 2));
  });

  test('forgets a key that nobody uses', async () => {
    const set = vi.spyOn(Map.prototype, 'set');
    const waitForTurn = createLimiter(1);
    const release = await waitForTurn('a key of its own', NEVER);
    const lanes = set.mock.contexts[set.mock.calls.findIndex(([key]) => key === 'a key of its own')] as Map<string, unknown>;
    const leaving = new AbortController();
    const gone = waitForTurn('a key of its own', leaving.signal);
    leaving.abort();
    await expect(gone).rejects.toThrow();
    expect(lanes.size).toBe(1);

    release();

    expect(lanes.size).toBe(0);
  });
});
