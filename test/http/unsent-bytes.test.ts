import { expect, test } from 'vitest';
import { createUnsentResponseBudget } from '#http/limits/unsent-response-budget.ts';

const MEBIBYTE = 2 ** 20;

function createUnsentBytesScene() {
  const excesses: string[] = [];
  const unsent = createUnsentResponseBudget({
    maxBytes: 12 * MEBIBYTE,
    maxBytesPerOwner: 4 * MEBIBYTE,
    onLimitExceeded: (setting) => excesses.push(setting),
  });
  return {
    unsent,
    excesses,
    hold: (owner: string, mebibytes: number) => unsent.reserve(owner, mebibytes * MEBIBYTE),
    release(reservation: ReturnType<typeof unsent.reserve> | undefined) {
      if (typeof reservation === 'function') reservation();
    },
    canSend(owner: string): boolean {
      try {
        unsent.check({ callerKey: owner, isCredentialAccepted: () => true });
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 1 } });
        return false;
      }
    },
  };
}

test('an owner is rejected while it holds its limit of unsent bytes and accepted again after it has read them', () => {
  const { unsent, hold, release, canSend, excesses } = createUnsentBytesScene();
  const reservations = [hold('a', 2), hold('a', 3)];
  expect([canSend('a'), canSend('b')]).toEqual([false, true]);
  expect(hold('a', 1)).toBe('MAX_UNSENT_BYTES_PER_CALLER');
  expect(excesses).toEqual(['MAX_UNSENT_BYTES_PER_CALLER', 'MAX_UNSENT_BYTES_PER_CALLER']);
  release(reservations[0]);
  release(reservations[0]);
  expect([canSend('a'), unsent.totalBytes()]).toEqual([true, 3 * MEBIBYTE]);
  release(reservations[1]);
  expect(unsent.totalBytes()).toBe(0);
});

test('the caller is not looked up while no bytes are unsent', () => {
  const { unsent, hold, release } = createUnsentBytesScene();
  release(hold('a', 1));
  unsent.check({
    callerKey: 'a',
    isCredentialAccepted: () => expect.unreachable('Nothing is unsent.'),
  });
});

test('over the total limit, owners below an equal share are accepted and owners above it are rejected', () => {
  const { hold, canSend, excesses } = createUnsentBytesScene();
  for (const owner of ['a', 'b', 'c', 'd']) expect(hold(owner, 3)).toBeTypeOf('function');
  expect([canSend('a'), canSend('new')]).toEqual([false, true]);
  expect(excesses).toEqual(['MAX_UNSENT_BYTES']);
  // An equal share of five is 2.4 MiB.
  expect(hold('new', 2.5)).toBe('MAX_UNSENT_BYTES');
  expect(hold('new', 2.3)).toBeTypeOf('function');
  expect(canSend('a')).toBe(false);
});

test('small unread responses of an owner count towards its limit like large ones', () => {
  const { unsent, canSend } = createUnsentBytesScene();
  for (let n = 0; n < 64; n += 1) expect(unsent.reserve('a', 65_536)).toBeTypeOf('function');
  expect(unsent.reserve('a', 1)).toBe('MAX_UNSENT_BYTES_PER_CALLER');
  expect([unsent.totalBytes(), canSend('a')]).toEqual([4 * MEBIBYTE, false]);
});

test('ten thousand owners with responses of 73 KiB to 1 MiB hold at most twice the total limit and one response', () => {
  const { unsent, hold } = createUnsentBytesScene();
  for (let n = 0; n < 10_000; n += 1) hold(`owner ${n}`, 1 / (1 + (n % 14)));
  expect(unsent.totalBytes()).toBeLessThanOrEqual(25 * MEBIBYTE);
});
