import { describe, expect, test } from 'vitest';
import { createDriftLog } from '#context/drift-log.ts';
import { createTestGateway, KEY_A, NO_CACHE } from '../support/test-gateway.ts';

const gateway = createTestGateway({ settings: NO_CACHE });
const { calls, campaigns } = gateway.sandbox.control.data(KEY_A);
const call = calls.find(
  ({ assistant, campaign, last_call_attempt }) =>
    assistant && campaign && last_call_attempt?.transcript?.length,
)!;
const campaign = campaigns[0]!;

/**
 * Requests the call with a trace after `change` has modified it; returns the call and the reported
 * drift.
 */
// biome-ignore lint/suspicious/noExplicitAny: the JSON is whatever a test makes of it
async function executeWithChange(selection: string, change: (call: any) => void) {
  gateway.sandbox.control.heal();
  gateway.traffic();
  gateway.sandbox.control.transform('/call/', (body) => {
    change(body.call);
    return body;
  });
  const result = await gateway.execute(
    `query ($id: ID!) { call(id: $id) { ${selection} } }`,
    { id: call.id },
    { 'x-revox-trace': '1' },
  );
  expect(result.errors).toBeUndefined();
  expect(gateway.traffic()).toEqual([`GET /call/${call.id}`]);
  expect(gateway.unexpectedErrors).toEqual([]);
  return {
    call: result.data.call,
    ...toDrift(result.extensions),
    unrecognized: result.extensions.unrecognized,
  };
}

/** Formats drift entries as `kind Type.field count`. */
function toDrift({
  upstream,
}: {
  upstream: { drift?: { kind: string; type: string; field: string; count: number }[] };
}) {
  return {
    drift: upstream.drift?.map(
      ({ kind, type, field, count }) => `${kind} ${type}.${field} ${count}`,
    ),
  };
}

