import { describe, expect, test } from 'vitest';
import type { Call } from '#generated/revox-api.ts';
import { isPartialCall, WholeCalls } from '#rest/whole-calls.ts';

const HOUR_MS = 3_600_000;
const call = (properties: object) => ({ call_attempts: [], ...properties }) as unknown as Call;

test('the properties that a credential has read do not count for another', () => {
  const wholeCalls = new WholeCalls(() => 0);
  wholeCalls.record('a', call({ id: '1' }));
  expect(wholeCalls.isWhole('a', call({ id: '2' }))).toBe(true);
  expect(wholeCalls.isWhole('b', call({ id: '2' }))).toBe(false);
});

test('the properties of an idle credential are dropped', () => {
  let now = 0;
  const wholeCalls = new WholeCalls(() => now);
  wholeCalls.record('a', call({ id: '1' }));
  now += HOUR_MS;
  expect(wholeCalls.isWhole('a', call({ id: '2' }))).toBe(false);
});

test('a property that one call lacks is not required', () => {
  const wholeCalls = new WholeCalls(() => 0);
  wholeCalls.record('a', call({ id: '1', status: 'completed' }));
  expect(wholeCalls.isWhole('a', call({ id: '2' }))).toBe(false);
  wholeCalls.record('a', call({ id: '1' }));
  expect(wholeCalls.isWhole('a', call({ id: '2' }))).toBe(true);
});

describe('Attempts of an embedded call', () => {
  const withAttempts = (...call_attempts: readonly object[]) => call({ id: '1', call_attempts });
  const DOCUMENTED = {
    id: 'x',
    answered_at: null,
    dial_error: null,
    ended_at: null,
    phone_number: '',
    recording_url: null,
    result: null,
    started_at: null,
    status: '',
  };

  test('each one needs the properties that all attempts of the credential have had', () => {
    const wholeCalls = new WholeCalls(() => 0);
    wholeCalls.record(
      'a',
      withAttempts({ id: 'x', result: null, note: '' }, { id: 'y', result: null }),
    );
    const isWhole = (...attempts: readonly object[]) =>
      wholeCalls.isWhole('a', withAttempts(...attempts));
    expect(isWhole({ id: 'z', result: null }, { id: 'w', result: null })).toBe(true);
    expect(isWhole({ id: 'z', result: null }, { id: 'w' })).toBe(false);
    wholeCalls.record('a', withAttempts({ id: 'x' }));
    expect(isWhole({ id: 'z' })).toBe(true);
    expect(isWhole({ result: null })).toBe(false);
  });

  test('until one is read, each needs the documented properties', () => {
    const wholeCalls = new WholeCalls(() => 0);
    wholeCalls.record('a', withAttempts());
    expect(wholeCalls.isWhole('a', withAttempts(DOCUMENTED))).toBe(true);
    for (const name of Object.keys(DOCUMENTED)) {
      const { [name]: _, ...part } = DOCUMENTED as Record<string, unknown>;
      expect(wholeCalls.isWhole('a', withAttempts(part))).toBe(false);
    }
  });

  test('one that lacks a property of another reading is a part, and a missing one is not', () => {
    const whole = withAttempts({ id: 'x', result: null }, { id: 'y', note: '' });
    expect(
      isPartialCall(withAttempts({ id: 'x', result: null }, { id: 'y', note: '' }), whole),
    ).toBe(false);
    expect(isPartialCall(withAttempts({ id: 'y', note: '' }), whole)).toBe(false);
    expect(isPartialCall(withAttempts({ id: 'x', result: null }, { id: 'y' }), whole)).toBe(true);
    expect(isPartialCall({ call_attempts: [] }, whole)).toBe(true);
    expect(isPartialCall(null, whole)).toBe(true);
  });
});

test('until a call is read, an embedded one needs the documented properties', () => {
  const documented = {
    id: '1',
    assistant: null,
    call_attempts: [],
    call_retry_config: null,
    calls_count: 0,
    campaign: null,
    created_at: '',
    direction: '',
    first_sentence_delay_ms: null,
    from_phone_number: null,
    is_cancelled: false,
    is_completed: false,
    last_call_attempt: null,
    llm_model: null,
    metadata: null,
    organization_id: '',
    scheduled_at: null,
    status: '',
    to_phone_number: '',
  };
  const wholeCalls = new WholeCalls(() => 0);
  expect(wholeCalls.isWhole('a', documented as unknown as Call)).toBe(true);
  for (const name of Object.keys(documented)) {
    const { [name]: _, ...part } = documented as Record<string, unknown>;
    expect(wholeCalls.isWhole('a', part as unknown as Call)).toBe(false);
  }
});
