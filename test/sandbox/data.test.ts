import { describe, expect, it } from 'vitest';
import type { Call, CallAttempt } from '#sandbox/api/wire.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { idsOf, STARTED_AT } from './sandbox-requests.ts';

const sandbox = createSandbox({ startedAt: STARTED_AT });
const a = sandbox.control.data('sk_demo_a');
const b = sandbox.control.data('sk_demo_b');
const organizations = [a, b];
const calls = organizations.flatMap((data) => data.calls);
const attempts = organizations.flatMap((data) => data.attempts);

const CALL_KEYS =
  'assistant call_attempts call_retry_config calls_count campaign created_at direction first_sentence_delay_ms from_phone_number id is_cancelled is_completed last_call_attempt llm_model metadata organization_id scheduled_at status to_phone_number';
const ATTEMPT_KEYS =
  'answered_at dial_error ended_at id phone_number recording_url result started_at status';

describe('Seed of the sandbox data', () => {
  it('the same seed generates the same data', () => {
    const again = createSandbox({ startedAt: STARTED_AT });
    for (const key of ['sk_demo_a', 'sk_demo_b']) {
      const [one, other] = [again, sandbox].map((data) => JSON.stringify(data.control.data(key)));
      expect(one === other).toBe(true);
    }
    expect(again.organizations).toEqual(sandbox.organizations);
  });

  it('the same seed generates the same ids and words at any start time', () => {
    const later = createSandbox({ startedAt: STARTED_AT + 1_234_567_890 }).control.data(
      'sk_demo_a',
    );
    expect(idsOf(later.calls)).toEqual(idsOf(a.calls));
    expect(new Set(idsOf(later.attempts))).toEqual(new Set(idsOf(a.attempts)));
    expect(later.calls.map((call) => [call.status, call.to_phone_number, call.metadata])).toEqual(
      a.calls.map((call) => [call.status, call.to_phone_number, call.metadata]),
    );
    expect(Object.keys(later.rows)).toEqual(Object.keys(a.rows));
  });

  it('another seed generates other data of the same size', () => {
    const other = createSandbox({ startedAt: STARTED_AT, seed: 7 }).control.data('sk_demo_a');
    const mine = new Set(idsOf(a.calls));
    expect(other.calls.filter(({ id }) => mine.has(id))).toEqual([]);
    expect([other.calls.length, other.attempts.length]).toEqual([
      a.calls.length,
      a.attempts.length,
    ]);
  });
});

