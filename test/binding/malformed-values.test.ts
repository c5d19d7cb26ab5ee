import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A, NO_CACHE, type TestGateway } from '../support/test-gateway.ts';

/** One gateway for all tests. `createGatewayWithCall` reverts the changes of the previous test. */
const gateway = createTestGateway({ settings: NO_CACHE });

/**
 * A call with an assistant, a campaign and a transcript, and the upstream request that fetches it.
 */
function createGatewayWithCall() {
  gateway.sandbox.control.heal();
  gateway.traffic();
  const call = gateway.sandbox.control
    .data(KEY_A)
    .calls.find(
      ({ assistant, campaign, last_call_attempt }) =>
        assistant && campaign && last_call_attempt?.transcript?.length,
    )!;
  /** Requests the call, whose upstream response `change` modifies. */
  // biome-ignore lint/suspicious/noExplicitAny: the JSON is whatever a test makes of it
  const executeWithChange = (change: (call: any) => void, selection: string) => {
    gateway.sandbox.control.transform('/call/', (body) => {
      change(body.call);
      return body;
    });
    return gateway.execute(`query ($id: ID!) { call(id: $id) { ${selection} } }`, { id: call.id });
  };
  return { gateway, call, executeWithChange, request: `GET /call/${call.id}` };
}

function expectNoUnexpectedErrors({ unexpectedErrors }: TestGateway) {
  expect(unexpectedErrors).toEqual([]);
}

describe('Unrecognized enum value', () => {
  test('an unrecognized value is UNRECOGNIZED and listed in extensions with its type, field and raw value', async () => {
    const { gateway, executeWithChange, request } = createGatewayWithCall();

    const result = await executeWithChange((call) => {
      call.status = 'on-hold';
      call.last_call_attempt.result = 'Robot';
      call.assistant.voice = { id: 'v', provider: 'inworld' };
    }, 'status direction lastCallAttempt { result } assistant { voice { provider } }');

    expect(result.errors).toBeUndefined();
    expect(result.data.call).toMatchObject({
      status: 'UNRECOGNIZED',
      lastCallAttempt: { result: 'UNRECOGNIZED' },
      assistant: { voice: { provider: 'UNRECOGNIZED' } },
    });
    expect(result.extensions).toEqual({
      unrecognized: [
        { type: 'Call', field: 'status', value: 'on-hold', paths: [['call', 'status']] },
        {
          type: 'CallAttempt',
          field: 'result',
          value: 'Robot',
          paths: [['call', 'lastCallAttempt', 'result']],
        },
        {
          type: 'Voice',
          field: 'provider',
          value: 'inworld',
          paths: [['call', 'assistant', 'voice', 'provider']],
        },
      ],
    });
    expect(gateway.traffic()).toEqual([request]);
    expectNoUnexpectedErrors(gateway);
  });

  test('an unrecognized value is listed under the name of its field, not its alias, and only when it is selected', async () => {
    const { executeWithChange } = createGatewayWithCall();
    const { data, extensions } = await executeWithChange(
      (call) => Object.assign(call, { status: 'on-hold', direction: 'sideways' }),
      'where: status',
    );
    expect(data.call).toEqual({ where: 'UNRECOGNIZED' });
    expect(extensions.unrecognized).toEqual([
      { type: 'Call', field: 'status', value: 'on-hold', paths: [['call', 'where']] },
    ]);
  });

  test.each(['COMPLETED', 'Completed', 'UNRECOGNIZED', ' completed', ''])(
    'the status %j is unrecognized because the upstream spells its values in one way only',
    async (status) => {
      const { executeWithChange } = createGatewayWithCall();
      const { data, extensions } = await executeWithChange(
        (call) => Object.assign(call, { status }),
        'status',
      );
      expect(data.call).toEqual({ status: 'UNRECOGNIZED' });
      expect(extensions).toEqual({
        unrecognized: [
          { type: 'Call', field: 'status', value: status, paths: [['call', 'status']] },
        ],
      });
    },
  );

  test('the upstream value "unknown" is recognized', async () => {
    const { executeWithChange } = createGatewayWithCall();
    const result = await executeWithChange(
      (call) => Object.assign(call.last_call_attempt, { result: 'unknown' }),
      'lastCallAttempt { result }',
    );
    expect(result).toEqual({ data: { call: { lastCallAttempt: { result: 'UNKNOWN' } } } });
  });

  test('a response without unrecognized values has no extensions', async () => {
    const { executeWithChange } = createGatewayWithCall();
    const result = await executeWithChange(() => {}, 'status direction');
    expect(Object.keys(result)).toEqual(['data']);
  });

  test('an unrecognized value that occurs several times is listed once, with each path', async () => {
    const { executeWithChange } = createGatewayWithCall();
    const { data, extensions } = await executeWithChange((call) => {
      for (const message of call.last_call_attempt.transcript) message.role = 'moderator';
    }, 'lastCallAttempt { transcript { role } }');
    expect(
      new Set(data.call.lastCallAttempt.transcript.map(({ role }: { role: string }) => role)),
    ).toEqual(new Set(['UNRECOGNIZED']));
    expect(extensions.unrecognized).toEqual([
      {
        type: 'TranscriptMessage',
        field: 'role',
        value: 'moderator',
        paths: data.call.lastCallAttempt.transcript.map((_: unknown, index: number) => [
          'call',
          'lastCallAttempt',
          'transcript',
          index,
          'role',
        ]),
      },
    ]);
  });

  test('long unrecognized values are truncated, and at most a hundred are listed', async () => {
    const { executeWithChange } = createGatewayWithCall();
    const { data, extensions } = await executeWithChange((call) => {
      call.last_call_attempt.transcript = Array.from({ length: 150 }, (_, index) => ({
        content: '',
        role: `${index}`.padEnd(5000, '-'),
      }));
    }, 'lastCallAttempt { transcript { role } }');
    expect(data.call.lastCallAttempt.transcript).toHaveLength(150);
    expect(extensions.unrecognized).toHaveLength(100);
    expect(extensions.unrecognized[99]).toEqual({
      type: 'TranscriptMessage',
      field: 'role',
      value: '99'.padEnd(100, '-'),
      paths: [['call', 'lastCallAttempt', 'transcript', 99, 'role']],
    });
  });

  test.each([[5], [true], [{}], [['completed']]])(
    'the status %j is not a string and becomes null',
    async (status) => {
      const { gateway, executeWithChange } = createGatewayWithCall();
      const result = await executeWithChange(
        (call) => Object.assign(call, { status }),
        'id status',
      );
      expect(result).toEqual({ data: { call: { id: expect.any(String), status: null } } });
      expectNoUnexpectedErrors(gateway);
    },
  );
});

