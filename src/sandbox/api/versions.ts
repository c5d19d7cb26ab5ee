/**
 * How other versions of the API express the same data, limited to what is publicly known of them.
 * The keys are documented; a value whose shape is not documented has the emptiest shape that its
 * name allows, and the gateway must not read it anyway.
 *
 * A version changes the form of the responses. It removes and adds no endpoints: an endpoint that a
 * version did not have yet also responds in the form of that version.
 */
export const API_VERSIONS = ['oldest', '0.0.2', 'documented', 'later', '0.5.0'] as const;

/**
 * - `oldest`: the first documentation: flat retry configurations, orders of 12 keys, assistants of
 *   16.
 * - `0.0.2`: the SDK of that number: orders of 16 keys, without a status.
 * - `documented`: the sandbox's own version.
 * - `later`: newer documentation: more keys for assistants and for retry configurations.
 * - `0.5.0`: the SDK of that number: further models, statuses and keys, and pages of rows without
 *   any other key.
 */
export type ApiVersion = (typeof API_VERSIONS)[number];

type Fields = { readonly [key: string]: unknown };
/** Transforms of values, by key. */
type Parts = { readonly [key: string]: (value: unknown) => unknown };

/** The transform of each kind of object in a version; nested objects are transformed first. */
interface VersionTransform {
  readonly assistant?: (assistant: Fields) => Fields;
  readonly attempt?: (attempt: Fields) => Fields;
  readonly call?: (call: Fields) => Fields;
  readonly campaign?: (campaign: Fields) => Fields;
  readonly model?: (model: Fields) => Fields;
  readonly retryConfig?: (config: Fields) => Fields;
  readonly row?: (row: Fields) => Fields;
  readonly rowPage?: (page: Fields) => Fields;
  readonly utterance?: (utterance: Fields) => Fields;
  readonly voice?: (voice: Fields) => Fields;
}

/**
 * The two early versions had neither dial errors nor reasons for the end of a call; a failed
 * attempt was `completed`.
 */
const earlyAttempt = (attempt: Fields): Fields => ({
  ...omit(attempt, 'dial_error', 'end_reason', 'ended_by'),
  status: attempt.status === 'error' ? 'completed' : attempt.status,
  result: attempt.result === 'ios-screening-filter' ? 'unknown' : attempt.result,
});

const earlyCall = (call: Fields): Fields => ({
  ...omit(call, 'assistant', 'campaign', 'organization_id', 'status'),
  next_call_at: call.scheduled_at,
});

const laterRetryConfig = (config: Fields): Fields => ({
  ...config,
  allowed_days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
  call_twice_in_a_row: false,
});

/** Of the sixteen additional keys, the ones whose names are known. */
const laterAssistant = (assistant: Fields): Fields => ({
  ...assistant,
  after_call_sms_prompt: null,
  background_sound_volume: 1,
  custom_tools: [],
  from_phone_number: null,
  sms_enabled: false,
  sms_template: null,
  structured_output_prompt: null,
  voicemail_sms_prompt: null,
});