describe('Size of the sandbox data', () => {
  it('the sandbox data has the counts of call-plan.ts', () => {
    const counts = organizations.map((data) => ({
      calls: data.calls.length,
      attempts: data.attempts.length,
      assistants: data.assistants.length,
      campaigns: data.campaigns.length,
      rows: data.campaigns.map(({ id }) => data.rows[id]!.length),
    }));
    expect(counts).toEqual([
      {
        calls: 720,
        attempts: 2070,
        assistants: 12,
        campaigns: 8,
        rows: [500, 96, 64, 220, 150, 240, 130, 40],
      },
      { calls: 150, attempts: 500, assistants: 4, campaigns: 3, rows: [80, 60, 45] },
    ]);
    expect(sandbox.organizations.map(({ apiKey }) => apiKey)).toEqual(['sk_demo_a', 'sk_demo_b']);
  });

  it('the sandbox data uses each id once', () => {
    const ids = organizations.flatMap((data) =>
      [
        data.calls,
        data.attempts,
        data.assistants,
        data.campaigns,
        ...Object.values(data.rows),
      ].flatMap((items) => idsOf(items as { id: string }[])),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(
      ids.filter(
        (id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id),
      ),
    ).toEqual([]);
  });
});

describe('Values in the data of organization A', () => {
  const transcript = a.attempts.flatMap((attempt) => attempt.transcript ?? []);
  const retries = a.assistants.flatMap((assistant) => assistant.call_retry_config ?? []);
  it.each<[string, readonly unknown[], string]>([
    [
      'call status',
      a.calls.map((call) => call.status),
      'initializing queued_for_calling calling scheduled completed cancelled errored',
    ],
    ['direction', a.calls.map((call) => call.direction), 'inbound outbound'],
    [
      'attempt status',
      a.attempts.map((attempt) => attempt.status),
      'queued ringing ongoing completed error',
    ],
    [
      'result',
      a.attempts.map((attempt) => attempt.result),
      'IVR voicemail human unknown ios-screening-filter null',
    ],
    [
      'dial error',
      a.attempts.map((attempt) => attempt.dial_error),
      'number_non_attributed too_many_calls busy temporarily_unavailable no_answer no_international_permission precondition_failed non_classified_error null',
    ],
    ['ended by', a.attempts.map((attempt) => attempt.ended_by), 'agent user system null undefined'],
    ['role', transcript.map((message) => message.role), 'user assistant tool'],
    ['tool error', transcript.map((message) => message.tool_is_error), 'true false undefined'],
    [
      'first sentence mode',
      a.assistants.map((assistant) => assistant.first_sentence_mode),
      'generated static none',
    ],
    [
      'voice provider',
      a.assistants.map((assistant) => assistant.voice?.provider),
      'cartesia elevenlabs undefined',
    ],
    [
      'model kind',
      a.assistants.map((assistant) => assistant.llm_model.type),
      'dedicated-instance openrouter',
    ],
    [
      'dedicated model',
      a.assistants.flatMap((assistant) =>
        'name' in assistant.llm_model ? [assistant.llm_model.name] : [],
      ),
      'gpt-4.1 ministral-3-8b-instruct',
    ],
    [
      'background sound',
      a.assistants.map((assistant) => assistant.background_sound),
      'audio/office.ogg null',
    ],
    [
      'FAQ source',
      a.assistants.flatMap((assistant) => (assistant.faq_items ?? []).map((item) => item.source)),
      'human ai',
    ],
    [
      'output type',
      a.assistants.flatMap((assistant) =>
        (assistant.structured_output_config ?? []).map((field) => field.type),
      ),
      'string number boolean enum date datetime',
    ],
    [
      'campaign status',
      a.campaigns.map((campaign) => campaign.status),
      'draft running paused completed',
    ],
    ['campaign cancellation', a.campaigns.map((campaign) => campaign.is_cancelled), 'true false'],
    ['windows in a retry config', retries.map((retry) => retry.calling_windows.length), '1 2'],
  ])('the data of organization A contains every value of %s', (_name, values, expected) => {
    expect([...new Set(values.map(String))].sort()).toEqual(expected.split(' ').sort());
  });

  it('the data of organization A contains every shape of tool arguments', () => {
    const shapes = transcript
      .filter(({ role }) => role === 'tool')
      .map(({ tool_arguments }) => (tool_arguments === null ? 'null' : typeof tool_arguments));
    expect(new Set(shapes)).toEqual(new Set(['object', 'string', 'null']));
  });

  it('the data of organization A contains transcripts of up to sixteen lines and empty ones', () => {
    const lengths = new Set(
      a.attempts
        .filter(({ status }) => status === 'completed')
        .map((attempt) => attempt.transcript?.length),
    );
    expect(Math.max(...[...lengths].map((length) => length ?? 0))).toBeGreaterThanOrEqual(12);
    expect(lengths).toContain(0);
  });
});

describe('Call in the sandbox data', () => {
  it('a call has all its keys', () => {
    for (const call of calls) expect(Object.keys(call).sort().join(' ')).toBe(CALL_KEYS);
    for (const attempt of attempts)
      expect(Object.keys(attempt)).toEqual(expect.arrayContaining(ATTEMPT_KEYS.split(' ')));
  });

  it('the fields of a call agree with each other', () => {
    for (const call of calls) {
      expect(call.last_call_attempt).toBe(call.call_attempts[0] ?? null);
      expect(call.calls_count).toBe(call.call_attempts.length);
      expect([call.is_cancelled, call.is_completed]).toEqual([
        call.status === 'cancelled',
        call.status === 'completed',
      ]);
      const isInbound = call.direction === 'inbound';
      for (const attempt of call.call_attempts)
        expect(attempt.phone_number).toBe(call.to_phone_number);
      if (isInbound) expect(call.campaign).toBeNull();
    }
  });

  it('the attempts of a call are listed newest first, none before its creation and none in the future', () => {
    for (const call of calls) {
      const times = call.call_attempts.flatMap(({ started_at }) => started_at ?? []);
      expect(times).toEqual([...times].sort().reverse());
      expect(new Set(times).size).toBe(times.length);
      if (times.length > 0) expect(times.at(-1)! >= call.created_at).toBe(true);
      if (times.length > 0) expect(Date.parse(times[0]!)).toBeLessThanOrEqual(STARTED_AT);
      expect(call.created_at <= new Date(STARTED_AT).toISOString()).toBe(true);
      if (call.status === 'scheduled')
        expect(Date.parse(call.scheduled_at!)).toBeGreaterThan(STARTED_AT);
    }
  });

  it('an attempt has no time or result of a stage that it has not reached', () => {
    const filled = ({ started_at, answered_at, ended_at }: CallAttempt) =>
      [started_at, answered_at, ended_at].map((time) => time !== null);
    for (const attempt of attempts) {
      if (attempt.status === 'queued') expect(filled(attempt)).toEqual([false, false, false]);
      if (attempt.status === 'ringing') expect(filled(attempt)).toEqual([true, false, false]);
      if (attempt.status === 'ongoing') expect(filled(attempt)).toEqual([true, true, false]);
      if (attempt.status === 'completed')
        expect([filled(attempt), attempt.dial_error, attempt.result === null]).toEqual([
          [true, true, true],
          null,
          false,
        ]);
      if (attempt.status === 'error')
        expect([filled(attempt), attempt.dial_error === null, attempt.result]).toEqual([
          [true, false, true],
          false,
          null,
        ]);
    }
    const times = attempts.flatMap(({ started_at, answered_at, ended_at }) =>
      [started_at, answered_at, ended_at].filter((time) => time !== null),
    );
    expect(times.filter((time) => new Date(time).toISOString() !== time)).toEqual([]);
  });

  it('the structured output of a call fits the configuration of its assistant', () => {
    const types = {
      string: 'string',
      number: 'number',
      boolean: 'boolean',
      enum: 'string',
      date: 'string',
      datetime: 'string',
    };
    let checked = 0;
    for (const call of calls) {
      const config = call.assistant?.structured_output_config;
      const output = call.last_call_attempt?.structured_output;
      if (config === undefined || output === null || output === undefined) continue;
      for (const [name, value] of Object.entries(output)) {
        const field = config?.find((one) => one.name === name);
        expect(typeof value).toBe(types[field!.type]);
        if (field!.type === 'enum') expect(field!.enum_options).toContain(value);
        if (field!.type === 'date') expect(value).toMatch(/^\d{4}-\d\d-\d\d$/);
        if (field!.type === 'datetime') expect(new Date(String(value)).toISOString()).toBe(value);
        checked++;
      }
      const missing = (config ?? []).filter((field) => field.required && !(field.name in output));
      expect(missing).toEqual([]);
    }
    expect(checked).toBeGreaterThan(500);
  });

  it('transcripts and outputs contain no placeholder', () => {
    const statements = attempts
      .flatMap((attempt) => [...(attempt.transcript ?? []), attempt.structured_output ?? {}])
      .map((part) => JSON.stringify(part));
    expect(statements.filter((text) => /\{\w+\}/.test(text))).toEqual([]);
  });

  it('the sandbox data uses only phone numbers reserved for fiction', () => {
    const fictional = /^(\+1\d{3}55501\d\d|\+3363998\d{4}|\+447700900\d{3})$/;
    const numbers = [
      ...calls.flatMap((call) => [call.from_phone_number, call.to_phone_number]),
      ...organizations.flatMap((data) =>
        Object.values(data.rows).flatMap((rows) => rows.map((row) => row.phone_number)),
      ),
      ...organizations.flatMap((data) =>
        data.assistants.flatMap((assistant) => assistant.transfer_phone_number ?? []),
      ),
    ];
    expect(numbers.filter((number) => !fictional.test(number))).toEqual([]);
  });
});

describe('List of attempts in the sandbox data', () => {
  it.each(organizations)(
    'the list contains the attempts of all calls, queued ones first and then newest first',
    ({ attempts: listed, calls: all }) => {
      expect(new Set(listed)).toEqual(new Set(all.flatMap((call) => call.call_attempts)));
      const times = listed.map(({ started_at }) => started_at);
      const queued = times.filter((time) => time === null).length;
      expect(queued).toBeGreaterThan(0);
      expect(times.slice(0, queued)).toEqual(Array.from({ length: queued }, () => null));
      expect(times.slice(queued)).toEqual([...times.slice(queued)].sort().reverse());
    },
  );
});

describe('Campaigns and assistants in the sandbox data', () => {
  it('a campaign and its calls share one assistant object, and rows share the call objects', () => {
    for (const data of organizations) {
      for (const campaign of data.campaigns) {
        expect(campaign.assistant).toBe(
          data.assistants.find(({ id }) => id === campaign.assistant_id),
        );
        const ofCampaign = data.calls.filter((call) => call.campaign?.id === campaign.id);
        const inRows = data.rows[campaign.id]!.flatMap(({ call }) => call ?? []);
        expect(new Set(inRows)).toEqual(new Set<Call>(ofCampaign));
        expect(inRows).toHaveLength(ofCampaign.length);
        for (const call of ofCampaign)
          expect([call.assistant, call.campaign]).toEqual([
            campaign.assistant,
            { id: campaign.id, name: campaign.name },
          ]);
        for (const row of data.rows[campaign.id]!)
          if (row.call !== undefined) expect(row.phone_number).toBe(row.call.to_phone_number);
        expect(data.rows[campaign.id]!.map(({ row_index }) => row_index)).toEqual(
          data.rows[campaign.id]!.map((_row, index) => index),
        );
        if (campaign.status === 'completed')
          expect(
            inRows.every((call) => ['completed', 'cancelled', 'errored'].includes(call.status)),
          ).toBe(true);
        if (campaign.status === 'draft') expect(inRows).toEqual([]);
      }
    }
  });

  it('calls without a campaign have no assistant, an unlisted one, or a listed one', () => {
    const alone = a.calls.filter((call) => call.campaign === null);
    const listed = new Map(a.assistants.map((assistant) => [assistant.id, assistant]));
    const kinds = alone.map(({ assistant }) => {
      if (assistant === null) return 'none';
      const same = listed.get(assistant.id);
      return same === undefined ? 'own' : same === assistant ? 'listed' : 'other';
    });
    expect(new Set(kinds)).toEqual(new Set(['none', 'own', 'listed']));
  });
});

describe('Sample ids of the sandbox data', () => {
  const found = sampleIds(sandbox);
  const callOf = (id: string) => a.calls.find((call) => call.id === id)!;

  it('each sample id belongs to an object that fits its name', () => {
    const rich = callOf(found.richCallId);
    expect(rich.status).toBe('completed');
    expect(rich.last_call_attempt!.transcript!.length).toBeGreaterThanOrEqual(12);
    expect(rich.last_call_attempt!.transcript!.map(({ role }) => role)).toContain('tool');
    expect(Object.keys(rich.last_call_attempt!.structured_output!).length).toBeGreaterThanOrEqual(
      4,
    );

    const retried = callOf(found.retriedCallId).call_attempts;
    expect(retried.length).toBeGreaterThanOrEqual(5);
    expect(
      new Set(retried.map((attempt) => attempt.started_at!.slice(0, 10))).size,
    ).toBeGreaterThanOrEqual(3);

    expect(callOf(found.liveCallId).last_call_attempt!.status).toBe('ongoing');
    expect(callOf(found.ringingCallId).last_call_attempt!.status).toBe('ringing');
    expect(a.assistants.find(({ id }) => id === found.frenchAssistantId)!.prompt).toMatch(
      /^Tu es /,
    );
    expect(new Set(found.fiveAssistantIds).size).toBe(5);
    expect(a.rows[found.largeCampaignId]).toHaveLength(500);
    expect(a.campaigns.find(({ id }) => id === found.finishedCampaignId)!.status).toBe('completed');
    expect(new Set(found.twentyCallIds).size).toBe(20);
    expect(new Set(found.twentyCallIds.map((id) => callOf(id).campaign!.id)).size).toBe(6);
  });

  it('the sample ids are the same at any start time', () => {
    expect(sampleIds(createSandbox({ startedAt: STARTED_AT + 987_654_321 }))).toEqual(found);
  });
});
