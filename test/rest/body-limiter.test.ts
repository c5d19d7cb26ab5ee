import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BodyLimiterOptions, createBodyLimiter } from '#rest/resilience/body-limiter.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A limiter, and operations that read a given number of bytes and record when they may read on. */
function createScene(
  options: BodyLimiterOptions = { maxBytes: 8 * MIB, maxBytesPerCredential: 4 * MIB },
  maxBytes = 64 * MIB,
) {
  const limiter = createBodyLimiter(options);
  const order: string[] = [];
  return {
    limiter,
    order,
    open(name: string, credential = name, caller?: string) {
      const ending = new AbortController();
      const budget = limiter.openBudget({
        credential,
        caller,
        signal: ending.signal,
        maxRequests: 10,
        maxBytes,
      });
      const note = (mayReadOn: Promise<void> | undefined) => {
        mayReadOn?.then(
          () => order.push(name),
          (error: { code?: string }) => order.push(`${name}: ${error.code}`),
        );
        return mayReadOn !== undefined;
      };
      return {
        budget,
        /** @returns whether the operation must pause */
        read: (bytes: number) => note(budget.consumeBytes(bytes)),
        waitForCapacity: () => note(budget.waitForCapacity()),
        end: () => ending.abort(),
      };
    },
  };
}

const settle = () => new Promise(setImmediate);