const VERSION_TRANSFORMS: { readonly [Version in ApiVersion]: VersionTransform } = {
  oldest: {
    utterance: ({ role, content }) => ({ role, content }),
    attempt: earlyAttempt,
    call: (call) =>
      omit(earlyCall(call), 'first_sentence_delay_ms', 'is_cancelled', 'metadata', 'scheduled_at'),
    retryConfig: ({ calling_windows, max_retry_attempts, timezone = null }) => ({
      ...(Array.isArray(calling_windows) ? calling_windows[0] : {}),
      max_retry_attempts,
      timezone,
    }),
    model: () => ({ type: 'dedicated-instance', name: 'gpt-4.1' }),
    voice: ({ id, provider }) => ({ id, provider }),
    assistant: (assistant) =>
      omit(
        assistant,
        'calendly',
        'end_of_call_sentence',
        'first_sentence_delay_ms',
        'ivr_navigation_enabled',
        'llm_model',
        'transfer_phone_number',
        'voicemail_message',
      ),
  },
  '0.0.2': { attempt: earlyAttempt, call: earlyCall },
  documented: {},
  later: { retryConfig: laterRetryConfig, assistant: laterAssistant },
  '0.5.0': {
    retryConfig: laterRetryConfig,
    attempt: (attempt) => ({
      ...attempt,
      assistants_used: [],
      email_log: [],
      handled_by_ai: true,
      handled_by_human: false,
      handled_by_user: null,
    }),
    call: (call) => ({
      ...call,
      assignee: null,
      contact: null,
      outcome: null,
      // This version can pause orders; the status of a paused order is not documented, and this is
      // the most likely one.
      status: call.status === 'scheduled' ? 'paused' : call.status,
    }),
    // A new kind of model replaces a known one, so that responses contain it.
    model: (model) =>
      model.type === 'openrouter'
        ? {
            type: 'realtime',
            provider: model.openrouter_provider,
            realtime_model_id: model.openrouter_model_id,
            realtime_voice_id: 'alloy',
          }
        : model,
    voice: (voice) => ({ ...voice, model: null, volume: 1 }),
    assistant: (assistant) => ({
      ...omit(laterAssistant(assistant), 'transfer_phone_number'),
      created_by: null,
      human_transfer_mode: null,
      logo_url: null,
      position: null,
      prompt_flow: null,
      slack: null,
      transfer_destinations: [],
      warm_transfer_summary_instructions: null,
      zoho: null,
    }),
    campaign: (campaign) => ({
      ...campaign,
      call_retry_config: null,
      created_by: null,
      funnel_stats: {},
      row_stats: {
        calling: 0,
        completed: 0,
        failed: 0,
        not_launched: 0,
        pending: 0,
        retry: 0,
        skipped: 0,
        total: 0,
      },
      structured_output_extraction: null,
    }),
    rowPage: ({ rows }) => ({ rows }),
  },
};

/**
 * Converts a response body to the form of a version. The original does not change; an error body is
 * returned unchanged.
 */
export function toVersion(version: ApiVersion, body: unknown): unknown {
  if (version === 'documented') return body;
  const transform = VERSION_TRANSFORMS[version];
  /** Transforms nested objects first. */
  const transformEach =
    (kind: keyof VersionTransform, parts: Parts = {}) =>
    (value: unknown) =>
      mapObjects(value, (fields) => {
        const inner = transformParts(fields, parts);
        return transform[kind]?.(inner) ?? inner;
      });
  const retryConfig = transformEach('retryConfig');
  const model = transformEach('model');
  const assistant = transformEach('assistant', {
    call_retry_config: retryConfig,
    llm_model: model,
    voice: transformEach('voice'),
  });
  const attempt = transformEach('attempt', { transcript: transformEach('utterance') });
  const call = transformEach('call', {
    assistant,
    call_attempts: attempt,
    call_retry_config: retryConfig,
    last_call_attempt: attempt,
    llm_model: model,
  });
  const campaign = transformEach('campaign', { assistant });
  const rows = transformEach('row', { call });
  const wrappedParts = {
    assistant,
    assistants: assistant,
    call,
    calls: attempt,
    campaign,
    campaigns: campaign,
    rows,
  };

  return mapObjects(body, (answer) => {
    // The response for a single assistant has no envelope.
    if ('prompt' in answer) return assistant(answer) as Fields;
    const inside = transformParts(answer, wrappedParts);
    return 'rows' in answer ? (transform.rowPage?.(inside) ?? inside) : inside;
  });
}

/** Changes an object, or each object of a list; returns any other value unchanged. */
function mapObjects(value: unknown, change: (fields: Fields) => Fields): unknown {
  if (Array.isArray(value)) return value.map((item) => mapObjects(item, change));
  return typeof value === 'object' && value !== null ? change(value as Fields) : value;
}

/**
 * Transforms the values at the keys of `parts`; a transform that returns null or undefined leaves
 * the value unchanged.
 */
function transformParts(fields: Fields, parts: Parts): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, parts[key]?.(value) ?? value]),
  );
}

function omit(fields: Fields, ...keys: string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !keys.includes(key)));
}
