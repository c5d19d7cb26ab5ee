import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';
import type { Fault, SubjectName } from './fault.ts';

export const sandbox = createSandbox();

const { richCallId, frenchAssistantId, largeCampaignId, fiveAssistantIds } = sampleIds(sandbox);
const { calls, assistants, campaigns, attempts, rows } = sandbox.control.data(KEY_A);
const call = calls.find(({ id }) => id === richCallId)!;
const assistantId = fiveAssistantIds.find((id) => id !== frenchAssistantId)!;

/** A field that meets a fault, or stands beside it. */
export interface Subject {
  readonly selection: string;
  /** Of the requests for it, as `GET /call/…`, without what differs. */
  readonly request: string;
  /** As the sandbox's own data tells it. */
  readonly value: unknown;
}

const FIELDS: { readonly [name in SubjectName]: Subject } = {
  call: {
    selection: `call(id: "${call.id}") { id status toPhoneNumber }`,
    request: `GET /call/${call.id}`,
    value: { id: call.id, status: toEnumValue(call.status), toPhoneNumber: call.to_phone_number },
  },
  'call in full': {
    selection: `call(id: "${call.id}") {
      id status direction toPhoneNumber callsCount createdAt isCompleted
      assistant { id name } campaign { id name } llmModel { __typename }
      callRetryConfig { maxRetryAttempts callingWindows { callingWindowStartTime callingWindowEndTime retryDelaySeconds } }
      callAttempts { id result } lastCallAttempt { id } }`,
    request: `GET /call/${call.id}`,
    value: {
      id: call.id,
      status: toEnumValue(call.status),
      direction: toEnumValue(call.direction),
      toPhoneNumber: call.to_phone_number,
      callsCount: call.calls_count,
      createdAt: call.created_at,
      isCompleted: call.is_completed,
      assistant: toNamed(call.assistant!),
      campaign: toNamed(call.campaign!),
      llmModel: {
        __typename:
          call.llm_model.type === 'openrouter' ? 'OpenrouterLlmModel' : 'DedicatedInstanceLlmModel',
      },
      callRetryConfig: {
        maxRetryAttempts: call.call_retry_config!.max_retry_attempts,
        callingWindows: call.call_retry_config!.calling_windows.map((window) => ({
          callingWindowStartTime: window.calling_window_start_time,
          callingWindowEndTime: window.calling_window_end_time,
          retryDelaySeconds: window.retry_delay_seconds,
        })),
      },
      callAttempts: call.call_attempts.map(({ id, result }) => ({
        id,
        result: result && toEnumValue(result),
      })),
      lastCallAttempt: { id: call.last_call_attempt!.id },
    },
  },
  attempts: {
    selection: 'callAttempts(first: 100) { nodes { id } }',
    request: 'GET /call?',
    value: toNodes(attempts.slice(0, 100)),
  },
  assistant: {
    selection: `assistant(id: "${assistantId}") { id name }`,
    request: `GET /assistants/${assistantId}`,
    value: toNamed(assistants.find(({ id }) => id === assistantId)!),
  },
  rows: {
    selection: `campaign(id: "${largeCampaignId}") { rows(first: 5) { totalCount nodes { id } } }`,
    request: `GET /campaigns/${largeCampaignId}/rows?`,
    value: {
      rows: {
        totalCount: rows[largeCampaignId]!.length,
        ...toNodes(rows[largeCampaignId]!.slice(0, 5)),
      },
    },
  },
};

const SIBLING_FIELDS = {
  assistant: {
    selection: `assistant(id: "${frenchAssistantId}") { id name }`,
    request: `GET /assistants/${frenchAssistantId}`,
    value: toNamed(assistants.find(({ id }) => id === frenchAssistantId)!),
  },
  campaigns: {
    selection: 'campaigns(first: 3) { totalCount nodes { id name } }',
    request: 'GET /campaigns',
    value: { totalCount: campaigns.length, nodes: campaigns.slice(0, 3).map(toNamed) },
  },
} satisfies { readonly [name: string]: Subject };

/** What a query holds: the field that meets the fault, and others that do not. */
export interface SubjectScenario {
  readonly hit: Subject;
  readonly siblings: readonly Subject[];
  /** For what stands beside the fault, or leads to it. */
  readonly otherRequests: readonly string[];
}

export function toScenario(name: SubjectName): SubjectScenario {
  // Two assistants at a time would be answered by the list of all.
  const siblings =
    name === 'assistant'
      ? [SIBLING_FIELDS.campaigns]
      : [SIBLING_FIELDS.assistant, SIBLING_FIELDS.campaigns];
  const other = siblings.map(({ request }) => request);
  return { hit: FIELDS[name], siblings, otherRequests: other.sort() };
}

/** What the field that meets a fault gives, where it gives anything. */
export function toValue({ subject, attempts: toIds, transform }: Fault): unknown {
  const { value } = FIELDS[subject];
  if (transform) return transform(value);
  return toIds ? toNodes(toIds(attempts.map(({ id }) => id)).map((id) => ({ id }))) : value;
}

function toNamed({ id, name }: { readonly id: string; readonly name: string }) {
  return { id, name };
}

function toNodes(items: readonly { readonly id: string }[]) {
  return { nodes: items.map(({ id }) => ({ id })) };
}

function toEnumValue(value: string): string {
  return value.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase();
}
