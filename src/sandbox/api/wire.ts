/**
 * The REST API's objects, with its own keys. Written by hand: the sandbox must not share types, or
 * mistakes, with the gateway.
 */

export const CALL_STATUSES = [
  'initializing',
  'queued_for_calling',
  'calling',
  'scheduled',
  'completed',
  'cancelled',
  'errored',
] as const;
export const ATTEMPT_STATUSES = ['queued', 'ringing', 'ongoing', 'completed', 'error'] as const;
export const ATTEMPT_RESULTS = [
  'IVR',
  'voicemail',
  'human',
  'unknown',
  'ios-screening-filter',
] as const;
export const ROW_RESULTS = [...ATTEMPT_RESULTS, 'all', 'none'] as const;
export const DIAL_ERRORS = [
  'number_non_attributed',
  'too_many_calls',
  'busy',
  'temporarily_unavailable',
  'no_answer',
  'no_international_permission',
  'precondition_failed',
  'non_classified_error',
] as const;

export type CallStatus = (typeof CALL_STATUSES)[number];
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];
export type AttemptResult = (typeof ATTEMPT_RESULTS)[number];
export type DialError = (typeof DIAL_ERRORS)[number];
export type EndedBy = 'agent' | 'user' | 'system';
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface CallingWindow {
  calling_window_start_time: string;
  calling_window_end_time: string;
  retry_delay_seconds: number;
}

export interface RetryConfig {
  calling_windows: CallingWindow[];
  max_retry_attempts: number;
  timezone?: string | null;
}

export type LlmModel =
  | { type: 'dedicated-instance'; name: 'gpt-4.1' | 'ministral-3-8b-instruct' }
  | { type: 'openrouter'; openrouter_model_id: string; openrouter_provider: string };

export interface StructuredOutputField {
  name: string;
  required: boolean;
  type: 'string' | 'number' | 'boolean' | 'enum' | 'date' | 'datetime';
  description?: string;
  enum_options?: string[];
}

export interface FaqItem {
  question: string;
  answer: string;
  id?: string;
  needs_human_answer?: boolean;
  source?: 'human' | 'ai';
}

export interface Assistant {
  id: string;
  background_sound: 'audio/office.ogg' | null;
  calendly: { connection_id: string; event_type_id: string } | null;
  call_retry_config: RetryConfig | null;
  created_at: string;
  end_of_call_sentence: string | null;
  first_sentence: string | null;
  first_sentence_delay_ms: number;
  first_sentence_mode: 'generated' | 'static' | 'none';
  ivr_navigation_enabled: boolean;
  llm_model: LlmModel;
  max_call_duration_secs: number;
  name: string;
  organization_id: string;
  prompt: string;
  structured_output_config: StructuredOutputField[] | null;
  transfer_phone_number: string | null;
  updated_at: string;
  voice: { id: string; provider: 'cartesia' | 'elevenlabs'; speed?: number } | null;
  voicemail_message: string | null;
  webhook_url: string | null;
  faq_items?: FaqItem[];
  pending_faq_count?: number;
}

export interface TranscriptMessage {
  content: string;
  role: 'user' | 'assistant' | 'tool';
  tool_arguments?: { [key: string]: Json } | string | null;
  tool_is_error?: boolean;
  tool_name?: string;
}

export interface CallAttempt {
  id: string;
  answered_at: string | null;
  dial_error: DialError | null;
  ended_at: string | null;
  phone_number: string;
  recording_url: string | null;
  result: AttemptResult | null;
  started_at: string | null;
  status: AttemptStatus;
  end_reason?: string | null;
  ended_by?: EndedBy | null;
  structured_output?: { [key: string]: Json } | null;
  transcript?: TranscriptMessage[] | null;
}

export interface Call {
  id: string;
  assistant: Assistant | null;
  call_attempts: CallAttempt[];
  call_retry_config: RetryConfig | null;
  calls_count: number;
  campaign: { id: string; name: string } | null;
  created_at: string;
  direction: 'inbound' | 'outbound';
  first_sentence_delay_ms: number;
  from_phone_number: string;
  is_cancelled: boolean;
  is_completed: boolean;
  last_call_attempt: CallAttempt | null;
  llm_model: LlmModel;
  metadata: { [key: string]: string } | null;
  organization_id: string;
  scheduled_at: string | null;
  status: CallStatus;
  to_phone_number: string;
}

export interface Campaign {
  id: string;
  assistant_id: string;
  created_at: string;
  is_cancelled: boolean;
  name: string;
  organization_id: string;
  status: 'draft' | 'running' | 'paused' | 'completed';
  updated_at: string;
  assistant?: Assistant;
}

export interface CampaignRow {
  id: string;
  input_data: { [key: string]: string };
  phone_number: string;
  row_index: number;
  call?: Call;
}

/** A timestamp in the API's format: RFC 3339, UTC, milliseconds. */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}
