import type { ApiVersion } from '#sandbox/api/versions.ts';
import { toVersion } from '#sandbox/api/versions.ts';
import { type Fault, type FaultExpectation, type FaultGroup, responseFault } from './fault.ts';
import { json } from './faulty-responses.ts';

// biome-ignore lint/suspicious/noExplicitAny: the API and the schema define the JSON of a call and the value of the field
type Loose = any;

/** A call that is changed on the way, and the resulting value. */
function changedCall(
  name: string,
  change: (call: Loose) => void,
  transform: (value: Loose) => Loose,
  { drift, remark }: Pick<FaultExpectation, 'drift' | 'remark'> = {},
): Fault {
  const respond = json((body) => {
    change(body.call);
    return body;
  });
  return responseFault(name, respond, {
    outcome: 'value',
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
  const respond = json((body) => toVersion(spoken, body));
  return responseFault(`speaks the version \`${spoken}\``, respond, {
    outcome: 'value',
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

/** A call of the first versions has neither. */
const WITHOUT_EMBEDDED = { assistant: null, campaign: null };
const MISSING_EMBEDDED = ['missing Call.assistant', 'missing Call.campaign'];

/** The upstream runs another release, newer or older. */
export const drift: FaultGroup = {
  title: 'Another version of the API',
  faults: [
    changedCall(
      'sends unknown keys',
      (call) => Object.assign(call, { risk: { score: 7 }, contact: null }),
      identity,
    ),
    changedCall(
      'omits required keys',
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
        remark: 'null for the missing keys',
      },
    ),
    changedCall(
      'sends null for values that must not be null',
      (call) =>
        Object.assign(call, { to_phone_number: null, calls_count: null, call_attempts: null }),
      (value) => ({ ...value, toPhoneNumber: null, callsCount: null, callAttempts: [] }),
      {
        drift: ['null Call.callAttempts', 'null Call.callsCount', 'null Call.toPhoneNumber'],
        remark: 'null, and an empty list for the attempts',
      },
    ),
    changedCall(
      'sends unknown enum values',
      (call) => Object.assign(call, { status: 'paused', direction: 'sideways' }),
      (value) => ({ ...value, status: 'UNRECOGNIZED', direction: 'UNRECOGNIZED' }),
      {
        drift: ['unrecognized Call.direction', 'unrecognized Call.status'],
        remark: '`UNRECOGNIZED`',
      },
    ),
    changedCall(
      'sends an unknown kind of model',
      (call) => Object.assign(call, { llm_model: { type: 'realtime', provider: 'x' } }),
      (value) => ({ ...value, llmModel: { __typename: 'UnrecognizedLlmModel' } }),
      { drift: ['unrecognized Call.llmModel'], remark: '`UnrecognizedLlmModel`' },
    ),
    changedCall(
      'sends numbers and booleans as text',
      (call) =>
        Object.assign(call, {
          calls_count: String(call.calls_count),
          is_completed: String(call.is_completed),
        }),
      identity,
      { drift: ['coerced Call.callsCount', 'coerced Call.isCompleted'] },
    ),
    changedCall('omits the status', (call) => void delete call.status, identity, {
      drift: ['derived Call.status'],
      remark: 'derived from the two deprecated flags',
    }),
    changedCall(
      'sends a retry configuration in the oldest form',
      (call) => {
        const { calling_windows, ...config } = call.call_retry_config;
        call.call_retry_config = { ...config, ...calling_windows[0] };
      },
      (value) => ({ ...value, callRetryConfig: toFirstWindow(value.callRetryConfig) }),
      { drift: ['derived CallRetryConfig.callingWindows'], remark: 'as one calling window' },
    ),
    changedCall(
      'sends values that are not attempts in the list of attempts',
      (call) => {
        call.call_attempts = [null, 'x', ...call.call_attempts, {}, []];
      },
      identity,
      { drift: ['dropped Call.callAttempts'], remark: 'these values are dropped' },
    ),
    changedCall(
      'sends other values in the place of objects',
      (call) => Object.assign(call, { assistant: 'Ana', campaign: 7, call_retry_config: true }),
      (value) => ({ ...value, assistant: null, campaign: null, callRetryConfig: null }),
      {
        drift: [
          'unreadable Call.assistant',
          'unreadable Call.callRetryConfig',
          'unreadable Call.campaign',
        ],
        remark: 'null for these objects',
      },
    ),
    changedCall(
      'sends times in seconds',
      (call) => {
        call.created_at = 1_700_000_000;
      },
      (value) => ({ ...value, createdAt: '2023-11-14T22:13:20.000Z' }),
    ),
    responseFault(
      'wraps an assistant in `{assistant}`',
      json((assistant) => ({ assistant })),
      { outcome: 'value', subject: 'assistant' },
    ),
    responseFault(
      'serves rows without their total',
      json(({ rows }) => ({ rows })),
      {
        outcome: 'value',
        subject: 'rows',
        requests: 9,
        drift: ['missing CampaignRowConnection.totalCount'],
        remark: 'the gateway searches for the total',
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
      'its keys; null for the others',
    ),
    spokenVersion(
      '0.0.2',
      (value) => ({ ...value, ...WITHOUT_EMBEDDED }),
      ['derived Call.status', ...MISSING_EMBEDDED],
      'its keys; null for the others',
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