describe('Byte budget of an operation', () => {
  test('the byte budget counts all bodies of an operation, and one byte over it is UPSTREAM_BUDGET_EXCEEDED with the name of the setting', () => {
    const { budget } = createScene({}, 1_000).open('a');
    expect([budget.consumeBytes(600), budget.consumeBytes(400), budget.exceededError]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const error = {
      code: 'UPSTREAM_BUDGET_EXCEEDED',
      message: expect.stringMatching(/1000 bytes .*\(MAX_UPSTREAM_BYTES\)/),
    };
    expect(() => budget.consumeBytes(1)).toThrow(expect.objectContaining(error));
    expect(budget.exceededError).toMatchObject(error);
  });

  test('an exhausted request budget is reported apart from an exhausted byte budget', () => {
    const { budget } = createScene().open('a');
    budget.sentRequests = 9;
    expect(budget.exceededError).toBeUndefined();
    budget.sentRequests = 10;
    expect(budget.exceededError?.message).toMatch(/10 upstream requests \(MAX_UPSTREAM_REQUESTS\)/);
  });
});

describe('Budget of a background request', () => {
  test('a background request counts towards the requests of its operation and has its own byte budget until it ends', () => {
    const { limiter, open } = createScene({}, MIB);
    const operation = open('a');
    const ending = new AbortController();
    const background = operation.budget.openBackground(ending.signal);
    background.sentRequests += 1;
    expect([operation.budget.sentRequests, background.sentRequests]).toEqual([1, 1]);
    operation.read(MIB);
    operation.end();
    expect(background.consumeBytes(MIB)).toBeUndefined();
    expect(limiter.reservedBytes).toBe(MIB);
    expect(() => background.consumeBytes(1)).toThrow(
      expect.objectContaining({ code: 'UPSTREAM_BUDGET_EXCEEDED' }),
    );
    ending.abort();
    expect(limiter.reservedBytes).toBe(0);
  });

  test('a background request pauses while its credential has reserved its maximum of bytes', async () => {
    const { open } = createScene();
    const [hog, operation] = [open('hog', 'a'), open('operation', 'a')];
    hog.read(20 * MIB);
    const background = operation.budget.openBackground(new AbortController().signal);
    const capacity = background.consumeBytes(MIB);
    expect(capacity).toBeInstanceOf(Promise);
    hog.end();
    await capacity;
  });
});

describe('Body limiter', () => {
  test('the body limiter reserves no bytes for an operation that reads little', () => {
    const { limiter, open } = createScene();
    for (let n = 0; n < 100; n += 1) expect(open(`${n}`, 'a').read(64 * KIB)).toBe(false);
    expect(limiter.reservedBytes).toBe(0);
  });

  test('the body limiter releases the bytes of an operation when the operation ends', () => {
    const { limiter, open } = createScene();
    const operation = open('a');
    operation.read(MIB);
    expect(limiter.reservedBytes).toBe(MIB);
    operation.end();
    expect(limiter.reservedBytes).toBe(0);
  });

  test('at the limit of a credential only its oldest operation reads on, and the others resume when that one ends', async () => {
    const { limiter, order, open } = createScene();
    const [first, second, third] = [open('first', 'a'), open('second', 'a'), open('third', 'a')];
    expect(first.read(3 * MIB)).toBe(false);
    expect(second.read(2 * MIB)).toBe(false);
    expect([
      third.read(MIB),
      second.read(MIB),
      second.waitForCapacity(),
      first.read(20 * MIB),
    ]).toEqual([true, true, true, false]);
    await settle();
    expect(order).toEqual([]);
    first.end();
    await settle();
    expect(order.sort()).toEqual(['second', 'second', 'third']);
    second.end();
    third.end();
    expect(limiter.reservedBytes).toBe(0);
  });

  test('the bytes of one credential pause no other credential that has reserved little', () => {
    const { open } = createScene();
    const [first, second] = [open('first', 'a'), open('second', 'a')];
    first.read(20 * MIB);
    expect(second.read(MIB)).toBe(true);
    expect([open('b').read(MIB), open('c').waitForCapacity()]).toEqual([false, false]);
  });

  test('at the total limit only the oldest operation reads on, and afterwards the credentials resume in turn', async () => {
    const { order, open } = createScene();
    const hog = open('hog');
    hog.read(9 * MIB);
    for (const credential of ['a', 'b'])
      open(`holds ${credential}`, credential).read(MIB + 64 * KIB);
    for (let n = 0; n < 3; n += 1) expect(open(`a${n}`, 'a').read(2 * MIB)).toBe(true);
    for (let n = 0; n < 3; n += 1) expect(open(`b${n}`, 'b').read(2 * MIB)).toBe(true);
    hog.end();
    await settle();
    expect(order.slice(0, 2).sort()).toEqual(['a0', 'b0']);
  });

  test('an operation that has reserved nothing sends its requests, and its bodies pause only beyond the free allowance', () => {
    const { open } = createScene();
    expect(open('hog', 'a').read(20 * MIB)).toBe(false);
    const small = open('small', 'a');
    expect([
      small.waitForCapacity(),
      small.read(64 * KIB),
      small.waitForCapacity(),
      small.read(1),
    ]).toEqual([false, false, false, true]);
  });

  test('the bytes of one caller pause no other caller of the same credential that has reserved little', async () => {
    const { limiter, order, open } = createScene();
    const hog = open('hog', 'a', 'loud');
    hog.read(20 * MIB);
    expect(open('loud too', 'a', 'loud').read(300 * KIB)).toBe(true);
    const [first, second] = [open('first', 'a', 'quiet'), open('second', 'a', 'quiet')];
    expect([first.read(MIB), first.waitForCapacity(), second.read(300 * KIB)]).toEqual([
      false,
      true,
      true,
    ]);
    first.end();
    await settle();
    expect(order.toSorted()).toEqual(['first: UPSTREAM_BUDGET_EXCEEDED', 'second']);
    hog.end();
    second.end();
    await settle();
    expect([order.at(-1), limiter.reservedBytes]).toEqual(['loud too', 256 * KIB]);
  });

  test('the body limiter grants the bytes of one credential to its callers in turn', async () => {
    const { order, open } = createScene();
    const hog = open('hog', 'a', 'loud');
    hog.read(5 * MIB);
    open('holds quiet', 'a', 'quiet').read(MIB + 64 * KIB);
    for (let n = 0; n < 3; n += 1)
      expect(open(`loud ${n}`, 'a', 'loud').read(300 * KIB)).toBe(true);
    expect(open('quiet', 'a', 'quiet').read(300 * KIB)).toBe(true);
    hog.end();
    await settle();
    expect(order.slice(0, 2)).toEqual(['loud 0', 'quiet']);
  });

  test('the body limiter rejects the waiting bodies of an ended operation and its further reads, and reserves no bytes for them', async () => {
    const { limiter, order, open } = createScene();
    const [hog, waiting] = [open('hog', 'a'), open('waiting', 'a')];
    hog.read(5 * MIB);
    expect(waiting.read(MIB)).toBe(true);
    waiting.end();
    await settle();
    expect(order).toEqual(['waiting: UPSTREAM_BUDGET_EXCEEDED']);
    expect(() => waiting.budget.consumeBytes(MIB)).toThrow(
      expect.objectContaining({ code: 'UPSTREAM_BUDGET_EXCEEDED' }),
    );
    hog.end();
    expect(limiter.reservedBytes).toBe(0);
  });

  test('reserved bytes exceed the limit only by the oldest operation and the minimum of each caller, and every operation completes', async () => {
    const steps = fc.array(
      fc.record({
        credential: fc.nat(2),
        caller: fc.nat(1),
        reads: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 }),
      }),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (operations) => {
        const { limiter, open } = createScene();
        let maxHeld = 0;
        await Promise.all(
          operations.map(async ({ credential, caller, reads }, n) => {
            const { budget, end } = open(`${n}`, `${credential}`, `${caller}`);
            for (const tenths of reads) {
              await budget.waitForCapacity();
              await budget.consumeBytes(tenths * 100 * KIB);
              maxHeld = Math.max(maxHeld, limiter.reservedBytes);
              await Promise.resolve();
            }
            end();
          }),
        );
        // The limit plus one read, the minimum of each caller plus one read, and all that the
        // oldest operation reads.
        expect(maxHeld).toBeLessThanOrEqual((8 + 4 + 3 * 2 * (1 + 4) + 32) * MIB);
        expect(limiter.reservedBytes).toBe(0);
      }),
    );
  });
});