describe('Drift in the upstream trace', () => {
  test('missing required keys and forbidden nulls are reported as drift', async () => {
    const selection =
      'direction fromPhoneNumber organizationId assistant { name prompt } campaign { id }';
    const { call, drift } = await executeWithChange(selection, (call) => {
      delete call.direction;
      delete call.organization_id;
      call.from_phone_number = null;
      delete call.assistant.name;
      delete call.campaign;
    });
    expect(call).toMatchObject({
      direction: null,
      fromPhoneNumber: null,
      organizationId: null,
      assistant: { name: null },
      campaign: null,
    });
    expect(drift).toEqual([
      'missing Call.direction 1',
      'null Call.fromPhoneNumber 1',
      'missing Call.organizationId 1',
      'missing Assistant.name 1',
      'missing Call.campaign 1',
    ]);
  });

  test('unreadable values and coerced values of another type are reported as drift', async () => {
    const selection =
      'callsCount firstSentenceDelayMs toPhoneNumber direction createdAt assistant { id ivrNavigationEnabled voice { speed } maxCallDurationSecs } campaign { id }';
    const { call, drift } = await executeWithChange(selection, (call) => {
      call.calls_count = '3';
      call.first_sentence_delay_ms = 1.5;
      call.to_phone_number = 33123456789;
      call.direction = 1;
      call.created_at = 'the day before yesterday';
      call.campaign = 'Spring';
      Object.assign(call.assistant, {
        id: 17,
        ivr_navigation_enabled: 'true',
        voice: { id: 'v', provider: 'cartesia', speed: '1.25' },
      });
      call.assistant.max_call_duration_secs = {};
    });
    expect(call).toEqual({
      callsCount: 3,
      firstSentenceDelayMs: null,
      toPhoneNumber: '33123456789',
      direction: null,
      createdAt: null,
      assistant: {
        id: '17',
        ivrNavigationEnabled: true,
        voice: { speed: 1.25 },
        maxCallDurationSecs: null,
      },
      campaign: null,
    });
    expect(drift?.sort()).toEqual([
      'coerced Assistant.id 1',
      'coerced Assistant.ivrNavigationEnabled 1',
      'coerced Call.callsCount 1',
      'coerced Call.toPhoneNumber 1',
      'coerced Voice.speed 1',
      'unreadable Assistant.maxCallDurationSecs 1',
      'unreadable Call.campaign 1',
      'unreadable Call.createdAt 1',
      'unreadable Call.direction 1',
      'unreadable Call.firstSentenceDelayMs 1',
    ]);
  });

  test('unrecognized enum values and language models are reported as drift, once per occurrence', async () => {
    const { call, drift, unrecognized } = await executeWithChange(
      'status lastCallAttempt { transcript { role } } llmModel { __typename }',
      (call) => {
        call.status = 'paused';
        call.last_call_attempt.transcript = [
          { role: 'moderator' },
          { role: 'user' },
          { role: 'judge' },
        ];
        call.llm_model = {
          type: 'realtime',
          provider: 'openai',
          realtime_model_id: 'm',
          realtime_voice_id: 'v',
        };
      },
    );
    expect(call).toEqual({
      status: 'UNRECOGNIZED',
      lastCallAttempt: {
        transcript: [{ role: 'UNRECOGNIZED' }, { role: 'USER' }, { role: 'UNRECOGNIZED' }],
      },
      llmModel: { __typename: 'UnrecognizedLlmModel' },
    });
    expect(drift).toEqual([
      'unrecognized Call.status 1',
      'unrecognized TranscriptMessage.role 2',
      'unrecognized Call.llmModel 1',
    ]);
    const roleAt = (index: number) => [['call', 'lastCallAttempt', 'transcript', index, 'role']];
    expect(unrecognized).toEqual([
      { type: 'Call', field: 'status', value: 'paused', paths: [['call', 'status']] },
      { type: 'TranscriptMessage', field: 'role', value: 'moderator', paths: roleAt(0) },
      { type: 'TranscriptMessage', field: 'role', value: 'judge', paths: roleAt(2) },
    ]);
  });

  test('unreadable items of embedded lists are reported as dropped', async () => {
    const { call, drift } = await executeWithChange(
      'callAttempts { id } assistant { structuredOutputConfig { enumOptions } }',
      (call) => {
        call.call_attempts = [null, 'attempt', { id: '' }, { id: 'a' }, [{ id: 'b' }]];
        call.assistant.structured_output_config = [
          7,
          { name: 'x', type: 'enum', required: true, enum_options: ['a', null, 3] },
        ];
      },
    );
    expect(call).toEqual({
      callAttempts: [{ id: 'a' }],
      assistant: { structuredOutputConfig: [{ enumOptions: ['a', '3'] }] },
    });
    expect(drift).toEqual([
      'dropped Call.callAttempts 4',
      'dropped Assistant.structuredOutputConfig 1',
      'dropped StructuredOutputField.enumOptions 1',
      'coerced StructuredOutputField.enumOptions 1',
    ]);
  });

  test('unreadable items and missing totals of list pages are reported as drift', async () => {
    gateway.sandbox.control.heal();
    gateway.sandbox.control.transform('/call?', ({ calls }) => ({
      calls: [null, ...calls.slice(1)],
    }));
    gateway.sandbox.control.transform('/assistants', ({ assistants }) => ({
      assistants: [...assistants, { name: 'absent' }, 'x'],
    }));
    gateway.sandbox.control.transform(/^\/campaigns\/.*\/rows/, ({ rows }) => ({
      rows: [...rows.slice(0, -1), 7],
    }));
    const { errors, extensions } = await gateway.execute(
      `query ($id: ID!) { callAttempts(first: 1) { nodes { id } } assistants { totalCount } campaign(id: $id) { rows(first: 1) { nodes { id } } } }`,
      { id: campaign.id },
      { 'x-revox-trace': '1' },
    );
    expect(errors).toBeUndefined();
    expect(toDrift(extensions).drift?.sort()).toEqual([
      'dropped AssistantConnection.nodes 2',
      'dropped CallAttemptConnection.nodes 1',
      'dropped CampaignRowConnection.nodes 1',
      'missing CampaignRowConnection.totalCount 1',
    ]);
  });

  test('drift is reported only for selected fields and only with a trace', async () => {
    const { drift } = await executeWithChange('id', (call) => {
      delete call.direction;
      call.calls_count = 'many';
    });
    expect(drift).toBeUndefined();
    const result = await gateway.execute(
      'query ($id: ID!) { call(id: $id) { direction callsCount } }',
      { id: call.id },
    );
    expect(result).toEqual({ data: { call: { direction: null, callsCount: null } } });
  });

  test('drift that occurs several times is listed once with its count', async () => {
    const { drift } = await executeWithChange('a: direction b: direction', (call) => {
      delete call.direction;
    });
    expect(drift).toEqual(['missing Call.direction 2']);
  });
});

