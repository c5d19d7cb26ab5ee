import { describe, expect, test } from 'vitest';
import { compareResponse, createShapeReport } from '#doctor/contract/compare-shape.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { diagnose, STARTED_AT } from './doctor-scene.ts';

describe('Doctor and other versions of the API', () => {
  test.each([
    [
      'oldest',
      {
        drift:
          'finding: 18 fields drift from the contract: Assistant.calendly missing, Assistant.endOfCallSentence missing, Assistant.firstSentenceDelayMs missing, Assistant.ivrNavigationEnabled missing, Assistant.llmModel missing and 13 more (--json).',
        'unknown-keys':
          'note: The contract lacks 4 keys of the responses, which the gateway ignores: Call.next_call_at, CallRetryConfig.calling_window_end_time, CallRetryConfig.calling_window_start_time, CallRetryConfig.retry_delay_seconds.',
        'unknown-values': 'ok: The schema has every enum value of the responses.',
      },
      2,
    ],
    [
      '0.0.2',
      {
        drift:
          'finding: 6 fields drift from the contract: Call.assistant missing, Call.campaign missing, Call.organizationId missing, Call.status derived, Call.status missing and 1 more (--json).',
        'unknown-keys':
          'note: The contract lacks 1 key of the responses, which the gateway ignores: Call.next_call_at.',
      },
      2,
    ],
    [
      'later',
      {
        drift: 'ok: No field of the responses drifts from the contract.',
        'unknown-keys':
          'note: The contract lacks 10 keys of the responses, which the gateway ignores: Assistant.after_call_sms_prompt, Assistant.background_sound_volume, Assistant.custom_tools, Assistant.from_phone_number, Assistant.sms_enabled and 5 more (--json).',
      },
      0,
    ],
    [
      '0.5.0',
      {
        drift:
          'finding: 5 fields drift from the contract: Assistant.transferPhoneNumber missing, CampaignRowPage.page missing, CampaignRowPage.pageSize missing, CampaignRowPage.total missing, LlmModel.type unrecognized.',
        'unknown-values':
          'finding: The schema lacks 1 value of the responses, which clients get as UNRECOGNIZED: LlmModel.type=realtime.',
      },
      2,
    ],
  ] as const)(
    'version %s is reported by type, field and kind',
    async (version, verdicts, exitCode) => {
      const diagnosis = await diagnose({ sandbox: { version } });

      for (const [check, expected] of Object.entries(verdicts))
        expect(diagnosis.verdictOf(check)).toBe(expected);
      expect(diagnosis.exitCode).toBe(exitCode);
      expect(diagnosis.requests).toBe(16);
    },
  );

  test('an endpoint that is missing is a finding of its own', async () => {
    const diagnosis = await diagnose({
      prepare: ({ control }) => control.fail('/campaigns', { status: 404 }),
    });

    const contract = diagnosis.findings.filter(({ check }) => check === 'contract');
    expect(contract.map(({ verdict, message }) => `${verdict}: ${message}`)).toEqual([
      'unknown: GET /call/{id} was not read: no id for it was found.',
      'ok: GET /call matches the contract.',
      'ok: GET /assistants matches the contract.',
      'ok: GET /assistants/{id} matches the contract.',
      'finding: GET /campaigns cannot be read: the API responds with status 404.',
      'unknown: GET /campaigns/{id} was not read: no id for it was found.',
      'unknown: GET /campaigns/{id}/rows was not read: no id for it was found.',
    ]);
    expect(diagnosis.exitCode).toBe(2);
  });

  test('a wrapped assistant matches the contract', async () => {
    const diagnosis = await diagnose({ sandbox: { wrapsAssistant: true } });

    expect(diagnosis.verdictOf('drift')).toMatch(/^ok/);
    expect(diagnosis.verdictOf('embedded-assistant')).toMatch(/^ok/);
    expect(diagnosis.exitCode).toBe(0);
  });
});

describe('Comparison of a response with the contract', () => {
  async function driftOf(change: (call: Record<string, unknown>) => void) {
    const sandbox = createSandbox({ startedAt: STARTED_AT, now: () => STARTED_AT });
    const [original] = sandbox.control.data('sk_demo_a').calls;
    const call = structuredClone(original) as unknown as Record<string, unknown>;
    change(call);
    const report = createShapeReport();
    compareResponse('/call/{id}', { call }, report);
    return { ...report, drift: [...report.drift.keys()] };
  }

  test.each<[string, (call: Record<string, unknown>) => void, string[]]>([
    [
      'a number as a string',
      (call) => Object.assign(call, { calls_count: '3' }),
      ['Call.callsCount coerced'],
    ],
    [
      'a boolean as a string',
      (call) => Object.assign(call, { is_completed: 'true' }),
      ['Call.isCompleted coerced'],
    ],
    [
      'a number in the place of a string',
      (call) => Object.assign(call, { from_phone_number: 33 }),
      ['Call.fromPhoneNumber coerced'],
    ],
    [
      'an object in the place of a string',
      (call) => Object.assign(call, { from_phone_number: {} }),
      ['Call.fromPhoneNumber unreadable'],
    ],
    [
      'an array in the place of an object',
      (call) => Object.assign(call, { metadata: [] }),
      ['Call.metadata unreadable'],
    ],
    [
      'a null that is not documented',
      (call) => Object.assign(call, { direction: null }),
      ['Call.direction null'],
    ],
    ['a missing key', (call) => delete call.direction, ['Call.direction missing']],
    [
      'a missing key that others determine',
      (call) => Object.assign(call, { status: undefined, is_completed: true }),
      ['Call.status derived'],
    ],
    [
      'an item that is no object',
      (call) => Object.assign(call, { call_attempts: [null] }),
      ['Call.callAttempts dropped'],
    ],
    [
      'an unknown enum value',
      (call) => Object.assign(call, { direction: 'sideways' }),
      ['Call.direction unrecognized'],
    ],
    ['a timestamp of any type', (call) => Object.assign(call, { created_at: {} }), []],
  ])('%s has its kind', async (_, change, expected) => {
    expect((await driftOf(change)).drift).toEqual(expected);
  });

  test('names and values that may be data are not printed', async () => {
    const report = await driftOf((call) =>
      Object.assign(call, { 'Jane Doe <jane@example.com>': 1, direction: 'Jane Doe' }),
    );

    expect([...report.unknownKeys]).toEqual(['Call.(not printable)']);
    expect([...report.unknownValues]).toEqual(['Call.direction=(not printable)']);
  });

  test('keys of free-form objects are data, and not compared', async () => {
    const report = await driftOf((call) => Object.assign(call, { metadata: { jane: 'doe' } }));

    expect([...report.unknownKeys]).toEqual([]);
  });

  test('a response that is no object is unreadable', () => {
    const report = createShapeReport();
    compareResponse('/assistants', [], report);

    expect([...report.drift.keys()]).toEqual(['AssistantList unreadable']);
  });
});
