import { expect, test } from 'vitest';
import { SubscriptionSlots, type TooManySubscriptionsError } from '#live/subscription-slots.ts';

/** Slots for two subscriptions of a caller, and by default three in total. */
function createScene(maxSubscriptions = 3) {
  const refusals: string[] = [];
  const slots = new SubscriptionSlots({
    maxSubscriptions,
    maxSubscriptionsPerCaller: 2,
    events: { onRefused: (limit) => refusals.push(limit) },
  });
  const accepted = new Set<string>();
  const acquire = (key: string) =>
    slots.acquire(
      {
        owner: () => (accepted.has(key) ? key : ''),
        isCredentialAccepted: () => accepted.has(key),
      },
      'callUpdated sse',
    );
  return { slots, accepted, acquire, refusals };
}

function refusalOf(acquire: () => unknown) {
  try {
    acquire();
  } catch (error) {
    const { code, message, details, isGatewayFull } = error as TooManySubscriptionsError;
    return { code, message, details, isGatewayFull };
  }
  return undefined;
}

const OF_CALLER = {
  code: 'RATE_LIMITED',
  message: 'This caller has too many open subscriptions (MAX_SUBSCRIPTIONS_PER_CALLER).',
  details: { retryAfter: 5 },
  isGatewayFull: false,
};

test('a caller has as many slots as its limit, and the gateway as many as its own', () => {
  const { slots, accepted, acquire, refusals } = createScene();
  accepted.add('a').add('b');
  const release = acquire('a');
  acquire('a');
  expect(refusalOf(() => acquire('a'))).toEqual(OF_CALLER);
  acquire('b');
  expect(refusalOf(() => acquire('b'))).toEqual({
    code: 'RATE_LIMITED',
    message: 'This gateway has too many open subscriptions (MAX_SUBSCRIPTIONS).',
    details: { retryAfter: 5 },
    isGatewayFull: true,
  });
  expect(refusals).toEqual(['MAX_SUBSCRIPTIONS_PER_CALLER', 'MAX_SUBSCRIPTIONS']);
  expect(slots.counts).toEqual(new Map([['callUpdated sse', 3]]));
  // A slot is released once.
  for (let times = 0; times < 2; times += 1) release();
  expect(slots.counts).toEqual(new Map([['callUpdated sse', 2]]));
  acquire('a');
  expect(refusalOf(() => acquire('a'))).toBeDefined();
});

test('credentials that are not accepted yet share the slots of one caller', () => {
  const { acquire } = createScene();
  acquire('a');
  acquire('b');
  expect(refusalOf(() => acquire('c'))).toEqual(OF_CALLER);
});

test('an accepted credential has slots of its own at once, and they count for it', () => {
  const { accepted, acquire } = createScene();
  acquire('a');
  const release = acquire('a');
  accepted.add('a');
  expect(refusalOf(() => acquire('a'))).toEqual(OF_CALLER);
  acquire('b');
  release();
  acquire('a');
});

test('a slot that is released before its credential is accepted counts for no caller', () => {
  const { accepted, acquire } = createScene();
  const release = acquire('a');
  release();
  accepted.add('a');
  acquire('a');
  acquire('a');
  expect(refusalOf(() => acquire('a'))).toEqual(OF_CALLER);
});

test('no slot is free for an owner that is not known yet only if the gateway is full', () => {
  const { slots, accepted, acquire } = createScene();
  accepted.add('a').add('b');
  acquire('a');
  acquire('a');
  slots.check(undefined);
  acquire('b');
  expect(refusalOf(() => slots.check(undefined))?.isGatewayFull).toBe(true);
});

test('a released slot makes room for one subscription, and not for more', () => {
  const { accepted, acquire } = createScene(10);
  accepted.add('a');
  acquire('a');
  acquire('a')();
  acquire('a');
  expect(refusalOf(() => acquire('a'))).toEqual(OF_CALLER);
});

test('an accepted credential frees its own slot of those that are not accepted, and no other', () => {
  const { accepted, acquire } = createScene(10);
  acquire('a');
  acquire('b');
  accepted.add('a');
  acquire('c');
  expect(refusalOf(() => acquire('d'))).toEqual(OF_CALLER);
});

test('nothing is left of the slots that were released', () => {
  const { slots, acquire } = createScene();
  acquire('a')();
  expect(slots.counts).toEqual(new Map());
});
