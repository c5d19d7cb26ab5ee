import type { ApiVersion } from '#sandbox/versions.ts';
import { toVersion } from '#sandbox/versions.ts';
import { answering, type Fault, type FaultGroup, type Promised } from './fault.ts';
import { json } from './misbehaviours.ts';

// biome-ignore lint/suspicious/noExplicitAny: the JSON of an order, and what the field gives, are what the API and the schema say
type Loose = any;

/** An order that is changed on its way, and what becomes of it. */
function order(
  name: string,
  change: (call: Loose) => void,
  gives: (value: Loose) => Loose,
  { odd, remark }: Pick<Promised, 'odd' | 'remark'> = {},
): Fault {
  const answer = json((body) => {
    change(body.call);
    return body;
  });
  return answering(name, answer, { says: 'its value', subject: 'call in full', gives, odd, remark });
}

function version(spoken: ApiVersion, gives: (value: Loose) => Loose, odd: readonly string[], remark?: string): Fault {
  const answer = json((body) => toVersion(spoken, body));
  return answering(`speaks the version \`${spoken}\``, answer, {
    says: 'its value',
    subject: 'call in full',
    gives,
    odd,
    remark,
  });
}

const same = (value: Loose) => value;
const toFirstWindow = (config: Loose) => ({ ...config, callingWindows: config.callingWindows.slice(0, 1) });

/** An order of the first versions names neither. */
const WITHOUT_EMBEDDED = { assistant: null, campaign: null };
const MISSING_EMBEDDED = ['missing Call.assistant', 'missing Call.campaign'];

/** It has changed: a new release, or an old one. */
export const drift: FaultGroup = {
  title: 'Another version of the API',
  faults: [
    order('has keys that nobody knows', (call) => Object.assign(call, { risk: { score: 7 }, contact: null }), same),
    order(
      'has lost keys that are required',
      (call) => {
        delete call.direction;
        delete call.created_at;
        delete call.assistant.name;
      },
      (value) => ({ ...value, direction: null, createdAt: null, assistant: { ...value.assistant, name: null } }),
      { odd: ['missing Assistant.name', 'missing Call.createdAt', 'missing Call.direction'], remark: 'null where they were' },
    ),
    order(
      'has null where there must not be',
      (call) => Object.assign(call, { to_phone_number: null, calls_count: null, call_attempts: null }),
      (value) => ({ ...value, toPhoneNumber: null, callsCount: null, callAttempts: [] }),
      {
        odd: ['null Call.callAttempts', 'null Call.callsCount', 'null Call.toPhoneNumber'],
        remark: 'null, and an empty list of attempts',
      },
    ),
    order(
      'has values that nobody knows',
      (call) => Object.assign(call, { status: 'paused', direction: 'sideways' }),
      (value) => ({ ...value, status: 'UNRECOGNIZED', direction: 'UNRECOGNIZED' }),
      { odd: ['unrecognized Call.direction', 'unrecognized Call.status'], remark: '`UNRECOGNIZED`' },
    ),
    order(
      'has a kind of model that nobody knows',
      (call) => Object.assign(call, { llm_model: { type: 'realtime', provider: 'x' } }),
      (value) => ({ ...value, llmModel: { __typename: 'UnrecognizedLlmModel' } }),
      { odd: ['unrecognized Call.llmModel'], remark: '`UnrecognizedLlmModel`' },
    ),
    order(
      'has numbers and flags as text',
      (call) => Object.assign(call, { calls_count: String(call.calls_count), is_completed: String(call.is_completed) }),
      same,
      { odd: ['coerced Call.callsCount', 'coerced Call.isCompleted'] },
    ),
    order('has lost the status', (call) => void delete call.status, same, {
      odd: ['derived Call.status'],
      remark: 'the two deprecated flags tell it',
    }),
    order(
      'has a retry configuration of the oldest form',
      (call) => {
        const { calling_windows, ...config } = call.call_retry_config;
        call.call_retry_config = { ...config, ...calling_windows[0] };
      },
      (value) => ({ ...value, callRetryConfig: toFirstWindow(value.callRetryConfig) }),
      { odd: ['derived CallRetryConfig.callingWindows'], remark: 'as one calling window' },
    ),
    order(
      'has things among the attempts that are none',
      (call) => {
        call.call_attempts = [null, 'x', ...call.call_attempts, {}, []];
      },
      same,
      { odd: ['dropped Call.callAttempts'], remark: 'without them' },
    ),
    order(
      'has other things where objects were',
      (call) => Object.assign(call, { assistant: 'Ana', campaign: 7, call_retry_config: true }),
      (value) => ({ ...value, assistant: null, campaign: null, callRetryConfig: null }),
      {
        odd: ['unreadable Call.assistant', 'unreadable Call.callRetryConfig', 'unreadable Call.campaign'],
        remark: 'null in their places',
      },
    ),
    order(
      'tells moments in seconds',
      (call) => {
        call.created_at = 1_700_000_000;
      },
      (value) => ({ ...value, createdAt: '2023-11-14T22:13:20.000Z' }),
    ),
    answering(
      'wraps an assistant, or does not',
      json((assistant) => ({ assistant })),
      { says: 'its value', subject: 'assistant' },
    ),
    answering(
      'serves rows without their total',
      json(({ rows }) => ({ rows })),
      {
        says: 'its value',
        subject: 'rows',
        requests: 9,
        odd: ['missing CampaignRowConnection.totalCount'],
        remark: 'the total is searched for',
      },
    ),
    version(
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
    version(
      '0.0.2',
      (value) => ({ ...value, ...WITHOUT_EMBEDDED }),
      ['derived Call.status', ...MISSING_EMBEDDED],
      'what it has; null for the rest',
    ),
    version('later', same, []),
    version(
      '0.5.0',
      (value) => ({ ...value, llmModel: { __typename: 'UnrecognizedLlmModel' } }),
      ['unrecognized Call.llmModel'],
      '`UnrecognizedLlmModel`',
    ),
  ],
};
