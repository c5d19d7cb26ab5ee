import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';
import type { Fault, SubjectName } from './fault.ts';

export const sandbox = createSandbox();

const { richCallId, frenchAssistantId, largeCampaignId, fiveAssistantIds } = sampleIds(sandbox);
const { calls, assistants, campaigns, attempts, rows } = sandbox.control.data(KEY_A);
const call = calls.find(({ id }) => id === richCallId)!;
const assistantId = fiveAssistantIds.find((id) => id !== frenchAssistantId)!;

/** A field of the query: the one that meets the fault, or another. */
export interface Subject {
  readonly selection: string;
  /** The common start of its request lines: `GET /call/…`. */
  readonly request: string;
  /** The expected value, from the sandbox's data. */
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

/** The fields of a query: one that meets the fault, and others that do not. */
export interface SubjectScenario {
  readonly hit: Subject;
  readonly siblings: readonly Subject[];
  /** The requests of the other fields, and those that lead to the fault. */
  readonly otherRequests: readonly string[];
}

export function toScenario(name: SubjectName): SubjectScenario {
  // Two assistants in one operation would be read from the complete list.
  const siblings =
    name === 'assistant'
      ? [SIBLING_FIELDS.campaigns]
      : [SIBLING_FIELDS.assistant, SIBLING_FIELDS.campaigns];
  const other = siblings.map(({ request }) => request);
  return { hit: FIELDS[name], siblings, otherRequests: other.sort() };
}

/** The value of the field that meets a fault, if it has one. */
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
