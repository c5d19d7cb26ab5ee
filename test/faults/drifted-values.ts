import type { ApiVersion } from '#sandbox/api/versions.ts';
import { toVersion } from '#sandbox/api/versions.ts';
import { type Fault, type FaultExpectation, type FaultGroup, responseFault } from './fault.ts';
import { json } from './faulty-responses.ts';

// biome-ignore lint/suspicious/noExplicitAny: the JSON of an order, and what the field gives, are what the API and the schema say
type Loose = any;

/** An order that is changed on its way, and what becomes of it. */
function changedCall(
  name: string,
  change: (call: Loose) => void,
  transform: (value: Loose) => Loose,
  { drift, remark }: Pick<FaultExpectation, 'drift' | 'remark'> = {},
): Fault {
  const answer = json((body) => {
    change(body.call);
    return body;
  });
  return responseFault(name, answer, {
    outcome: 'its value',
    subject: 'call in full',
    transform,
    drift,
    remark,
  });
}

function spokenVersion(
  spoken: ApiVersion,
  transform: (value: Loose) => Loose,
  drift: readonly string[],
  remark?: string,
): Fault {
  const answer = json((body) => toVersion(spoken, body));
  return responseFault(`speaks the version \`${spoken}\``, answer, {
    outcome: 'its value',
    subject: 'call in full',
    transform,
    drift,
    remark,
  });
}

const identity = (value: Loose) => value;
const toFirstWindow = (config: Loose) => ({
  ...config,
  callingWindows: config.callingWindows.slice(0, 1),
});

/** An order of the first versions names neither. */
const WITHOUT_EMBEDDED = { assistant: null, campaign: null };
const MISSING_EMBEDDED = ['missing Call.assistant', 'missing Call.campaign'];

/** It has changed: a new release, or an old one. */
export const drift: FaultGroup = {
  title: 'Another version of the API',
  faults: [
    changedCall(
      'has keys that nobody knows',
      (call) => Object.assign(call, { risk: { score: 7 }, contact: null }),
      identity,
    ),
    changedCall(
      'has lost keys that are required',
      (call) => {
        delete call.direction;
        delete call.created_at;
        delete call.assistant.name;
      },
      (value) => ({
        ...value,
        direction: null,
        createdAt: null,
        assistant: { ...value.assistant, name: null },
      }),
      {
        drift: ['missing Assistant.name', 'missing Call.createdAt', 'missing Call.direction'],
        remark: 'null where they were',
      },
    ),
    changedCall(
      'has null where there must not be',
      (call) =>
        Object.assign(call, { to_phone_number: null, calls_count: null, call_attempts: null }),
      (value) => ({ ...value, toPhoneNumber: null, callsCount: null, callAttempts: [] }),
      {
        drift: ['null Call.callAttempts', 'null Call.callsCount', 'null Call.toPhoneNumber'],
        remark: 'null, and an empty list of attempts',
      },
    ),
    changedCall(
      'has values that nobody knows',
      (call) => Object.assign(call, { status: 'paused', direction: 'sideways' }),
      (value) => ({ ...value, status: 'UNRECOGNIZED', direction: 'UNRECOGNIZED' }),
      {
        drift: ['unrecognized Call.direction', 'unrecognized Call.status'],
        remark: '`UNRECOGNIZED`',
      },
    ),
    changedCall(
      'has a kind of model that nobody knows',
      (call) => Object.assign(call, { llm_model: { type: 'realtime', provider: 'x' } }),
      (value) => ({ ...value, llmModel: { __typename: 'UnrecognizedLlmModel' } }),
      { drift: ['unrecognized Call.llmModel'], remark: '`UnrecognizedLlmModel`' },
    ),
    changedCall(
      'has numbers and flags as text',
      (call) =>
        Object.assign(call, {
          calls_count: String(call.calls_count),
          is_completed: String(call.is_completed),
        }),
      identity,
      { drift: ['coerced Call.callsCount', 'coerced Call.isCompleted'] },
    ),
    changedCall('has lost the status', (call) => void delete call.status, identity, {
      drift: ['derived Call.status'],
      remark: 'the two deprecated flags tell it',
    }),
    changedCall(
      'has a retry configuration of the oldest form',
      (call) => {
        const { calling_windows, ...config } = call.call_retry_config;
        call.call_retry_config = { ...config, ...calling_windows[0] };
      },
      (value) => ({ ...value, callRetryConfig: toFirstWindow(value.callRetryConfig) }),
      { drift: ['derived CallRetryConfig.callingWindows'], remark: 'as one calling window' },
    ),
    changedCall(
      'has things among the attempts that are none',
      (call) => {
        call.call_attempts = [null, 'x', ...call.call_attempts, {}, []];
      },
      identity,
      { drift: ['dropped Call.callAttempts'], remark: 'without them' },
    ),
    changedCall(
      'has other things where objects were',
      (call) => Object.assign(call, { assistant: 'Ana', campaign: 7, call_retry_config: true }),
      (value) => ({ ...value, assistant: null, campaign: null, callRetryConfig: null }),
      {
        drift: [
          'unreadable Call.assistant',
          'unreadable Call.callRetryConfig',
          'unreadable Call.campaign',
        ],
        remark: 'null in their places',
      },
    ),
    changedCall(
      'tells moments in seconds',
      (call) => {
        call.created_at = 1_700_000_000;
      },
      (value) => ({ ...value, createdAt: '2023-11-14T22:13:20.000Z' }),
    ),
    responseFault(
      'wraps an assistant, or does not',
      json((assistant) => ({ assistant })),
      { outcome: 'its value', subject: 'assistant' },
    ),
    responseFault(
      'serves rows without their total',
      json(({ rows }) => ({ rows })),
      {
        outcome: 'its value',
        subject: 'rows',
        requests: 9,
        drift: ['missing CampaignRowConnection.totalCount'],
        remark: 'the total is searched for',
      },
    ),
    spokenVersion(
      'oldest',
      (value) => ({
        ...value,
        ...WITHOUT_EMBEDDED,
        callRetryConfig: toFirstWindow(value.callRetryConfig),
        llmModel: { __typename: 'DedicatedInstanceLlmModel' },
      }),
      ['derived Call.status', 'derived CallRetryConfig.callingWindows', ...MISSING_EMBEDDED],
      'what it has; null for the rest',
    ),
    spokenVersion(
      '0.0.2',
      (value) => ({ ...value, ...WITHOUT_EMBEDDED }),
      ['derived Call.status', ...MISSING_EMBEDDED],
      'what it has; null for the rest',
    ),
    spokenVersion('later', identity, []),
    spokenVersion(
      '0.5.0',
      (value) => ({ ...value, llmModel: { __typename: 'UnrecognizedLlmModel' } }),
      ['unrecognized Call.llmModel'],
      '`UnrecognizedLlmModel`',
    ),
  ],
};
