import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fact, MAX_TRUST_MS, MIN_TRUST_MS } from '#pagination/fact.ts';
import { createClock } from '../support/clock.ts';

const HOUR_MS = 3_600_000;

function createFact() {
  const clock = createClock();
  return { clock, fact: new Fact<0 | 1>(clock.now) };
}

describe('Endpoint fact', () => {
  test('a fact holds and is trusted for the credential that observed it and for no other', () => {
    const { fact } = createFact();
    fact.observe('ann', 1);
    expect([fact.valueFor('ann'), fact.isTrustedFor('ann')]).toEqual([1, true]);
    expect([fact.valueFor('bob'), fact.isTrustedFor('bob')]).toEqual([undefined, false]);
  });

  test('a fact on which two credentials agree holds for a third one, but is not trusted by it', () => {
    const { fact } = createFact();
    for (const credential of ['ann', 'bob']) fact.observe(credential, 1);
    expect([fact.valueFor('cid'), fact.isTrustedFor('cid')]).toEqual([1, false]);
  });

  test('a fact is unknown to other credentials while as many credentials observed the opposite', () => {
    const { fact } = createFact();
    for (const credential of ['ann', 'bob']) fact.observe(credential, 0);
    for (const credential of ['eve', 'mallory']) fact.observe(credential, 1);
    expect(fact.valueFor('cid')).toBeUndefined();
    fact.observe('dan', 0);
    expect(fact.valueFor('cid')).toBe(0);
  });

  test('one credential cannot change, flap or hide a fact for others, whatever it observes', () => {
    const sight = fc.oneof(
      fc.constantFrom(0 as const, 1 as const, 'doubt' as const),
      fc.integer({ min: 1, max: 2 * MAX_TRUST_MS }),
    );
    fc.assert(
      fc.property(fc.array(sight, { maxLength: 50 }), (sights) => {
        const { fact, clock } = createFact();
        for (const credential of ['ann', 'bob', 'cid']) fact.observe(credential, 0);
        for (const one of sights) {
          if (one === 'doubt') fact.invalidate('eve');
          else if (one <= 1) fact.observe('eve', one as 0 | 1);
          else clock.pass(one);
          for (const credential of ['ann', 'bob', 'cid']) fact.observe(credential, 0);
          for (const credential of ['ann', 'bob', 'cid', 'new'])
            expect(fact.valueFor(credential)).toBe(0);
        }
      }),
    );
  });

  test('a fact is trusted for ten seconds, and twice as long after each further observation, up to ten minutes', () => {
    const { fact, clock } = createFact();
    const trusted: number[] = [];
    for (let looks = 0; looks < 9; looks += 1) {
      const sighting = fact.observe('ann', 1)!;
      trusted.push(sighting.trustMs / 1000);
      clock.pass(sighting.trustMs - 1);
      expect(fact.isTrustedFor('ann')).toBe(true);
      expect(fact.observe('ann', 1)).toBeUndefined();
      clock.pass(1);
      expect([fact.isTrustedFor('ann'), fact.valueFor('ann')]).toEqual([false, 1]);
    }
    expect(trusted).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600]);
  });

  test('an unconfirmed observation of a fact is trusted when a second one agrees', () => {
    const { fact } = createFact();
    expect(fact.observe('ann', 0, { isConfirmed: false })).toEqual({ value: 0, trustMs: 0 });
    expect([fact.valueFor('ann'), fact.isTrustedFor('ann')]).toEqual([0, false]);
    expect(fact.observe('ann', 0, { isConfirmed: false })).toEqual({
      value: 0,
      trustMs: MIN_TRUST_MS,
    });
    expect(fact.isTrustedFor('ann')).toBe(true);
  });

  test('an invalidated fact is unknown to its credential, whatever others agree on, until the credential observes it again', () => {
    const { fact } = createFact();
    for (const credential of ['ann', 'bob', 'cid']) fact.observe(credential, 0);
    fact.invalidate('ann');
    expect([fact.valueFor('ann'), fact.isInvalidatedFor('ann'), fact.valueFor('new')]).toEqual([
      undefined,
      true,
      0,
    ]);
    fact.observe('ann', 0);
    expect([fact.valueFor('ann'), fact.isInvalidatedFor('ann')]).toEqual([0, false]);
  });

  test('one operation verifies a fact while the others go on, and the next one verifies it after a verification without a result', () => {
    const { fact, clock } = createFact();
    fact.observe('ann', 1);
    clock.pass(MIN_TRUST_MS);
    fact.beginVerification('ann');
    expect(fact.isTrustedFor('ann')).toBe(true);
    fact.endVerification('ann');
    expect([fact.isTrustedFor('ann'), fact.valueFor('ann')]).toEqual([false, 1]);
    fact.beginVerification('ann');
    fact.observe('ann', 1);
    fact.endVerification('ann');
    clock.pass(2 * MIN_TRUST_MS - 1);
    expect(fact.isTrustedFor('ann')).toBe(true);
  });

  test('an adopted fact is trusted as long as in its origin, unless the credential has observed it itself', () => {
    const { fact, clock } = createFact();
    fact.adopt('ann', { value: 1, trustMs: 60_000 }, 50_000);
    clock.pass(9_999);
    expect([fact.valueFor('ann'), fact.isTrustedFor('ann')]).toEqual([1, true]);
    clock.pass(1);
    expect(fact.isTrustedFor('ann')).toBe(false);
    fact.observe('ann', 0);
    fact.adopt('ann', { value: 1, trustMs: 60_000 }, 0);
    expect(fact.valueFor('ann')).toBe(0);
    fact.invalidate('ann');
    fact.adopt('ann', { value: 1, trustMs: 60_000 }, 0);
    expect(fact.valueFor('ann')).toBeUndefined();
    // The trust is limited, however long the origin claims it.
    fact.adopt('bob', { value: 1, trustMs: 100 * HOUR_MS }, 0);
    clock.pass(MAX_TRUST_MS);
    expect(fact.isTrustedFor('bob')).toBe(false);
  });

  test('a fact is forgotten an hour after its last observation', () => {
    const { fact, clock } = createFact();
    fact.observe('ann', 1);
    clock.pass(HOUR_MS - 1);
    expect(fact.valueFor('ann')).toBe(1);
    clock.pass(1);
    expect(fact.valueFor('ann')).toBeUndefined();
  });
});
