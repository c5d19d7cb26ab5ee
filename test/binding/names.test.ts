import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { enumResolvers } from '#binding/enums.ts';
import { keyOf, toEnumName, toFieldName, toKey } from '#binding/names.ts';
import { wireEnums } from '#generated/revox-api.ts';

describe('Naming rule', () => {
  test.each([
    ['to_phone_number', 'toPhoneNumber'],
    ['last_call_attempt', 'lastCallAttempt'],
    ['llm_model', 'llmModel'],
    ['id', 'id'],
    ['first_sentence_delay_ms', 'firstSentenceDelayMs'],
  ])('the key %s and the field %s map to each other', (key, field) => {
    expect(toFieldName(key)).toBe(field);
    expect(toKey(field)).toBe(key);
  });

  test('the naming rule is reversible for every key of lower-case words', () => {
    const keys = fc
      .array(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), { minLength: 1, maxLength: 5 })
      .map((words) => words.join('_'));
    fc.assert(
      fc.property(keys, (key) => {
        expect(toKey(toFieldName(key))).toBe(key);
      }),
    );
  });

  test('Voice.voiceId is the only field with a different key', () => {
    expect(keyOf('Voice', 'voiceId')).toBe('id');
    expect(keyOf('Voice', 'provider')).toBe('provider');
    expect(keyOf('Assistant', 'voiceId')).toBe('voice_id');
  });

  test.each([
    ['ios-screening-filter', 'IOS_SCREENING_FILTER'],
    ['IVR', 'IVR'],
    ['queued_for_calling', 'QUEUED_FOR_CALLING'],
    ['gpt-4.1 / mini', 'GPT_4_1_MINI'],
  ])('the upstream enum value %s is %s', (value, name) => {
    expect(toEnumName(value)).toBe(name);
  });
});

describe('Enums', () => {
  test('every enum value has a unique name other than UNRECOGNIZED', () => {
    for (const [name, values] of Object.entries(wireEnums)) {
      const names = values.map(toEnumName);
      expect(new Set(names).size, name).toBe(values.length);
      expect(names, name).not.toContain('UNRECOGNIZED');
    }
  });

  test('every enum value maps to its upstream spelling, and output enums also have UNRECOGNIZED', () => {
    expect(enumResolvers.CallAttemptResult).toEqual({
      IVR: 'IVR',
      VOICEMAIL: 'voicemail',
      HUMAN: 'human',
      UNKNOWN: 'unknown',
      IOS_SCREENING_FILTER: 'ios-screening-filter',
      UNRECOGNIZED: 'UNRECOGNIZED',
    });
    expect(enumResolvers.CampaignRowResult).not.toHaveProperty('UNRECOGNIZED');
    expect(Object.keys(enumResolvers)).toEqual(Object.keys(wireEnums));
  });
});
