import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callKind } from '#live/call-kind.ts';
import { isBehind } from '#live/object-kind.ts';
import { toCallProgress } from '#live/progress.ts';

const STATUSES = ['queued', 'ringing', 'ongoing', 'completed', 'error'];
const call = (...attempts: string[]) => ({ call_attempts: attempts.map((status) => ({ status })) });
const state = (...attempts: string[]) => callKind.toState(call(...attempts));

describe('Progress of a call', () => {
  test.each([
    ['an earlier status of the same attempt', ['ringing'], ['ongoing'], true],
    ['a later status of the same attempt', ['completed'], ['ongoing'], false],
    ['two ends of the same attempt', ['completed'], ['error'], false],
    ['fewer attempts', ['completed'], ['queued', 'completed'], true],
    ['more attempts', ['queued', 'completed'], ['completed'], false],
    ['an unknown status', ['parked'], ['ongoing'], false],
    ['the same state', ['ongoing'], ['ongoing'], false],
  ])('a reading with %s is behind: %s, %s → %s', (_, one, other, expected) => {
    expect(isBehind(state(...one), state(...other))).toBe(expected);
  });

  test('of two states of one call, in any order of arrival, at most one is behind the other', () => {
    const states = fc.array(fc.constantFrom(...STATUSES, 'parked'), { maxLength: 4 });
    fc.assert(
      fc.property(states, states, (one, other) => {
        const [first, second] = [state(...one), state(...other)];
        expect(isBehind(first, second) && isBehind(second, first)).toBe(false);
      }),
    );
  });

  test('readings of two instances that interleave in any way never go back', () => {
    const history = STATUSES.slice(0, 4);
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 1 }), (arrivals) => {
        let shown = 0;
        for (const arrival of arrivals) {
          if (!isBehind(state(history[arrival]!), state(history[shown]!))) shown = arrival;
        }
        expect(shown).toBe(Math.max(0, ...arrivals));
      }),
    );
  });

  test('the progress of a malformed call is unknown, and never an error', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (one, attempts) => {
        toCallProgress(one);
        toCallProgress({ call_attempts: attempts, last_call_attempt: one, scheduled_at: one });
      }),
    );
  });

  test('a version without a list of attempts is read by its last attempt', () => {
    const ended_at = '2026-06-01T12:00:00Z';
    expect(toCallProgress({ last_call_attempt: { status: 'completed', ended_at } })).toEqual({
      status: undefined,
      attempts: 1,
      newestAttempt: 'completed',
      scheduledAt: undefined,
      endedAt: Date.parse(ended_at),
    });
  });
});