describe('Documented values', () => {
  test.each([
    [
      'additional keys',
      'status assistant { name }',
      { next_call_at: null, outcome: 'won', assistant: { id: 'a', name: 'A', slack: {} } },
    ],
    [
      'nulls in nullable keys',
      'assistant { id } campaign { id } metadata callRetryConfig { timezone } lastCallAttempt { id }',
      {
        assistant: null,
        campaign: null,
        metadata: null,
        call_retry_config: null,
        last_call_attempt: null,
      },
    ],
    [
      'timestamps that are empty objects or numbers',
      'createdAt scheduledAt',
      { created_at: {}, scheduled_at: 1_700_000_000 },
    ],
    [
      'timestamps that are text or null',
      'createdAt scheduledAt',
      { created_at: '2024-06-01 12:00', scheduled_at: null },
    ],
    [
      'missing optional keys',
      'assistant { faqItems { id } pendingFaqCount voice { speed } }',
      {
        assistant: { id: 'a', voice: { id: 'v', provider: 'cartesia' } },
      },
    ],
    [
      'free-form payloads',
      'lastCallAttempt { structuredOutput transcript { toolArguments } }',
      {
        last_call_attempt: {
          id: 'a',
          structured_output: [1],
          transcript: [{ tool_arguments: 'now' }, {}],
        },
      },
    ],
    [
      'an empty list of calling windows',
      'callRetryConfig { callingWindows { retryDelaySeconds } }',
      { call_retry_config: { calling_windows: [] } },
    ],
  ])('a response with %s has no drift', async (_what, selection, changes) => {
    const { drift } = await executeWithChange(selection, (call) => Object.assign(call, changes));
    expect(drift).toBeUndefined();
  });
});