describe('UNRECOGNIZED as input', () => {
  const REJECTION =
    '`statuses` must not be UNRECOGNIZED: it represents values newer than this schema, which cannot be requested.';

  test.each([
    {
      how: 'as a literal',
      query: '{ callAttempts(statuses: [UNRECOGNIZED]) { nodes { id } } }',
      variables: {},
    },
    {
      how: 'as a literal without a list',
      query: '{ callAttempts(statuses: UNRECOGNIZED) { nodes { id } } }',
      variables: {},
    },
    {
      how: 'next to other values in a variable',
      query:
        'query ($statuses: [CallStatus!]) { callAttempts(statuses: $statuses) { nodes { id } } }',
      variables: { statuses: ['COMPLETED', 'UNRECOGNIZED'] },
    },
    {
      how: 'as a variable within a literal',
      query:
        'query ($status: CallStatus!) { callAttempts(statuses: [COMPLETED, $status]) { nodes { id } } }',
      variables: { status: 'UNRECOGNIZED' },
    },
    {
      how: 'as the default of a variable',
      query:
        'query ($statuses: [CallStatus!] = [UNRECOGNIZED]) { callAttempts(statuses: $statuses) { nodes { id } } }',
      variables: {},
    },
  ])('UNRECOGNIZED $how is rejected before any upstream request', async ({ query, variables }) => {
    const gateway = createTestGateway({ settings: NO_CACHE });
    const { data, errors } = await gateway.execute(query, variables);
    expect(data).toEqual({ callAttempts: null });
    expect(errors).toMatchObject([
      { message: REJECTION, path: ['callAttempts'], extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(gateway.traffic()).toEqual([]);
    expectNoUnexpectedErrors(gateway);
  });

  test('UNRECOGNIZED as a filter of rows fails that field only', async () => {
    const gateway = createTestGateway({ settings: NO_CACHE });
    const { id, name } = gateway.sandbox.control.data(KEY_A).campaigns[0]!;
    const { data, errors } = await gateway.execute(
      'query ($id: ID!) { campaign(id: $id) { name rows(statuses: [UNRECOGNIZED]) { nodes { id } } } }',
      { id },
    );
    expect(data).toEqual({ campaign: { name, rows: null } });
    expect(errors).toMatchObject([
      { message: REJECTION, path: ['campaign', 'rows'], extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(gateway.traffic()).toEqual([`GET /campaigns/${id}`]);
  });

  test('UNRECOGNIZED is not a value of an input-only enum', async () => {
    const gateway = createTestGateway({ settings: NO_CACHE });
    const { errors } = await gateway.execute(
      '{ campaign(id: "x") { rows(result: UNRECOGNIZED) { nodes { id } } } }',
    );
    expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('Language model', () => {
  const SELECTION = `llmModel {
    __typename
    ... on DedicatedInstanceLlmModel { type name }
    ... on OpenrouterLlmModel { type openrouterModelId openrouterProvider }
    ... on UnrecognizedLlmModel { type raw }
  }`;

  test.each([
    [
      { type: 'dedicated-instance', name: 'gpt-6' },
      { __typename: 'DedicatedInstanceLlmModel', type: 'dedicated-instance', name: 'gpt-6' },
    ],
    [
      { type: 'openrouter', openrouter_model_id: 'openai/gpt-4.1' },
      {
        __typename: 'OpenrouterLlmModel',
        type: 'openrouter',
        openrouterModelId: 'openai/gpt-4.1',
        openrouterProvider: null,
      },
    ],
    [
      { type: 'realtime', provider: 'x', nested: { deep: [1] } },
      {
        __typename: 'UnrecognizedLlmModel',
        type: 'realtime',
        raw: { type: 'realtime', provider: 'x', nested: { deep: [1] } },
      },
    ],
    [
      { name: 'nameless' },
      { __typename: 'UnrecognizedLlmModel', type: null, raw: { name: 'nameless' } },
    ],
    [
      { type: { new: true } },
      { __typename: 'UnrecognizedLlmModel', type: null, raw: { type: { new: true } } },
    ],
    [{}, { __typename: 'UnrecognizedLlmModel', type: null, raw: {} }],
    ['gpt-4.1', null],
    [['openrouter'], null],
    [null, null],
  ])('the language model %j resolves to the expected union member', async (llm_model, expected) => {
    const { gateway, executeWithChange } = createGatewayWithCall();
    const result = await executeWithChange((call) => Object.assign(call, { llm_model }), SELECTION);
    expect(result).toEqual({ data: { call: { llmModel: expected } } });
    expectNoUnexpectedErrors(gateway);
  });
});

describe('Free-form payloads', () => {
  test.each([
    [{ query: 'now', deep: [{ er: null }] }],
    ['{"query":'],
    [null],
    [''],
    [[1, 'two']],
    [false],
    [0],
    // Not a literal: a literal would set the prototype.
    [JSON.parse('{"__proto__":{"admin":true},"constructor":"x"}')],
  ])('toolArguments are passed through unchanged: %j', async (tool_arguments) => {
    const { executeWithChange } = createGatewayWithCall();
    const { data, errors } = await executeWithChange((call) => {
      call.last_call_attempt.transcript = [{ content: '', role: 'tool', tool_arguments }];
    }, 'lastCallAttempt { transcript { toolArguments toolName toolIsError } }');
    expect(errors).toBeUndefined();
    expect(data.call.lastCallAttempt.transcript).toEqual([
      { toolArguments: tool_arguments, toolName: null, toolIsError: null },
    ]);
  });

  test('a payload of a hundred levels is passed through unchanged', async () => {
    const { executeWithChange } = createGatewayWithCall();
    const metadata = nested(100);
    const result = await executeWithChange((call) => Object.assign(call, { metadata }), 'metadata');
    expect(result).toEqual({ data: { call: { metadata } } });
  });

  test.each([1_000, 5_000, 10_000, 100_000])(
    'a payload of %i levels fails its call and no other field',
    async (depth) => {
      const { call } = createGatewayWithCall();
      const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      gateway.sandbox.control.corrupt(
        '/call/deep',
        `{"call":{"id":"deep","metadata":{"deep":${deep}}}}`,
      );
      const { data, errors } = await gateway.execute(
        'query ($id: ID!) { deep: call(id: "deep") { metadata } other: call(id: $id) { id } }',
        { id: call.id },
      );
      expect(data).toEqual({ deep: null, other: { id: call.id } });
      expect(errors).toMatchObject([
        { path: ['deep'], extensions: { code: 'UPSTREAM_INVALID_RESPONSE' } },
      ]);
    },
  );
});

function nested(levels: number): unknown[] {
  return levels === 1 ? [] : [nested(levels - 1)];
}

describe('Lists with malformed items', () => {
  test('an item that is not an object or has no required id is dropped', async () => {
    const { gateway, call, executeWithChange } = createGatewayWithCall();
    const good = call.call_attempts[0]!;
    const { data, errors } = await executeWithChange((changed) => {
      changed.call_attempts = [
        null,
        'attempt',
        7,
        [good],
        {},
        { id: null },
        { id: {} },
        { id: '' },
        good,
        { id: 12 },
      ];
    }, 'callAttempts { id status }');
    expect(errors).toBeUndefined();
    expect(data.call.callAttempts).toEqual([
      { id: good.id, status: expect.any(String) },
      { id: '12', status: null },
    ]);
    expectNoUnexpectedErrors(gateway);
  });

  test('an object without an optional id is kept', async () => {
    const { executeWithChange } = createGatewayWithCall();
    const { data, errors } = await executeWithChange((call) => {
      call.assistant.faq_items = [{ question: 'Why?' }, null, 'x', { id: 5, answer: 'Because.' }];
      call.assistant.structured_output_config = [
        { name: 'x', enum_options: ['a', null, 3, {}, 'b'] },
      ];
    }, 'assistant { faqItems { id question answer } structuredOutputConfig { name enumOptions } }');
    expect(errors).toBeUndefined();
    expect(data.call.assistant).toEqual({
      faqItems: [
        { id: null, question: 'Why?', answer: null },
        { id: '5', question: null, answer: 'Because.' },
      ],
      structuredOutputConfig: [{ name: 'x', enumOptions: ['a', '3', 'b'] }],
    });
  });

  test.each([[undefined], [null], ['none'], [{}], [0]])(
    'a required list that is %j is empty, and an optional list is null',
    async (value) => {
      const { executeWithChange } = createGatewayWithCall();
      const result = await executeWithChange((call) => {
        call.call_attempts = value;
        call.call_retry_config = { calling_windows: value };
        call.last_call_attempt = { id: 'a', transcript: value };
      }, 'callAttempts { id } callRetryConfig { callingWindows { retryDelaySeconds } } lastCallAttempt { transcript { content } }');
      expect(result).toEqual({
        data: {
          call: {
            callAttempts: [],
            callRetryConfig: { callingWindows: [] },
            lastCallAttempt: { transcript: null },
          },
        },
      });
    },
  );

  test('an attempt, assistant, campaign or row without an id is dropped from its list', async () => {
    const gateway = createTestGateway({ settings: NO_CACHE });
    const items = [null, 'x', { name: 'absent' }, { id: '' }, { id: [] }, { id: 'good' }];
    gateway.sandbox.control.transform('/call?', () => ({ calls: items }));
    gateway.sandbox.control.transform('/assistants', () => ({ assistants: items }));
    gateway.sandbox.control.corrupt(
      '/campaigns',
      JSON.stringify({ campaigns: items, rows: items }),
    );

    const { data, errors } = await gateway.execute(`{
      callAttempts(first: 3) { nodes { id } }
      assistants { nodes { id } totalCount }
      campaigns { nodes { id rows(first: 2) { nodes { id } } } }
    }`);

    expect(errors).toBeUndefined();
    expect(data).toEqual({
      callAttempts: { nodes: [{ id: 'good' }] },
      assistants: { nodes: [{ id: 'good' }], totalCount: 1 },
      campaigns: { nodes: [{ id: 'good', rows: { nodes: [{ id: 'good' }] } }] },
    });
    expectNoUnexpectedErrors(gateway);
  });
});

describe('Malformed fields', () => {
  const UNEXPECTED_VALUES = [
    null,
    'odd',
    '',
    7,
    -1.5,
    true,
    [],
    {},
    [null],
    { id: {} },
    { id: null },
    [[{ id: 'x' }]],
    1e300,
  ];

  test.each(UNEXPECTED_VALUES.map((value) => ({ value, name: JSON.stringify(value) })))(
    'a call stays intact when any one of its keys is $name',
    async ({ value }) => {
      const { gateway, call } = createGatewayWithCall();
      const keys = Object.keys(call).filter((key) => key !== 'id');
      let changedKey = '';
      gateway.sandbox.control.transform('/call/', (body) => ({
        call: { ...body.call, [changedKey]: value },
      }));

      for (const key of keys) {
        changedKey = key;
        const { data, errors } = await gateway.execute(
          `query ($id: ID!) { call(id: $id) ${FULL_CALL} }`,
          { id: call.id },
        );
        expect(errors, key).toBeUndefined();
        expect(data.call, key).toMatchObject({
          id: call.id,
          ...(key === 'to_phone_number' ? {} : { toPhoneNumber: call.to_phone_number }),
        });
      }
      expectNoUnexpectedErrors(gateway);
    },
  );

  test.each(UNEXPECTED_VALUES.map((value) => ({ value, name: JSON.stringify(value) })))(
    'a call stays intact when all keys of its embedded objects are $name',
    async ({ value }) => {
      const { gateway, call, executeWithChange } = createGatewayWithCall();
      const { data, errors } = await executeWithChange(
        (changed) => {
          for (const inner of [changed.assistant, changed.last_call_attempt]) {
            for (const key of Object.keys(inner)) if (key !== 'id') inner[key] = value;
          }
          for (const message of changed.call_attempts[0].transcript ?? [])
            for (const key of Object.keys(message)) message[key] = value;
        },
        FULL_CALL.slice(1, -1),
      );
      expect(errors).toBeUndefined();
      expect(data.call).toMatchObject({
        id: call.id,
        assistant: { id: call.assistant!.id },
        lastCallAttempt: { id: call.last_call_attempt!.id },
      });
      expectNoUnexpectedErrors(gateway);
    },
  );

  test('a missing key is null', async () => {
    const { gateway, call } = createGatewayWithCall();
    gateway.sandbox.control.transform('/call/', () => ({ call: { id: call.id } }));
    const { data, errors } = await gateway.execute(
      `query ($id: ID!) { call(id: $id) ${FULL_CALL} }`,
      { id: call.id },
    );
    expect(errors).toBeUndefined();
    const { id, callAttempts, ...others } = data.call;
    expect({ id, callAttempts }).toEqual({ id: call.id, callAttempts: [] });
    expect(new Set(Object.values(others))).toEqual(new Set([null]));
  });

  test('an object without its required id is null', async () => {
    const { executeWithChange } = createGatewayWithCall();
    const { data, errors } = await executeWithChange((call) => {
      delete call.assistant.id;
      call.campaign.id = null;
      call.last_call_attempt.id = '';
    }, 'toPhoneNumber assistant { id name } campaign { id name } lastCallAttempt { id status }');
    expect(errors).toBeUndefined();
    expect(data.call).toEqual({
      toPhoneNumber: expect.any(String),
      assistant: null,
      campaign: null,
      lastCallAttempt: null,
    });
  });

  test('a numeric id is a string', async () => {
    const { executeWithChange, gateway, request } = createGatewayWithCall();
    const { data, errors } = await executeWithChange((call) => {
      call.organization_id = 17;
      call.campaign.id = 42;
    }, 'organizationId campaign { id name }');
    expect(errors).toBeUndefined();
    expect(data.call).toMatchObject({ organizationId: '17', campaign: { id: '42' } });
    expect(gateway.traffic()).toEqual([request]);
  });
});

const ATTEMPT =
  '{ id answeredAt dialError endedAt endReason endedBy phoneNumber recordingUrl result startedAt status structuredOutput transcript { content role toolArguments toolIsError toolName } }';
const RETRY_CONFIG =
  '{ callingWindows { callingWindowEndTime callingWindowStartTime retryDelaySeconds } maxRetryAttempts timezone }';
const LLM_MODEL =
  '{ ... on DedicatedInstanceLlmModel { name type } ... on UnrecognizedLlmModel { raw } }';

/** Every field of a call that its upstream response contains. */
const FULL_CALL = `{
  id
  assistant {
    id backgroundSound calendly { connectionId eventTypeId } callRetryConfig ${RETRY_CONFIG} createdAt endOfCallSentence
    faqItems { id answer needsHumanAnswer question source } firstSentence firstSentenceDelayMs firstSentenceMode ivrNavigationEnabled
    llmModel ${LLM_MODEL} maxCallDurationSecs name organizationId pendingFaqCount prompt
    structuredOutputConfig { description enumOptions name required type } transferPhoneNumber updatedAt
    voice { provider speed voiceId } voicemailMessage webhookUrl
  }
  callAttempts ${ATTEMPT} callRetryConfig ${RETRY_CONFIG} callsCount campaign { id } createdAt direction firstSentenceDelayMs
  fromPhoneNumber isCancelled isCompleted lastCallAttempt ${ATTEMPT} llmModel ${LLM_MODEL} metadata organizationId scheduledAt status
  toPhoneNumber
}`;
