/** An object: its required keys, and the types of every documented key, joined with `|`. */
export interface WireShape {
  readonly required: readonly string[];
  readonly types: { readonly [key: string]: string };
}
/** An object whose shape is selected by the value of one key. */
export interface WireUnion {
  readonly discriminator: string;
  readonly kinds: { readonly [value: string]: string };
}
/** The documented shapes by the name of the schema. */
export const wireShapes: { readonly [name: string]: WireShape | WireUnion } = {
  CallEnvelope: {"required":["call"],"types":{"call":"Call"}},
  CallAttemptPage: {"required":["calls"],"types":{"calls":"CallAttempt[]"}},
  AssistantList: {"required":["assistants"],"types":{"assistants":"Assistant[]"}},
  CampaignEnvelope: {"required":["campaign"],"types":{"campaign":"Campaign"}},
  CampaignList: {"required":["campaigns"],"types":{"campaigns":"Campaign[]"}},
  CampaignRowPage: {"required":["page","page_size","rows","total"],"types":{"page":"number","page_size":"number","rows":"CampaignRow[]","total":"number"}},
  Error: {"required":[],"types":{"message":"string"}},
  Call: {"required":["id","assistant","call_attempts","call_retry_config","calls_count","campaign","created_at","direction","first_sentence_delay_ms","from_phone_number","is_cancelled","is_completed","last_call_attempt","llm_model","metadata","organization_id","scheduled_at","status","to_phone_number"],"types":{"id":"string","assistant":"Assistant|null","call_attempts":"CallAttempt[]","call_retry_config":"CallRetryConfig|null","calls_count":"number","campaign":"CampaignReference|null","created_at":"any","direction":"CallDirection","first_sentence_delay_ms":"integer","from_phone_number":"string","is_cancelled":"boolean","is_completed":"boolean","last_call_attempt":"CallAttempt|null","llm_model":"LlmModel","metadata":"object|null","organization_id":"string","scheduled_at":"any","status":"CallStatus","to_phone_number":"string"}},
  CallAttempt: {"required":["id","answered_at","dial_error","ended_at","phone_number","recording_url","result","started_at","status"],"types":{"id":"string","answered_at":"any","dial_error":"DialError|null","ended_at":"any","phone_number":"string","recording_url":"string|null","result":"CallAttemptResult|null","started_at":"any","status":"CallAttemptStatus","end_reason":"string|null","ended_by":"EndedBy|null","structured_output":"object|null","transcript":"TranscriptMessage[]|null"}},
  TranscriptMessage: {"required":["content","role"],"types":{"content":"string","role":"TranscriptRole","tool_arguments":"object|string|null","tool_is_error":"boolean","tool_name":"string"}},
  Assistant: {"required":["id","background_sound","calendly","call_retry_config","created_at","end_of_call_sentence","first_sentence","first_sentence_delay_ms","first_sentence_mode","ivr_navigation_enabled","llm_model","max_call_duration_secs","name","organization_id","prompt","structured_output_config","transfer_phone_number","updated_at","voice","voicemail_message","webhook_url"],"types":{"id":"string","background_sound":"string|null","calendly":"Calendly|null","call_retry_config":"CallRetryConfig|null","created_at":"any","end_of_call_sentence":"string|null","first_sentence":"string|null","first_sentence_delay_ms":"integer","first_sentence_mode":"FirstSentenceMode","ivr_navigation_enabled":"boolean","llm_model":"LlmModel","max_call_duration_secs":"number","name":"string","organization_id":"string","prompt":"string","structured_output_config":"StructuredOutputField[]|null","transfer_phone_number":"string|null","updated_at":"any","voice":"Voice|null","voicemail_message":"string|null","webhook_url":"string|null","faq_items":"FaqItem[]","pending_faq_count":"number"}},
  Calendly: {"required":["connection_id","event_type_id"],"types":{"connection_id":"string","event_type_id":"string"}},
  CallRetryConfig: {"required":["calling_windows","max_retry_attempts"],"types":{"calling_windows":"CallingWindow[]","max_retry_attempts":"integer","timezone":"string|null"}},
  CallingWindow: {"required":["calling_window_end_time","calling_window_start_time","retry_delay_seconds"],"types":{"calling_window_end_time":"string","calling_window_start_time":"string","retry_delay_seconds":"integer"}},
  LlmModel: {"discriminator":"type","kinds":{"dedicated-instance":"DedicatedInstanceLlmModel","openrouter":"OpenrouterLlmModel"}},
  DedicatedInstanceLlmModel: {"required":["name","type"],"types":{"name":"string","type":"string"}},
  OpenrouterLlmModel: {"required":["openrouter_model_id","openrouter_provider","type"],"types":{"openrouter_model_id":"string","openrouter_provider":"string","type":"string"}},
  StructuredOutputField: {"required":["name","required","type"],"types":{"name":"string","required":"boolean","type":"StructuredOutputFieldType","description":"string","enum_options":"string[]"}},
  Voice: {"required":["id","provider"],"types":{"id":"string","provider":"VoiceProvider","speed":"number"}},
  FaqItem: {"required":["answer","question"],"types":{"answer":"string","question":"string","id":"string","needs_human_answer":"boolean","source":"FaqItemSource"}},
  CampaignReference: {"required":["id","name"],"types":{"id":"string","name":"string"}},
  Campaign: {"required":["id","assistant_id","created_at","is_cancelled","name","organization_id","status","updated_at"],"types":{"id":"string","assistant_id":"string","created_at":"any","is_cancelled":"boolean","name":"string","organization_id":"string","status":"CampaignStatus","updated_at":"any","assistant":"Assistant|null"}},
  CampaignRow: {"required":["id","input_data","phone_number","row_index"],"types":{"id":"string","input_data":"object","phone_number":"string","row_index":"number","call":"Call"}},
};
/** The schema of the successful response of each endpoint. */
export const wireResponses: { readonly [path: string]: string } = {
  '/call/{id}': 'CallEnvelope',
  '/call': 'CallAttemptPage',
  '/assistants': 'AssistantList',
  '/assistants/{id}': 'Assistant',
  '/campaigns': 'CampaignList',
  '/campaigns/{id}': 'CampaignEnvelope',
  '/campaigns/{id}/rows': 'CampaignRowPage',
};
