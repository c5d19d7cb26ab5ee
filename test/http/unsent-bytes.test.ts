import { expect, test } from 'vitest';
import { createUnsentBytes } from '#http/unsent-bytes.ts';

const MEBIBYTE = 2 ** 20;

function createOne() {
  const excesses: string[] = [];
  const unsent = createUnsentBytes({
    maxBytes: 12 * MEBIBYTE,
    maxBytesPerOwner: 4 * MEBIBYTE,
    onExcess: (setting) => excesses.push(setting),
  });
  return {
    unsent,
    excesses,
    hold: (owner: string, mebibytes: number) => unsent.hold(owner, mebibytes * MEBIBYTE),
    mayAsk(owner: string): boolean {
      try {
        unsent.check({ caller: owner, isAccepted: () => true });
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 1 } });
        return false;
      }
    },
  };
}

test('An owner may ask until it has left its limit unread, and again when it has read', () => {
  const { unsent, hold, mayAsk, excesses } = createOne();
  const releases = [hold('a', 2), hold('a', 3)];
  expect([mayAsk('a'), mayAsk('b')]).toEqual([false, true]);
  expect(hold('a', 1)).toBeUndefined();
  expect(excesses).toEqual(['MAX_UNSENT_BYTES_PER_CALLER', 'MAX_UNSENT_BYTES_PER_CALLER']);
  releases[0]?.();
  releases[0]?.();
  expect([mayAsk('a'), unsent.total()]).toEqual([true, 3 * MEBIBYTE]);
  releases[1]?.();
  expect(unsent.total()).toBe(0);
});

test('Who asks need not be known while all answers are sent', () => {
  const { unsent } = createOne();
  unsent.hold('a', MEBIBYTE)?.();
  unsent.check({ caller: 'a', isAccepted: () => expect.unreachable('Nothing is unsent.') });
});

test('Beyond the limit of all, owners that hold less than an equal share go on, and those that hold more do not', () => {
  const { hold, mayAsk, excesses } = createOne();
  for (const owner of ['a', 'b', 'c', 'd']) expect(hold(owner, 3)).toBeDefined();
  expect([mayAsk('a'), mayAsk('new')]).toEqual([false, true]);
  expect(excesses).toEqual(['MAX_UNSENT_BYTES']);
  // An equal share of five is 2.4 MiB.
  expect(hold('new', 2.5)).toBeUndefined();
  expect(hold('new', 2.3)).toBeDefined();
  expect(mayAsk('a')).toBe(false);
});

test('Small answers that an owner leaves unread are bounded like large ones', () => {
  const { unsent, mayAsk } = createOne();
  for (let n = 0; n < 64; n += 1) expect(unsent.hold('a', 65_536)).toBeDefined();
  expect(unsent.hold('a', 1)).toBeUndefined();
  expect([unsent.total(), mayAsk('a')]).toEqual([4 * MEBIBYTE, false]);
});

test('However many owners leave answers unread, together they hold no more than twice the limit and one answer', () => {
  const { unsent, hold } = createOne();
  for (let n = 0; n < 10_000; n += 1) hold(`owner ${n}`, 1 / (1 + (n % 14)));
  expect(unsent.total()).toBeLessThanOrEqual(25 * MEBIBYTE);
});
