export interface paths {
    readonly "/call/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One call order
         * @description One call order with its assistant, its settings and all its attempts. The id is the id of an order. The documentation does not say whether the id of an attempt is accepted.
         */
        readonly get: operations["getCall"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/call": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One page of call attempts
         * @description One page of call attempts (not of orders, although the path and the key `calls` suggest them). The response has no total, does not repeat the page number, and has no documented order. An attempt does not name its order. The text of the documentation promises the assistant in each entry; its schema has none.
         */
        readonly get: operations["listCallAttempts"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/assistants": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * All assistants
         * @description All assistants of the organization in one response, without pages. From the assistants pages.
         */
        readonly get: operations["listAssistants"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/assistants/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One assistant
         * @description One assistant. It is documented as the bare object, unlike every other response. Revox's own n8n node also expects it wrapped as `{assistant}`, so the gateway accepts both. From the assistants pages.
         */
        readonly get: operations["getAssistant"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/campaigns": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * All campaigns
         * @description All campaigns of the organization in one response, without pages or documented filters. From the campaigns pages.
         */
        readonly get: operations["listCampaigns"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/campaigns/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One campaign
         * @description One campaign, without its rows. From the campaigns pages.
         */
        readonly get: operations["getCampaign"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/campaigns/{id}/rows": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One page of a campaign's rows
         * @description One page of the contacts of a campaign. A contact contains its complete call order if there is one. This is the only paged list with a total. From the campaigns pages.
         */
        readonly get: operations["listCampaignRows"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The response to a request for one call order. */
        readonly CallEnvelope: {
            /** @description The call order. */
            readonly call: components["schemas"]["Call"];
        };
        /** @description One page of call attempts. Only a short or an empty page marks the end of the list. */
        readonly CallAttemptPage: {
            /** @description Call attempts, despite the key's name. Their order is not documented. */
            readonly calls: readonly components["schemas"]["CallAttempt"][];
        };
        /** @description All assistants. From the assistants pages. */
        readonly AssistantList: {
            /** @description The assistants. Their order is not documented. From the assistants pages. */
            readonly assistants: readonly components["schemas"]["Assistant"][];
        };
        /** @description The response to a request for one campaign. From the campaigns pages. */
        readonly CampaignEnvelope: {
            /** @description The campaign. From the campaigns pages. */
            readonly campaign: components["schemas"]["Campaign"];
        };
        /** @description All campaigns. From the campaigns pages. */
        readonly CampaignList: {
            /** @description The campaigns. Their order is not documented. From the campaigns pages. */
            readonly campaigns: readonly components["schemas"]["Campaign"][];
        };
        /** @description One page of a campaign's rows. From the campaigns pages. */
        readonly CampaignRowPage: {
            /** @description Number of this page, as the service counts. From the campaigns pages. */
            readonly page: number;
            /** @description Rows per page. From the campaigns pages. */
            readonly page_size: number;
            /** @description The rows of this page. From the campaigns pages. */
            readonly rows: readonly components["schemas"]["CampaignRow"][];
            /** @description Count of the rows on all pages. From the campaigns pages. */
            readonly total: number;
        };
        /** @description The body of an error response. Its shape is not documented: it may have other keys, and may not be JSON. The public SDK shows `message` if it is present. */
        readonly Error: {
            /** @description A description of the error. From the public SDK. */
            readonly message?: string;
        };
        /** @description A call order: a request to reach one number, with one or more attempts over up to several days. */
        readonly Call: {
            /** @description Id of the order. */
            readonly id: string;
            /** @description The complete assistant that speaks. Null if none is recorded. */
            readonly assistant: components["schemas"]["Assistant"] | null;
            /** @description Every attempt made for this order, newest first. */
            readonly call_attempts: readonly components["schemas"]["CallAttempt"][];
            /** @description When and how often to try again. Null means that Revox's defaults apply. */
            readonly call_retry_config: components["schemas"]["CallRetryConfig"] | null;
            /** @description Number of attempts made so far. */
            readonly calls_count: number;
            /** @description The campaign of this order, with id and name only. Null if the order belongs to no campaign. */
            readonly campaign: components["schemas"]["CampaignReference"] | null;
            /** @description Time at which the order was created. */
            readonly created_at: components["schemas"]["Timestamp"];
            /** @description Direction of the call. */
            readonly direction: components["schemas"]["CallDirection"];
            /** @description Silence before the first sentence, in milliseconds; 400 unless set. */
            readonly first_sentence_delay_ms: number;
            /** @description The calling number, in E.164 format. */
            readonly from_phone_number: string;
            /**
             * @deprecated
             * @description Whether the order was cancelled. `status` replaces this key.
             */
            readonly is_cancelled: boolean;
            /**
             * @deprecated
             * @description Whether the order is complete. `status` replaces this key.
             */
            readonly is_completed: boolean;
            /** @description The newest attempt, a copy of the first item of `call_attempts`. Null before the first attempt. */
            readonly last_call_attempt: components["schemas"]["CallAttempt"] | null;
            /** @description The language model of this order. */
            readonly llm_model: components["schemas"]["LlmModel"];
            /** @description Key-value pairs of text that were stored when the order was created. Null if there are none. */
            readonly metadata: {
                readonly [key: string]: string;
            } | null;
            /** @description Id of the organization that owns the order. */
            readonly organization_id: string;
            /** @description Time for which the order is scheduled. */
            readonly scheduled_at: components["schemas"]["Timestamp"];
            /** @description Status of the order. */
            readonly status: components["schemas"]["CallStatus"];
            /** @description The called number, in E.164 format. */
            readonly to_phone_number: string;
        };
        /** @description One attempt to reach the number of an order. It does not name its order. */
        readonly CallAttempt: {
            /** @description Id of the attempt; not the id of its order. */
            readonly id: string;
            /** @description Time at which the call was answered. */
            readonly answered_at: components["schemas"]["Timestamp"];
            /** @description Reason why dialling failed (SIP). Null if it succeeded. */
            readonly dial_error: components["schemas"]["DialError"] | null;
            /** @description Time at which the attempt ended. */
            readonly ended_at: components["schemas"]["Timestamp"];
            /** @description The dialled number, in E.164 format. */
            readonly phone_number: string;
            /** @description URL of the recording. Null if there is none. The lifetime of the URL is not documented. */
            readonly recording_url: string | null;
            /** @description Party that answered. Null if there is no result (yet). */
            readonly result: components["schemas"]["CallAttemptResult"] | null;
            /** @description Time at which the attempt started. */
            readonly started_at: components["schemas"]["Timestamp"];
            /** @description Status of the attempt. */
            readonly status: components["schemas"]["CallAttemptStatus"];
            /**
             * @description Reason why the agent ended the call; free text. Absent or null if unknown, or if the agent did not end it.
             * @example tool_end_call
             * @example voicemail
             * @example transfer
             * @example ivr_no_navigate
             */
            readonly end_reason?: string | null;
            /** @description Party that ended the call. Absent or null if unknown. (Null is an assumption of this project: the seeds only call the key optional.) */
            readonly ended_by?: components["schemas"]["EndedBy"] | null;
            /** @description Values that were extracted from the conversation, keyed by the names in the assistant's structured_output_config. Absent or null if there are none. */
            readonly structured_output?: {
                readonly [key: string]: unknown;
            } | null;
            /** @description Messages of the conversation, in order. Absent or null if there is no transcript. */
            readonly transcript?: readonly components["schemas"]["TranscriptMessage"][] | null;
        };
        /** @description An utterance, or a use of a tool, in a call. */
        readonly TranscriptMessage: {
            /** @description The spoken text, or the result of the tool. */
            readonly content: string;
            /** @description Author of the message. */
            readonly role: components["schemas"]["TranscriptRole"];
            /** @description Arguments of the tool, parsed or as text. Absent or null if no tool was used. */
            readonly tool_arguments?: {
                readonly [key: string]: unknown;
            } | string | null;
            /** @description Whether the tool failed. Absent if no tool was used. */
            readonly tool_is_error?: boolean;
            /** @description Name of the tool. Absent if no tool was used. */
            readonly tool_name?: string;
        };
        /** @description An AI agent with its voice, prompt and settings. The keys are from the seeds, where the assistant is part of a call. The assistants pages have the same keys. */
        readonly Assistant: {
            /** @description Id of the assistant. */
            readonly id: string;
            /**
             * @description Background sound. Null means silence. One value is documented; this document does not treat it as a closed set.
             * @example audio/office.ogg
             */
            readonly background_sound: string | null;
            /** @description Calendar in which the assistant books appointments. Null if it books none. */
            readonly calendly: components["schemas"]["Calendly"] | null;
            /** @description When and how often to try again. Null means that Revox's defaults apply. */
            readonly call_retry_config: components["schemas"]["CallRetryConfig"] | null;
            /** @description Time at which the assistant was created. */
            readonly created_at: components["schemas"]["Timestamp"];
            /** @description Last sentence of a call. Null if none is set. */
            readonly end_of_call_sentence: string | null;
            /** @description First sentence of a call, see `first_sentence_mode`. Null if none is set. */
            readonly first_sentence: string | null;
            /** @description Silence before the first sentence, in milliseconds; 400 unless set. */
            readonly first_sentence_delay_ms: number;
            /** @description Source of the first sentence. */
            readonly first_sentence_mode: components["schemas"]["FirstSentenceMode"];
            /** @description Whether the assistant may navigate phone menus, by key tones and by waiting. */
            readonly ivr_navigation_enabled: boolean;
            /** @description Language model of the assistant. */
            readonly llm_model: components["schemas"]["LlmModel"];
            /** @description Maximum duration of a call, in seconds. */
            readonly max_call_duration_secs: number;
            /** @description Display name of the assistant. */
            readonly name: string;
            /** @description Id of the organization that owns the assistant. */
            readonly organization_id: string;
            /** @description Instructions for the assistant. */
            readonly prompt: string;
            /** @description Values to extract from each call. Null if there are none. */
            readonly structured_output_config: readonly components["schemas"]["StructuredOutputField"][] | null;
            /** @description Number to which callers who ask for a person are transferred. Null means no transfer. */
            readonly transfer_phone_number: string | null;
            /** @description Time at which the assistant was last changed. */
            readonly updated_at: components["schemas"]["Timestamp"];
            /** @description Voice of the assistant. Null means Revox's default voice. */
            readonly voice: components["schemas"]["Voice"] | null;
            /** @description Message that the assistant leaves on a voicemail. Null means that it hangs up immediately. */
            readonly voicemail_message: string | null;
            /** @description URL that Revox notifies when a call is complete. Null means no notification. */
            readonly webhook_url: string | null;
            /** @description Questions that the assistant can answer. Absent if the response does not contain them. */
            readonly faq_items?: readonly components["schemas"]["FaqItem"][];
            /** @description Number of questions that are not answered yet (an assumption from the name). May be absent. */
            readonly pending_faq_count?: number;
        };
        /** @description Connection to a Calendly account. */
        readonly Calendly: {
            /** @description Revox's id of the connection to the Calendly account. */
            readonly connection_id: string;
            /** @description Calendly API URL of the event type to book. */
            readonly event_type_id: string;
        };
        /** @description When and how often Revox tries an order again. */
        readonly CallRetryConfig: {
            /** @description Times of day at which Revox may call. */
            readonly calling_windows: readonly components["schemas"]["CallingWindow"][];
            /** @description Maximum number of retries of an order; 3 unless set. */
            readonly max_retry_attempts: number;
            /**
             * @description IANA name of the time zone of the windows. Absent or null means the time zone of the called number's country code.
             * @example Europe/Paris
             */
            readonly timezone?: string | null;
        };
        /** @description A window of the day in which Revox may call, in the called person's local time unless a time zone is set. */
        readonly CallingWindow: {
            /**
             * @description End of the window, in 24-hour or 12-hour format; 18:00 unless set.
             * @example 17:00
             * @example 6pm
             */
            readonly calling_window_end_time: string;
            /**
             * @description Start of the window, in 24-hour or 12-hour format; 10:00 unless set.
             * @example 09:00
             * @example 10am
             */
            readonly calling_window_start_time: string;
            /** @description Delay before the next attempt, in seconds; 7200 unless set. */
            readonly retry_delay_seconds: number;
        };
        /** @description A language model of one of the documented kinds. A reader must expect other kinds. */
        readonly LlmModel: components["schemas"]["DedicatedInstanceLlmModel"] | components["schemas"]["OpenrouterLlmModel"];
        /** @description A model on a dedicated instance of Revox. */
        readonly DedicatedInstanceLlmModel: {
            /**
             * @description Name of the model. Two are documented; this document does not treat them as a closed set.
             * @example gpt-4.1
             * @example ministral-3-8b-instruct
             */
            readonly name: string;
            /**
             * @description Discriminator of this kind. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            readonly type: "dedicated-instance";
        };
        /** @description A model that Revox uses through OpenRouter. */
        readonly OpenrouterLlmModel: {
            /**
             * @description OpenRouter's id of the model.
             * @example openai/gpt-4.1
             */
            readonly openrouter_model_id: string;
            /**
             * @description Provider that runs the model for OpenRouter.
             * @example nebius
             * @example openai
             * @example azure
             */
            readonly openrouter_provider: string;
            /**
             * @description Discriminator of this kind. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            readonly type: "openrouter";
        };
        /** @description A value to extract from a call. */
        readonly StructuredOutputField: {
            /** @description Name of the value, and its key in an attempt's structured_output. */
            readonly name: string;
            /** @description Whether the value must be found (an assumption: the seeds do not explain it). */
            readonly required: boolean;
            /** @description Type of the value. */
            readonly type: components["schemas"]["StructuredOutputFieldType"];
            /** @description Meaning of the value, in words for the model. May be absent. */
            readonly description?: string;
            /** @description Accepted values if the type is `enum`. Otherwise absent. */
            readonly enum_options?: readonly string[];
        };
        /** @description A voice of a vendor, with its settings. */
        readonly Voice: {
            /** @description The vendor's id of the voice. It does not identify this object. */
            readonly id: string;
            /** @description The vendor. */
            readonly provider: components["schemas"]["VoiceProvider"];
            /** @description Speed as a factor, 1.0 unless set. Cartesia accepts 0.6 to 1.5, ElevenLabs 0.7 to 1.2. May be absent. */
            readonly speed?: number;
        };
        /** @description A question with its answer. */
        readonly FaqItem: {
            /** @description The answer. */
            readonly answer: string;
            /** @description The question. */
            readonly question: string;
            /** @description Id of the entry. May be absent. */
            readonly id?: string;
            /** @description Whether a person must still answer the question. May be absent. */
            readonly needs_human_answer?: boolean;
            /** @description Author of the answer. May be absent. */
            readonly source?: components["schemas"]["FaqItemSource"];
        };
        /** @description The campaign of a call order, with id and name only. */
        readonly CampaignReference: {
            /** @description Id of the campaign. */
            readonly id: string;
            /** @description Display name of the campaign. */
            readonly name: string;
        };
        /** @description A list of contacts that are called with one assistant. From the campaigns pages, which count 14 keys. The public copies show the nine keys below; the other five are optional and unknown, so the open object admits them. */
        readonly Campaign: {
            /** @description Id of the campaign. From the campaigns pages. */
            readonly id: string;
            /** @description Id of the assistant that makes the calls. From the campaigns pages. */
            readonly assistant_id: string;
            /** @description Time at which the campaign was created. From the campaigns pages. */
            readonly created_at: components["schemas"]["Timestamp"];
            /** @description Whether the campaign was cancelled. No status says so, so this key is not deprecated. From the campaigns pages. */
            readonly is_cancelled: boolean;
            /** @description Display name of the campaign. From the campaigns pages. */
            readonly name: string;
            /** @description Id of the organization that owns the campaign. From the campaigns pages. */
            readonly organization_id: string;
            /** @description Status of the campaign. From the campaigns pages. */
            readonly status: components["schemas"]["CampaignStatus"];
            /** @description Time at which the campaign was last changed. From the campaigns pages. */
            readonly updated_at: components["schemas"]["Timestamp"];
            /** @description The complete assistant that makes the calls. May be absent. The documentation does not say whether it may be null, so null is allowed here. From the campaigns pages. */
            readonly assistant?: components["schemas"]["Assistant"] | null;
        };
        /** @description A contact of a campaign. From the campaigns pages. */
        readonly CampaignRow: {
            /** @description Id of the row. From the campaigns pages. */
            readonly id: string;
            /** @description The contact's columns. They fill the variables of the prompt. From the campaigns pages. */
            readonly input_data: {
                readonly [key: string]: string;
            };
            /** @description The contact's number. From the campaigns pages. */
            readonly phone_number: string;
            /** @description Position of the row in the campaign. The documentation does not say whether it counts from 0 or 1. From the campaigns pages. */
            readonly row_index: number;
            /** @description The complete call order of this contact. Absent if there is none yet (an assumption). From the campaigns pages. */
            readonly call?: components["schemas"]["Call"];
        };
        /** @description A point in time. Its type is not documented, so any value is allowed here. Public examples show RFC 3339 text. A reader must also expect a number of seconds or milliseconds since 1970, and null for an event that has not happened. The seeds show an empty object. */
        readonly Timestamp: unknown;
        /**
         * @description Status of a call order: from set-up through waiting and calling to completed, cancelled or failed (errored).
         * @enum {string}
         */
        readonly CallStatus: "initializing" | "queued_for_calling" | "calling" | "scheduled" | "completed" | "cancelled" | "errored";
        /**
         * @description Direction of a call, as seen from Revox.
         * @enum {string}
         */
        readonly CallDirection: "inbound" | "outbound";
        /**
         * @description Status of an attempt. An order has other statuses: a failed attempt is `error`, a failed order is `errored`.
         * @enum {string}
         */
        readonly CallAttemptStatus: "queued" | "ringing" | "ongoing" | "completed" | "error";
        /**
         * @description Party that answered: a phone menu (IVR), a voicemail, a person, the call screening of an iPhone, or a party that Revox could not determine (unknown).
         * @enum {string}
         */
        readonly CallAttemptResult: "IVR" | "voicemail" | "human" | "unknown" | "ios-screening-filter";
        /**
         * @description Reason why a connection failed (SIP).
         * @enum {string}
         */
        readonly DialError: "number_non_attributed" | "too_many_calls" | "busy" | "temporarily_unavailable" | "no_answer" | "no_international_permission" | "precondition_failed" | "non_classified_error";
        /**
         * @description Party that ended a call: the AI agent, the person, or Revox itself (for example at the maximum duration).
         * @enum {string}
         */
        readonly EndedBy: "agent" | "user" | "system";
        /**
         * @description Author of a message: the person (user), the AI agent (assistant), or a tool that the agent used.
         * @enum {string}
         */
        readonly TranscriptRole: "user" | "assistant" | "tool";
        /**
         * @description Source of the first sentence: generated by the model, as set, or none (an assumption: the seeds do not explain the values).
         * @enum {string}
         */
        readonly FirstSentenceMode: "generated" | "static" | "none";
        /**
         * @description A vendor of voices.
         * @enum {string}
         */
        readonly VoiceProvider: "cartesia" | "elevenlabs";
        /**
         * @description Author of an answer.
         * @enum {string}
         */
        readonly FaqItemSource: "human" | "ai";
        /**
         * @description Type of an extracted value.
         * @enum {string}
         */
        readonly StructuredOutputFieldType: "string" | "number" | "boolean" | "enum" | "date" | "datetime";
        /**
         * @description Status of a campaign. No value means cancelled, see `is_cancelled`. From the campaigns pages.
         * @enum {string}
         */
        readonly CampaignStatus: "draft" | "running" | "paused" | "completed";
        /**
         * @description Filter of rows by result, for requests only. It has the results of attempts and two more values: `all` for no filter, and `none` for rows without a result (an assumption). From the campaigns pages.
         * @enum {string}
         */
        readonly CampaignRowResult: "IVR" | "voicemail" | "human" | "unknown" | "ios-screening-filter" | "all" | "none";
    };
    responses: {
        /** @description The request was not accepted, for example an argument out of range. From the public SDK. */
        readonly BadRequest: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The key is missing or not valid. From the public SDK. */
        readonly Unauthorized: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The key is valid, but the request is not permitted. From the public SDK. */
        readonly Forbidden: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The object does not exist, or this key has no access to it. From the public SDK. */
        readonly NotFound: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The request is well-formed, but an argument is not valid. From the public SDK. */
        readonly UnprocessableContent: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Too many requests. No limit is documented. The public SDK honours the response headers `retry-after-ms` and `retry-after` if they are present. */
        readonly TooManyRequests: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The service failed, or a proxy in front of it (then the body may not be JSON). From the public SDK. */
        readonly ServerError: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type CallEnvelope = components['schemas']['CallEnvelope'];
export type CallAttemptPage = components['schemas']['CallAttemptPage'];
export type AssistantList = components['schemas']['AssistantList'];
export type CampaignEnvelope = components['schemas']['CampaignEnvelope'];
export type CampaignList = components['schemas']['CampaignList'];
export type CampaignRowPage = components['schemas']['CampaignRowPage'];
export type Error = components['schemas']['Error'];
export type Call = components['schemas']['Call'];
export type CallAttempt = components['schemas']['CallAttempt'];
export type TranscriptMessage = components['schemas']['TranscriptMessage'];
export type Assistant = components['schemas']['Assistant'];
export type Calendly = components['schemas']['Calendly'];
export type CallRetryConfig = components['schemas']['CallRetryConfig'];
export type CallingWindow = components['schemas']['CallingWindow'];
export type LlmModel = components['schemas']['LlmModel'];
export type DedicatedInstanceLlmModel = components['schemas']['DedicatedInstanceLlmModel'];
export type OpenrouterLlmModel = components['schemas']['OpenrouterLlmModel'];
export type StructuredOutputField = components['schemas']['StructuredOutputField'];
export type Voice = components['schemas']['Voice'];
export type FaqItem = components['schemas']['FaqItem'];
export type CampaignReference = components['schemas']['CampaignReference'];
export type Campaign = components['schemas']['Campaign'];
export type CampaignRow = components['schemas']['CampaignRow'];
export type Timestamp = components['schemas']['Timestamp'];
export type CallStatus = components['schemas']['CallStatus'];
export type CallDirection = components['schemas']['CallDirection'];
export type CallAttemptStatus = components['schemas']['CallAttemptStatus'];
export type CallAttemptResult = components['schemas']['CallAttemptResult'];
export type DialError = components['schemas']['DialError'];
export type EndedBy = components['schemas']['EndedBy'];
export type TranscriptRole = components['schemas']['TranscriptRole'];
export type FirstSentenceMode = components['schemas']['FirstSentenceMode'];
export type VoiceProvider = components['schemas']['VoiceProvider'];
export type FaqItemSource = components['schemas']['FaqItemSource'];
export type StructuredOutputFieldType = components['schemas']['StructuredOutputFieldType'];
export type CampaignStatus = components['schemas']['CampaignStatus'];
export type CampaignRowResult = components['schemas']['CampaignRowResult'];
export type ResponseBadRequest = components['responses']['BadRequest'];
export type ResponseUnauthorized = components['responses']['Unauthorized'];
export type ResponseForbidden = components['responses']['Forbidden'];
export type ResponseNotFound = components['responses']['NotFound'];
export type ResponseUnprocessableContent = components['responses']['UnprocessableContent'];
export type ResponseTooManyRequests = components['responses']['TooManyRequests'];
export type ResponseServerError = components['responses']['ServerError'];
export type $defs = Record<string, never>;
export interface operations {
    readonly getCall: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description Id of the call order. Opaque; percent-encoded in the path. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The call order, wrapped. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallEnvelope"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 422: components["responses"]["UnprocessableContent"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly "5XX": components["responses"]["ServerError"];
        };
    };
    readonly listCallAttempts: {
        readonly parameters: {
            readonly query: {
                /** @description Number of the page. The documentation contradicts itself: its text counts from 0, its minimum is 1. The minimum is kept here as documented. The gateway detects which of the two is right, so it may send 0. */
                readonly page: number;
                /** @description Attempts per page. No practical maximum is documented. The service may serve fewer than requested. */
                readonly page_size: number;
                /** @description Only attempts whose order has one of these statuses (statuses of orders, not of attempts). Absent means no filter. The encoding of a list is not documented: values joined with commas are an assumption of this project, and a setting of the gateway. */
                readonly statuses?: readonly components["schemas"]["CallStatus"][];
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The attempts of this page, wrapped. The response to a page past the end is not documented. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CallAttemptPage"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 422: components["responses"]["UnprocessableContent"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly "5XX": components["responses"]["ServerError"];
        };
    };
    readonly listAssistants: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The assistants, wrapped. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AssistantList"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 422: components["responses"]["UnprocessableContent"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly "5XX": components["responses"]["ServerError"];
        };
    };
    readonly getAssistant: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description Id of the assistant. Opaque; percent-encoded in the path. From the assistants pages. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The assistant, not wrapped. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Assistant"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 422: components["responses"]["UnprocessableContent"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly "5XX": components["responses"]["ServerError"];
        };
    };
    readonly listCampaigns: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The campaigns, wrapped. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CampaignList"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 422: components["responses"]["UnprocessableContent"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly "5XX": components["responses"]["ServerError"];
        };
    };
    readonly getCampaign: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description Id of the campaign. Opaque; percent-encoded in the path. From the campaigns pages. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The campaign, wrapped. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CampaignEnvelope"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 422: components["responses"]["UnprocessableContent"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly "5XX": components["responses"]["ServerError"];
        };
    };
    readonly listCampaignRows: {
        readonly parameters: {
            readonly query: {
                /** @description Number of the page. Neither the number of the first page nor a bound is documented. The gateway detects the number. From the campaigns pages. */
                readonly page: number;
                /** @description Rows per page; no bound is documented. From the campaigns pages. */
                readonly page_size: number;
                /** @description Text to search for. The searched columns are not documented. From the campaigns pages. */
                readonly query?: string;
                /** @description Only rows with this result. From the campaigns pages. */
                readonly result?: components["schemas"]["CampaignRowResult"];
                /**
                 * @description Only rows whose call order has one of these statuses. It is documented as one string, not as a list. Values of CallStatus joined with commas are an assumption of this project. From the campaigns pages.
                 * @example completed,errored
                 */
                readonly statuses?: string;
            };
            readonly header?: never;
            readonly path: {
                /** @description Id of the campaign. Opaque; percent-encoded in the path. From the campaigns pages. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The rows of this page, with the total. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CampaignRowPage"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 422: components["responses"]["UnprocessableContent"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly "5XX": components["responses"]["ServerError"];
        };
    };
}

/** The documented values of each enum, as REST spells them. */
export const wireEnums: { readonly [name: string]: readonly string[] } = {
  CallStatus: ["initializing","queued_for_calling","calling","scheduled","completed","cancelled","errored"],
  CallDirection: ["inbound","outbound"],
  CallAttemptStatus: ["queued","ringing","ongoing","completed","error"],
  CallAttemptResult: ["IVR","voicemail","human","unknown","ios-screening-filter"],
  DialError: ["number_non_attributed","too_many_calls","busy","temporarily_unavailable","no_answer","no_international_permission","precondition_failed","non_classified_error"],
  EndedBy: ["agent","user","system"],
  TranscriptRole: ["user","assistant","tool"],
  FirstSentenceMode: ["generated","static","none"],
  VoiceProvider: ["cartesia","elevenlabs"],
  FaqItemSource: ["human","ai"],
  StructuredOutputFieldType: ["string","number","boolean","enum","date","datetime"],
  CampaignStatus: ["draft","running","paused","completed"],
  CampaignRowResult: ["IVR","voicemail","human","unknown","ios-screening-filter","all","none"],
};
/** By the name of an object: the keys that are always present, and those that are never null if present. */
export const wireContracts: {
  readonly [name: string]: { readonly required: readonly string[]; readonly notNull: readonly string[] };
} = {
  Call: {"required":["id","assistant","call_attempts","call_retry_config","calls_count","campaign","created_at","direction","first_sentence_delay_ms","from_phone_number","is_cancelled","is_completed","last_call_attempt","llm_model","metadata","organization_id","scheduled_at","status","to_phone_number"],"notNull":["id","call_attempts","calls_count","direction","first_sentence_delay_ms","from_phone_number","is_cancelled","is_completed","llm_model","organization_id","status","to_phone_number"]},
  CallAttempt: {"required":["id","answered_at","dial_error","ended_at","phone_number","recording_url","result","started_at","status"],"notNull":["id","phone_number","status"]},
  TranscriptMessage: {"required":["content","role"],"notNull":["content","role","tool_is_error","tool_name"]},
  Assistant: {"required":["id","background_sound","calendly","call_retry_config","created_at","end_of_call_sentence","first_sentence","first_sentence_delay_ms","first_sentence_mode","ivr_navigation_enabled","llm_model","max_call_duration_secs","name","organization_id","prompt","structured_output_config","transfer_phone_number","updated_at","voice","voicemail_message","webhook_url"],"notNull":["id","first_sentence_delay_ms","first_sentence_mode","ivr_navigation_enabled","llm_model","max_call_duration_secs","name","organization_id","prompt","faq_items","pending_faq_count"]},
  Calendly: {"required":["connection_id","event_type_id"],"notNull":["connection_id","event_type_id"]},
  CallRetryConfig: {"required":["calling_windows","max_retry_attempts"],"notNull":["calling_windows","max_retry_attempts"]},
  CallingWindow: {"required":["calling_window_end_time","calling_window_start_time","retry_delay_seconds"],"notNull":["calling_window_end_time","calling_window_start_time","retry_delay_seconds"]},
  DedicatedInstanceLlmModel: {"required":["name","type"],"notNull":["name","type"]},
  OpenrouterLlmModel: {"required":["openrouter_model_id","openrouter_provider","type"],"notNull":["openrouter_model_id","openrouter_provider","type"]},
  StructuredOutputField: {"required":["name","required","type"],"notNull":["name","required","type","description","enum_options"]},
  Voice: {"required":["id","provider"],"notNull":["id","provider","speed"]},
  FaqItem: {"required":["answer","question"],"notNull":["answer","question","id","needs_human_answer","source"]},
  Campaign: {"required":["id","assistant_id","created_at","is_cancelled","name","organization_id","status","updated_at"],"notNull":["id","assistant_id","is_cancelled","name","organization_id","status"]},
  CampaignRow: {"required":["id","input_data","phone_number","row_index"],"notNull":["id","input_data","phone_number","row_index","call"]},
};
