export interface paths {
    "/call/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One call order
         * @description One call order with its assistant, its settings and all its attempts. The id is that of an order; whether the id of an attempt is accepted is not documented.
         */
        get: operations["getCall"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/call": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One page of call attempts
         * @description One page of call attempts (not of orders, although the path and the key `calls` suggest them). No total, no echo of the page, no documented order. An attempt does not name its order. The page's prose promises the assistant in each entry; its schema has none.
         */
        get: operations["listCallAttempts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All assistants
         * @description All assistants of the organization in one answer, without pages. From the assistants pages.
         */
        get: operations["listAssistants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One assistant
         * @description One assistant. Documented as the bare object, unlike every other answer; Revox's own n8n node also expects it wrapped as `{assistant}`, so the gateway accepts both. From the assistants pages.
         */
        get: operations["getAssistant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/campaigns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All campaigns
         * @description All campaigns of the organization in one answer, without pages or documented filters. From the campaigns pages.
         */
        get: operations["listCampaigns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/campaigns/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One campaign
         * @description One campaign, without its rows. From the campaigns pages.
         */
        get: operations["getCampaign"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/campaigns/{id}/rows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One page of a campaign's rows
         * @description One page of the contacts of a campaign, each with its whole call order once there is one. The only list that tells its total. From the campaigns pages.
         */
        get: operations["listCampaignRows"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The answer to a request for one call order. */
        CallEnvelope: {
            /** @description The call order. */
            call: components["schemas"]["Call"];
        };
        /** @description One page of call attempts. The end of the list shows only in a short or an empty page. */
        CallAttemptPage: {
            /** @description Call attempts, despite the key's name. Their order is not documented. */
            calls: components["schemas"]["CallAttempt"][];
        };
        /** @description All assistants. From the assistants pages. */
        AssistantList: {
            /** @description The assistants. Their order is not documented. From the assistants pages. */
            assistants: components["schemas"]["Assistant"][];
        };
        /** @description The answer to a request for one campaign. From the campaigns pages. */
        CampaignEnvelope: {
            /** @description The campaign. From the campaigns pages. */
            campaign: components["schemas"]["Campaign"];
        };
        /** @description All campaigns. From the campaigns pages. */
        CampaignList: {
            /** @description The campaigns. Their order is not documented. From the campaigns pages. */
            campaigns: components["schemas"]["Campaign"][];
        };
        /** @description One page of a campaign's rows. From the campaigns pages. */
        CampaignRowPage: {
            /** @description Number of this page, in the service's own counting. From the campaigns pages. */
            page: number;
            /** @description Rows per page. From the campaigns pages. */
            page_size: number;
            /** @description The rows of this page. From the campaigns pages. */
            rows: components["schemas"]["CampaignRow"][];
            /** @description Count of the rows on all pages. From the campaigns pages. */
            total: number;
        };
        /** @description The body of a refusal. Its shape is not documented anywhere: it may have other keys, and may not be JSON at all. The public SDK shows `message` where there is one. */
        Error: {
            /** @description What went wrong, in words. From the public SDK. */
            message?: string;
        };
        /** @description A call order, a request to reach one number, resolved by one or several attempts over up to some days. */
        Call: {
            /** @description Id of the order. */
            id: string;
            /** @description The assistant that speaks, whole. Null when there is none on record. */
            assistant: components["schemas"]["Assistant"] | null;
            /** @description Every attempt made for this order, newest first. */
            call_attempts: components["schemas"]["CallAttempt"][];
            /** @description When and how often to try again. Null means that Revox's defaults hold. */
            call_retry_config: components["schemas"]["CallRetryConfig"] | null;
            /** @description Count of attempts made so far. */
            calls_count: number;
            /** @description The campaign this order belongs to, by id and name only. Null when it belongs to none. */
            campaign: components["schemas"]["CampaignReference"] | null;
            /** @description When the order was made. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who called whom. */
            direction: components["schemas"]["CallDirection"];
            /** @description Milliseconds of silence before the opening sentence; 400 unless set. */
            first_sentence_delay_ms: number;
            /** @description The calling number, in E.164 form. */
            from_phone_number: string;
            /**
             * @deprecated
             * @description Whether the order was cancelled. Follows from `status`, which replaces it.
             */
            is_cancelled: boolean;
            /**
             * @deprecated
             * @description Whether the order is done. Follows from `status`, which replaces it.
             */
            is_completed: boolean;
            /** @description The newest attempt, a copy of the one in `call_attempts`. Null before the first attempt. */
            last_call_attempt: components["schemas"]["CallAttempt"] | null;
            /** @description The language model used for this order. */
            llm_model: components["schemas"]["LlmModel"];
            /** @description Free pairs of texts stored with the order by whoever made it. Null when none were given. */
            metadata: {
                [key: string]: string;
            } | null;
            /** @description Id of the organization the order belongs to. */
            organization_id: string;
            /** @description When the order is due to start. */
            scheduled_at: components["schemas"]["Timestamp"];
            /** @description Where the order stands. */
            status: components["schemas"]["CallStatus"];
            /** @description The called number, in E.164 form. */
            to_phone_number: string;
        };
        /** @description One telephone call made to the number of an order. It does not name its order. */
        CallAttempt: {
            /** @description Id of the attempt; not the id of its order. */
            id: string;
            /** @description When somebody or something picked up. */
            answered_at: components["schemas"]["Timestamp"];
            /** @description Why dialling failed, by SIP. Null when it did not. */
            dial_error: components["schemas"]["DialError"] | null;
            /** @description When the attempt was over. */
            ended_at: components["schemas"]["Timestamp"];
            /** @description The number dialled, in E.164 form. */
            phone_number: string;
            /** @description Address of the sound recording. Null when there is none. How long it stays valid is not documented. */
            recording_url: string | null;
            /** @description Who or what answered. Null while, or if, there is no result. */
            result: components["schemas"]["CallAttemptResult"] | null;
            /** @description When the attempt began. */
            started_at: components["schemas"]["Timestamp"];
            /** @description Where the attempt stands. */
            status: components["schemas"]["CallAttemptStatus"];
            /**
             * @description Why the agent ended the call; free text. Absent or null when not known or when it was not the agent.
             * @example tool_end_call
             * @example voicemail
             * @example transfer
             * @example ivr_no_navigate
             */
            end_reason?: string | null;
            /** @description Who ended the call. Absent or null when not known (that it may be null is our reading; the seeds only call it optional). */
            ended_by?: components["schemas"]["EndedBy"] | null;
            /** @description What was extracted from the conversation, keyed by the names in the assistant's structured_output_config. Absent or null when nothing was. */
            structured_output?: {
                [key: string]: unknown;
            } | null;
            /** @description What was said, in order. Absent or null when there is no transcript. */
            transcript?: components["schemas"]["TranscriptMessage"][] | null;
        };
        /** @description One utterance, or one use of a tool, within a call. */
        TranscriptMessage: {
            /** @description The words, or the tool's text. */
            content: string;
            /** @description Who it is from. */
            role: components["schemas"]["TranscriptRole"];
            /** @description What the tool was called with, parsed or as text. Absent or null when it is no use of a tool. */
            tool_arguments?: {
                [key: string]: unknown;
            } | string | null;
            /** @description Whether the tool failed. Absent when it is no use of a tool. */
            tool_is_error?: boolean;
            /** @description Name of the tool. Absent when it is no use of a tool. */
            tool_name?: string;
        };
        /** @description An AI agent with its voice, words and settings. The fields are from the seeds, where it is part of a call; the assistants pages have the same. */
        Assistant: {
            /** @description Id of the assistant. */
            id: string;
            /**
             * @description Sound played behind the voice. Null means silence. One value is documented; it is not taken for a closed set here.
             * @example audio/office.ogg
             */
            background_sound: string | null;
            /** @description Where the assistant books appointments. Null when it books none. */
            calendly: components["schemas"]["Calendly"] | null;
            /** @description When and how often to try again. Null means that Revox's defaults hold. */
            call_retry_config: components["schemas"]["CallRetryConfig"] | null;
            /** @description When the assistant was made. */
            created_at: components["schemas"]["Timestamp"];
            /** @description What the assistant says at the end. Null when nothing is set. */
            end_of_call_sentence: string | null;
            /** @description The opening sentence, see `first_sentence_mode`. Null when none is set. */
            first_sentence: string | null;
            /** @description Milliseconds of silence before the opening sentence; 400 unless set. */
            first_sentence_delay_ms: number;
            /** @description Where the opening sentence comes from. */
            first_sentence_mode: components["schemas"]["FirstSentenceMode"];
            /** @description Whether the assistant may find its way through telephone menus, by key tones and by waiting. */
            ivr_navigation_enabled: boolean;
            /** @description The language model it uses. */
            llm_model: components["schemas"]["LlmModel"];
            /** @description Seconds after which a call is ended. */
            max_call_duration_secs: number;
            /** @description Name of the assistant, for people. */
            name: string;
            /** @description Id of the organization the assistant belongs to. */
            organization_id: string;
            /** @description The instructions the assistant follows. */
            prompt: string;
            /** @description What to extract from each call. Null when nothing is. */
            structured_output_config: components["schemas"]["StructuredOutputField"][] | null;
            /** @description Number that callers who ask for a person are passed on to. Null when there is no passing on. */
            transfer_phone_number: string | null;
            /** @description When the assistant was last changed. */
            updated_at: components["schemas"]["Timestamp"];
            /** @description The voice it speaks with. Null means Revox's default. */
            voice: components["schemas"]["Voice"] | null;
            /** @description What is left on an answering machine before hanging up. Null means hanging up at once. */
            voicemail_message: string | null;
            /** @description Address that Revox notifies when a call is completed. Null means nobody. */
            webhook_url: string | null;
            /** @description Questions it can answer. Absent when none were sent along. */
            faq_items?: components["schemas"]["FaqItem"][];
            /** @description Count of questions that still wait for an answer (our reading of the name). May be absent. */
            pending_faq_count?: number;
        };
        /** @description The link to a Calendly account. */
        Calendly: {
            /** @description Id, at Revox, of the connection to the Calendly account. */
            connection_id: string;
            /** @description What kind of appointment to book, given as the address of a Calendly event type. */
            event_type_id: string;
        };
        /** @description When and how often an order is tried again. */
        CallRetryConfig: {
            /** @description The times of day in which calls may be made. */
            calling_windows: components["schemas"]["CallingWindow"][];
            /** @description How many times to try again at most; 3 unless set. */
            max_retry_attempts: number;
            /**
             * @description IANA name of the time zone the windows are in. Absent or null means the one that the called number's country code suggests.
             * @example Europe/Paris
             */
            timezone?: string | null;
        };
        /** @description A span of the day in which calls may be made, in the time of the called person unless a zone is set. */
        CallingWindow: {
            /**
             * @description End of the span, as 24-hour or 12-hour text; 18:00 unless set.
             * @example 17:00
             * @example 6pm
             */
            calling_window_end_time: string;
            /**
             * @description Start of the span, as 24-hour or 12-hour text; 10:00 unless set.
             * @example 09:00
             * @example 10am
             */
            calling_window_start_time: string;
            /** @description Seconds between one attempt and the next; 7200 unless set. */
            retry_delay_seconds: number;
        };
        /** @description A language model, in one of the documented kinds. Further kinds must be expected. */
        LlmModel: components["schemas"]["DedicatedInstanceLlmModel"] | components["schemas"]["OpenrouterLlmModel"];
        /** @description A model that Revox runs itself. */
        DedicatedInstanceLlmModel: {
            /**
             * @description Name of the model. Two are documented; they are not taken for a closed set here.
             * @example gpt-4.1
             * @example ministral-3-8b-instruct
             */
            name: string;
            /**
             * @description Tells this kind from the others. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "dedicated-instance";
        };
        /** @description A model reached through OpenRouter. */
        OpenrouterLlmModel: {
            /**
             * @description OpenRouter's id of the model.
             * @example openai/gpt-4.1
             */
            openrouter_model_id: string;
            /**
             * @description Who runs the model for OpenRouter.
             * @example nebius
             * @example openai
             * @example azure
             */
            openrouter_provider: string;
            /**
             * @description Tells this kind from the others. (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "openrouter";
        };
        /** @description One thing to extract from a call. */
        StructuredOutputField: {
            /** @description Its name, and its key in an attempt's structured_output. */
            name: string;
            /** @description Whether it must be found (our reading; the seeds do not explain it). */
            required: boolean;
            /** @description What kind of value it is. */
            type: components["schemas"]["StructuredOutputFieldType"];
            /** @description What it means, in words for the model. May be absent. */
            description?: string;
            /** @description The values to choose from where the type is `enum`. Otherwise absent. */
            enum_options?: string[];
        };
        /** @description A vendor's voice with its setting, as used by an assistant. */
        Voice: {
            /** @description The vendor's id of the voice; it does not identify this object. */
            id: string;
            /** @description The vendor. */
            provider: components["schemas"]["VoiceProvider"];
            /** @description Speed as a factor, 1.0 unless set. Cartesia takes 0.6 to 1.5, ElevenLabs 0.7 to 1.2. May be absent. */
            speed?: number;
        };
        /** @description A question with its answer. */
        FaqItem: {
            /** @description The answer. */
            answer: string;
            /** @description The question. */
            question: string;
            /** @description Id of the entry. May be absent. */
            id?: string;
            /** @description Whether a person still has to answer it. May be absent. */
            needs_human_answer?: boolean;
            /** @description Who wrote it. May be absent. */
            source?: components["schemas"]["FaqItemSource"];
        };
        /** @description The campaign of a call order, by id and name only. */
        CampaignReference: {
            /** @description Id of the campaign. */
            id: string;
            /** @description Name of the campaign, for people. */
            name: string;
        };
        /** @description A list of contacts that are called with one assistant. From the campaigns pages, which count 14 keys of which the public copies show the nine below; the other five, optional and unknown to us, are left to the open object. */
        Campaign: {
            /** @description Id of the campaign. From the campaigns pages. */
            id: string;
            /** @description Id of the assistant that makes the calls. From the campaigns pages. */
            assistant_id: string;
            /** @description When the campaign was made. From the campaigns pages. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Whether it was cancelled. No status says so, thus not deprecated. From the campaigns pages. */
            is_cancelled: boolean;
            /** @description Name of the campaign, for people. From the campaigns pages. */
            name: string;
            /** @description Id of the organization the campaign belongs to. From the campaigns pages. */
            organization_id: string;
            /** @description Where the campaign stands. From the campaigns pages. */
            status: components["schemas"]["CampaignStatus"];
            /** @description When the campaign was last changed. From the campaigns pages. */
            updated_at: components["schemas"]["Timestamp"];
            /** @description The assistant that makes the calls, whole. May be absent; whether it may be null is not documented, so null is allowed here. From the campaigns pages. */
            assistant?: components["schemas"]["Assistant"] | null;
        };
        /** @description One contact of a campaign. From the campaigns pages. */
        CampaignRow: {
            /** @description Id of the row. From the campaigns pages. */
            id: string;
            /** @description The contact's columns, which fill the variables of the prompt. From the campaigns pages. */
            input_data: {
                [key: string]: string;
            };
            /** @description The contact's number. From the campaigns pages. */
            phone_number: string;
            /** @description Place of the row in the campaign; whether it counts from 0 or 1 is not documented. From the campaigns pages. */
            row_index: number;
            /** @description The call order made for this contact, whole. Absent while there is none (our reading). From the campaigns pages. */
            call?: components["schemas"]["Call"];
        };
        /** @description A point in time, of undocumented type, so anything goes here. RFC 3339 text is seen in public examples; a count of seconds or milliseconds since 1970, and null for what has not happened, must be expected. The seeds show an empty object in its place. */
        Timestamp: unknown;
        /**
         * @description Where a call order stands, from being set up, through waiting and calling, to done (completed), called off (cancelled) or failed (errored).
         * @enum {string}
         */
        CallStatus: "initializing" | "queued_for_calling" | "calling" | "scheduled" | "completed" | "cancelled" | "errored";
        /**
         * @description Whether the call came in to Revox or went out from it.
         * @enum {string}
         */
        CallDirection: "inbound" | "outbound";
        /**
         * @description Where one attempt stands. Not the statuses of an order; failure is `error` here, `errored` there.
         * @enum {string}
         */
        CallAttemptStatus: "queued" | "ringing" | "ongoing" | "completed" | "error";
        /**
         * @description Who or what answered, a telephone menu (IVR), an answering machine, a person, an iPhone that screens its calls, or one cannot say (unknown).
         * @enum {string}
         */
        CallAttemptResult: "IVR" | "voicemail" | "human" | "unknown" | "ios-screening-filter";
        /**
         * @description Why a number could not be reached, by SIP.
         * @enum {string}
         */
        DialError: "number_non_attributed" | "too_many_calls" | "busy" | "temporarily_unavailable" | "no_answer" | "no_international_permission" | "precondition_failed" | "non_classified_error";
        /**
         * @description Who ended a call, the AI agent, the person, or Revox itself (for example at the longest duration).
         * @enum {string}
         */
        EndedBy: "agent" | "user" | "system";
        /**
         * @description Who a part of a transcript is from, the person (user), the AI agent (assistant) or a tool it used.
         * @enum {string}
         */
        TranscriptRole: "user" | "assistant" | "tool";
        /**
         * @description Whether the opening sentence is made up by the model, taken as set, or left out (our reading; the seeds do not explain the values).
         * @enum {string}
         */
        FirstSentenceMode: "generated" | "static" | "none";
        /**
         * @description Vendor of a voice.
         * @enum {string}
         */
        VoiceProvider: "cartesia" | "elevenlabs";
        /**
         * @description Who wrote a question and answer.
         * @enum {string}
         */
        FaqItemSource: "human" | "ai";
        /**
         * @description Kind of an extracted value.
         * @enum {string}
         */
        StructuredOutputFieldType: "string" | "number" | "boolean" | "enum" | "date" | "datetime";
        /**
         * @description Where a campaign stands. There is no value for cancelled, see `is_cancelled`. From the campaigns pages.
         * @enum {string}
         */
        CampaignStatus: "draft" | "running" | "paused" | "completed";
        /**
         * @description Filter of rows by result, for queries only. The results of attempts, and two more, by name `all` for no filter and `none` for rows without a result (our reading). From the campaigns pages.
         * @enum {string}
         */
        CampaignRowResult: "IVR" | "voicemail" | "human" | "unknown" | "ios-screening-filter" | "all" | "none";
    };
    responses: {
        /** @description The request was not accepted, for example an argument out of range. From the public SDK. */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The key is missing or not valid. From the public SDK. */
        Unauthorized: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The key is valid but may not do this. From the public SDK. */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description There is no such object, or this key does not see it. From the public SDK. */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The request was understood, but an argument does not validate. From the public SDK. */
        UnprocessableContent: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Too many requests. No limit is documented. The public SDK honours the response headers `retry-after-ms` and `retry-after` if there are any. */
        TooManyRequests: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The service failed, or something in front of it did (then the body need not be JSON). From the public SDK. */
        ServerError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
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
    getCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the call order. Opaque; percent-encoded in the path. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The call order, wrapped. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallEnvelope"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["ServerError"];
        };
    };
    listCallAttempts: {
        parameters: {
            query: {
                /** @description Number of the page. The document contradicts itself: its text counts from 0, its bound is 1. The bound is kept here as documented; the gateway finds out which of the two holds, and so may send 0. */
                page: number;
                /** @description Attempts per page. No practical maximum is documented; the service may serve fewer than asked for. */
                page_size: number;
                /** @description Only attempts whose order has one of these statuses (statuses of orders, not of attempts). Absent means no filter. How a list is encoded is not documented: joined with commas is our assumption, and a setting of the gateway. */
                statuses?: components["schemas"]["CallStatus"][];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The attempts of this page, wrapped. How a page past the end is answered is not documented. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallAttemptPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["ServerError"];
        };
    };
    listAssistants: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The assistants, wrapped. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssistantList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["ServerError"];
        };
    };
    getAssistant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the assistant. Opaque; percent-encoded in the path. From the assistants pages. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The assistant, not wrapped. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Assistant"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["ServerError"];
        };
    };
    listCampaigns: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The campaigns, wrapped. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CampaignList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["ServerError"];
        };
    };
    getCampaign: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the campaign. Opaque; percent-encoded in the path. From the campaigns pages. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The campaign, wrapped. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CampaignEnvelope"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["ServerError"];
        };
    };
    listCampaignRows: {
        parameters: {
            query: {
                /** @description Number of the page. Neither the first page's number nor a bound is documented; the gateway finds out. From the campaigns pages. */
                page: number;
                /** @description Rows per page; no bound is documented. From the campaigns pages. */
                page_size: number;
                /** @description Text to search for. Which columns it searches is not documented. From the campaigns pages. */
                query?: string;
                /** @description Only rows with this result. From the campaigns pages. */
                result?: components["schemas"]["CampaignRowResult"];
                /**
                 * @description Only rows whose call order has one of these statuses. Documented as one string, not as a list; that it holds values of CallStatus joined with commas is our assumption. From the campaigns pages.
                 * @example completed,errored
                 */
                statuses?: string;
            };
            header?: never;
            path: {
                /** @description Id of the campaign. Opaque; percent-encoded in the path. From the campaigns pages. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rows of this page, with the total. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CampaignRowPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            "5XX": components["responses"]["ServerError"];
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