describe('Values derived from other API versions', () => {
  const WINDOWS =
    'callingWindows { callingWindowStartTime callingWindowEndTime retryDelaySeconds } maxRetryAttempts timezone';
  const FLAT = {
    calling_window_start_time: '09:00',
    calling_window_end_time: '6pm',
    retry_delay_seconds: '600',
    max_retry_attempts: 3,
    timezone: 'Europe/Paris',
  };
  const ONE_WINDOW = {
    callingWindows: [
      { callingWindowStartTime: '09:00', callingWindowEndTime: '6pm', retryDelaySeconds: 600 },
    ],
    maxRetryAttempts: 3,
    timezone: 'Europe/Paris',
  };

  test('a flat retry configuration becomes one calling window for calls and assistants', async () => {
    const { call, drift } = await executeWithChange(
      `callRetryConfig { ${WINDOWS} } assistant { callRetryConfig { ${WINDOWS} } }`,
      (call) => {
        call.call_retry_config = FLAT;
        call.assistant.call_retry_config = FLAT;
      },
    );
    expect(call).toEqual({
      callRetryConfig: ONE_WINDOW,
      assistant: { callRetryConfig: ONE_WINDOW },
    });
    expect(drift).toEqual([
      'derived CallRetryConfig.callingWindows 2',
      'coerced CallingWindow.retryDelaySeconds 2',
    ]);
  });

  test('a field that is missing in a flat retry configuration is null in its calling window', async () => {
    const { call, drift } = await executeWithChange(`callRetryConfig { ${WINDOWS} }`, (call) => {
      call.call_retry_config = {
        retry_delay_seconds: 60,
        max_retry_attempts: 1,
        calling_windows: null,
      };
    });
    expect(call.callRetryConfig.callingWindows).toEqual([
      { callingWindowStartTime: null, callingWindowEndTime: null, retryDelaySeconds: 60 },
    ]);
    expect(drift).toEqual([
      'derived CallRetryConfig.callingWindows 1',
      'missing CallingWindow.callingWindowStartTime 1',
      'missing CallingWindow.callingWindowEndTime 1',
    ]);
  });

  test.each([
    ['calling_window_start_time', '09:00', { callingWindowStartTime: '09:00' }],
    ['calling_window_end_time', '18:00', { callingWindowEndTime: '18:00' }],
    ['retry_delay_seconds', 0, { retryDelaySeconds: 0 }],
    ['retry_delay_seconds', null, undefined],
    ['calling_window', '09:00', undefined],
    ['timezone', 'Europe/Paris', undefined],
  ])('a retry configuration with %s %s alone has the window %j', async (key, value, window) => {
    const { call, drift } = await executeWithChange(`callRetryConfig { ${WINDOWS} }`, (call) => {
      call.call_retry_config = { max_retry_attempts: 1, [key]: value };
    });
    const none = {
      callingWindowStartTime: null,
      callingWindowEndTime: null,
      retryDelaySeconds: null,
    };
    expect(call.callRetryConfig.callingWindows).toEqual(window ? [{ ...none, ...window }] : []);
    expect(drift?.[0]).toBe(`${window ? 'derived' : 'missing'} CallRetryConfig.callingWindows 1`);
  });

  test('existing calling windows take precedence over a flat retry configuration', async () => {
    const { call, drift } = await executeWithChange(`callRetryConfig { ${WINDOWS} }`, (call) => {
      call.call_retry_config = { ...FLAT, calling_windows: [] };
    });
    expect(call.callRetryConfig.callingWindows).toEqual([]);
    expect(drift).toBeUndefined();
  });

  test.each([
    { is_cancelled: true, is_completed: false, status: 'CANCELLED' },
    { is_cancelled: false, is_completed: true, status: 'COMPLETED' },
    // Cancellation takes precedence: a cancelled call is also completed.
    { is_cancelled: true, is_completed: true, status: 'CANCELLED' },
    { is_cancelled: 'true', status: 'CANCELLED' },
    { is_completed: true, status: 'COMPLETED' },
    // The status may be any of the other five: the gateway does not guess.
    { is_cancelled: false, is_completed: false, status: null },
    { is_cancelled: null, is_completed: 1, status: null },
    { status: null },
  ])(
    'a missing or null status is derived from the two flags: $status of $is_cancelled, $is_completed',
    async ({ status, ...flags }) => {
      for (const absent of [undefined, null]) {
        const { call, drift } = await executeWithChange('status', (call) => {
          delete call.is_cancelled;
          delete call.is_completed;
          Object.assign(call, flags, { status: absent });
        });
        expect(call).toEqual({ status });
        expect(drift).toEqual([
          `${status ? 'derived' : absent === null ? 'null' : 'missing'} Call.status 1`,
        ]);
      }
    },
  );

  test.each([
    { status: 'cancelled', isCancelled: true, isCompleted: false },
    { status: 'completed', isCancelled: false, isCompleted: true },
    { status: 'initializing', isCancelled: false, isCompleted: false },
    { status: 'queued_for_calling', isCancelled: false, isCompleted: false },
    { status: 'calling', isCancelled: false, isCompleted: false },
    { status: 'scheduled', isCancelled: false, isCompleted: false },
    { status: 'errored', isCancelled: false, isCompleted: false },
    { status: 'Completed', isCancelled: null, isCompleted: null },
    { status: 'UNRECOGNIZED', isCancelled: null, isCompleted: null },
    { status: 'paused', isCancelled: null, isCompleted: null },
    { status: 7, isCancelled: null, isCompleted: null },
  ])(
    'the two flags are derived from a known status and are null for any other: $status',
    async ({ status, ...flags }) => {
      const { call, drift } = await executeWithChange('isCancelled isCompleted', (call) => {
        call.status = status;
        delete call.is_cancelled;
        delete call.is_completed;
      });
      expect(call).toEqual(flags);
      const kind = flags.isCancelled === null ? 'missing' : 'derived';
      expect(drift).toEqual([`${kind} Call.isCancelled 1`, `${kind} Call.isCompleted 1`]);
    },
  );

  test('a status and flags that are present are not changed even if they contradict each other', async () => {
    const { call, drift } = await executeWithChange('status isCancelled isCompleted', (call) => {
      Object.assign(call, { status: 'calling', is_cancelled: true, is_completed: true });
    });
    expect(call).toEqual({ status: 'CALLING', isCancelled: true, isCompleted: true });
    expect(drift).toBeUndefined();
  });

  test('a missing last attempt is derived from the first item of the attempts, which are sorted newest first', async () => {
    const lastOf = (call_attempts: unknown) =>
      executeWithChange('lastCallAttempt { id }', (call) => {
        delete call.last_call_attempt;
        call.call_attempts = call_attempts;
      });
    expect(await lastOf([null, { id: '' }, { id: 'new' }, { id: 'old' }])).toMatchObject({
      call: { lastCallAttempt: { id: 'new' } },
      drift: ['derived Call.lastCallAttempt 1'],
    });
    expect(await lastOf([])).toMatchObject({
      call: { lastCallAttempt: null },
      drift: ['derived Call.lastCallAttempt 1'],
    });
    expect(await lastOf('none')).toMatchObject({
      call: { lastCallAttempt: null },
      drift: ['missing Call.lastCallAttempt 1'],
    });
  });

  test('missing attempts are not derived from the last attempt because one attempt may not be all of them', async () => {
    const { call, drift } = await executeWithChange(
      'callAttempts { id } lastCallAttempt { id }',
      (call) => {
        delete call.call_attempts;
      },
    );
    expect(call).toEqual({ callAttempts: [], lastCallAttempt: { id: expect.any(String) } });
    expect(drift).toEqual(['missing Call.callAttempts 1']);
  });

  test('a transcript that is a single string, as in webhooks, is null and reported as unreadable', async () => {
    const { call, drift } = await executeWithChange(
      'lastCallAttempt { id transcript { content } }',
      (call) => {
        call.last_call_attempt.transcript = 'Hello. Hello?';
      },
    );
    expect(call.lastCallAttempt).toEqual({ id: expect.any(String), transcript: null });
    expect(drift).toEqual(['unreadable CallAttempt.transcript 1']);
  });
});

describe('Drift log', () => {
  test('the drift log counts by kind, type and field in the order of first occurrence', () => {
    const log = createDriftLog();
    const path = { prev: undefined, key: 'status' };
    log.report('missing', 'Call', 'status');
    log.reportUnrecognized('Call', 'status', 'paused', path);
    log.report('missing', 'Call', 'status');
    log.reportUnrecognized('Call', 'status', 'on-hold', path);
    expect(log.drift).toEqual([
      { type: 'Call', field: 'status', kind: 'missing', count: 2 },
      { type: 'Call', field: 'status', kind: 'unrecognized', count: 2 },
    ]);
  });
});
