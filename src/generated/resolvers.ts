import type { GraphQLResolveInfo, GraphQLScalarType, GraphQLScalarTypeConfig } from 'graphql';
import type { Call as WireCall, CallAttempt as WireCallAttempt, TranscriptMessage as WireTranscriptMessage, Assistant as WireAssistant, Calendly as WireCalendly, CallRetryConfig as WireCallRetryConfig, CallingWindow as WireCallingWindow, DedicatedInstanceLlmModel as WireDedicatedInstanceLlmModel, OpenrouterLlmModel as WireOpenrouterLlmModel, StructuredOutputField as WireStructuredOutputField, Voice as WireVoice, FaqItem as WireFaqItem, Campaign as WireCampaign, CampaignRow as WireCampaignRow } from './revox-api.ts';
import type { LiveEvent } from '../live/live-source.ts';
import type { RequestContext } from '../context/request-context.ts';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type RequireFields<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /**
   * A point in time, as RFC 3339 text in UTC or with an offset.
   *
   * RFC 3339 text passes unchanged. The gateway converts other ISO 8601 text and numbers to UTC. A
   * number below 10¹¹ counts seconds, a larger one milliseconds. The upstream does not document the type
   * of its times. A value that cannot be read as a time is null.
   */
  DateTime: { input: string; output: string; }
  /** Any JSON value. The schema uses it only where the payload of the upstream is free-form. */
  JSON: { input: unknown; output: unknown; }
  /**
   * An integer between −(2⁵³−1) and 2⁵³−1. The range is wider than that of `Int`, and every value is
   * exact in JavaScript.
   */
  SafeInt: { input: number; output: number; }
  /** The type and key of an object, from another subgraph: `{ "__typename": "Call", "id": "…" }`. */
  _Any: { input: unknown; output: unknown; }
  /** A selection of fields, without the outer braces. */
  federation__FieldSet: { input: never; output: never; }
  /** A name that is imported from a specification, or an object that renames it. */
  link__Import: { input: never; output: never; }
};

/** An AI agent that speaks in calls: its prompt, voice, model and settings. */
export type Assistant = Node & {
  readonly __typename?: 'Assistant';
  /** The background sound, for example `audio/office.ogg`. Null means silence. */
  readonly backgroundSound?: Maybe<Scalars['String']['output']>;
  /** The calendar in which the assistant books appointments, or null if it books none. */
  readonly calendly?: Maybe<Calendly>;
  /**
   * When and how often Revox tries an unanswered call of the assistant again. Null means that Revox's
   * defaults apply.
   */
  readonly callRetryConfig?: Maybe<CallRetryConfig>;
  /** The time at which the assistant was created. */
  readonly createdAt?: Maybe<Scalars['DateTime']['output']>;
  /** The last sentence of a call, or null if none is set. */
  readonly endOfCallSentence?: Maybe<Scalars['String']['output']>;
  /** The questions that the assistant can answer, or null if the upstream does not report them. */
  readonly faqItems?: Maybe<ReadonlyArray<FaqItem>>;
  /** The first sentence of a call, or null if none is set. */
  readonly firstSentence?: Maybe<Scalars['String']['output']>;
  /** The silence before the first sentence, in milliseconds. */
  readonly firstSentenceDelayMs?: Maybe<Scalars['SafeInt']['output']>;
  /** The source of the first sentence. */
  readonly firstSentenceMode?: Maybe<FirstSentenceMode>;
  /** The id of the assistant. */
  readonly id: Scalars['ID']['output'];
  /** Whether the assistant may navigate phone menus: press keys and skip turns. */
  readonly ivrNavigationEnabled?: Maybe<Scalars['Boolean']['output']>;
  /** The language model of the assistant. */
  readonly llmModel?: Maybe<LlmModel>;
  /** The maximum duration of a call, in seconds. */
  readonly maxCallDurationSecs?: Maybe<Scalars['Float']['output']>;
  /** The name of the assistant. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** The id of the organization that owns the assistant. */
  readonly organizationId?: Maybe<Scalars['ID']['output']>;
  /**
   * The number of questions that a person has not answered yet, or null if the upstream does not
   * report it.
   */
  readonly pendingFaqCount?: Maybe<Scalars['Int']['output']>;
  /** The instructions for the assistant. */
  readonly prompt?: Maybe<Scalars['String']['output']>;
  /** The values to extract from a conversation, or null if there are none. */
  readonly structuredOutputConfig?: Maybe<ReadonlyArray<StructuredOutputField>>;
  /**
   * The phone number to which the assistant transfers callers who ask for a person, in E.164 format.
   * Null means no transfer.
   */
  readonly transferPhoneNumber?: Maybe<Scalars['String']['output']>;
  /** The time at which the assistant was last changed. */
  readonly updatedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The voice of the assistant. Null means Revox's default voice. */
  readonly voice?: Maybe<Voice>;
  /**
   * The message that the assistant leaves on a voicemail. Null means that the assistant hangs up
   * immediately.
   */
  readonly voicemailMessage?: Maybe<Scalars['String']['output']>;
  /** The URL that Revox calls after a call ends, or null if there is none. */
  readonly webhookUrl?: Maybe<Scalars['String']['output']>;
};

/** One page of assistants. */
export type AssistantConnection = {
  readonly __typename?: 'AssistantConnection';
  /**
   * Whether the item of `after` or `before` and all its known neighbours are gone from the list. The
   * page then starts or ends at the item's last known position, and the walk may repeat or skip items.
   * It is false without a cursor. `extensions.pagination` reports the same.
   */
  readonly cursorItemGone: Scalars['Boolean']['output'];
  /** The assistants of this page with their cursors. */
  readonly edges: ReadonlyArray<AssistantEdge>;
  /** The assistants of this page without cursors. */
  readonly nodes: ReadonlyArray<Assistant>;
  /** The position of this page in the list. */
  readonly pageInfo: PageInfo;
  /** The number of assistants in the complete list. It costs no request beyond that of the list. */
  readonly totalCount?: Maybe<Scalars['Int']['output']>;
};

/** An assistant and its position in the list. */
export type AssistantEdge = {
  readonly __typename?: 'AssistantEdge';
  /** An opaque position in this list. It stays valid while the list changes. */
  readonly cursor: Scalars['String']['output'];
  /** The assistant. */
  readonly node: Assistant;
};

/** A connection to a Calendly account. */
export type Calendly = {
  readonly __typename?: 'Calendly';
  /** The id of the connection between the Calendly account and Revox. */
  readonly connectionId?: Maybe<Scalars['ID']['output']>;
  /** The Calendly API URL of the event type to book. */
  readonly eventTypeId?: Maybe<Scalars['String']['output']>;
};

/**
 * A call that Revox was ordered to make, or that came in. It may take several attempts over several
 * days.
 */
export type Call = Node & {
  readonly __typename?: 'Call';
  /**
   * The assistant that speaks in this call, or null if the call contains none. It is part of the call
   * and costs no upstream request.
   *
   * The upstream does not document whether its settings are those of the time of the call or those of
   * today. If they differ from `assistant(id:)`, a client cache that stores both by `id` keeps only the
   * one that it received last.
   */
  readonly assistant?: Maybe<Assistant>;
  /**
   * The attempts made so far, newest first. The list is empty before the first attempt. The attempts
   * are part of the call and cost no upstream request.
   */
  readonly callAttempts: ReadonlyArray<CallAttempt>;
  /** When and how often Revox tries an unanswered call again. Null means that Revox's defaults apply. */
  readonly callRetryConfig?: Maybe<CallRetryConfig>;
  /** The number of attempts made so far. */
  readonly callsCount?: Maybe<Scalars['Int']['output']>;
  /**
   * The campaign of this call, or null if the call belongs to no campaign.
   *
   * Upstream: `id` and `name` are part of the call and cost no request. Any other field costs as much
   * as `campaign(id:)`.
   */
  readonly campaign?: Maybe<Campaign>;
  /** The time at which the call was created. */
  readonly createdAt?: Maybe<Scalars['DateTime']['output']>;
  /** Whether the call is inbound or outbound. */
  readonly direction?: Maybe<CallDirection>;
  /** The silence before the first sentence, in milliseconds. */
  readonly firstSentenceDelayMs?: Maybe<Scalars['SafeInt']['output']>;
  /** The calling phone number, in E.164 format. */
  readonly fromPhoneNumber?: Maybe<Scalars['String']['output']>;
  /** The id of the call. */
  readonly id: Scalars['ID']['output'];
  /**
   * Whether the call was cancelled.
   * @deprecated Derived from `status` by the upstream. Use `status`: CANCELLED. Removal: not before 2027-06-30.
   */
  readonly isCancelled?: Maybe<Scalars['Boolean']['output']>;
  /**
   * Whether the call is over.
   * @deprecated Derived from `status` by the upstream. Use `status`: COMPLETED. Removal: not before 2027-06-30.
   */
  readonly isCompleted?: Maybe<Scalars['Boolean']['output']>;
  /**
   * The newest attempt, or null before the first attempt. It is part of the call and costs no upstream
   * request.
   */
  readonly lastCallAttempt?: Maybe<CallAttempt>;
  /** The language model of this call. */
  readonly llmModel?: Maybe<LlmModel>;
  /** The key-value pairs of text that were stored when the call was created, or null if there are none. */
  readonly metadata?: Maybe<Scalars['JSON']['output']>;
  /** The id of the organization that owns the call. */
  readonly organizationId?: Maybe<Scalars['ID']['output']>;
  /** The time for which the call is scheduled, or null if it is not scheduled. */
  readonly scheduledAt?: Maybe<Scalars['DateTime']['output']>;
  /** The status of the call. */
  readonly status?: Maybe<CallStatus>;
  /** The called phone number, in E.164 format. */
  readonly toPhoneNumber?: Maybe<Scalars['String']['output']>;
};

/**
 * One attempt to reach the phone number of a call. The REST API has no endpoint for an attempt, so an
 * attempt is not a `Node`.
 */
export type CallAttempt = {
  readonly __typename?: 'CallAttempt';
  /** The time at which the call was answered, or null if it was not answered (yet). */
  readonly answeredAt?: Maybe<Scalars['DateTime']['output']>;
  /** The reason why the connection failed, or null if it succeeded. */
  readonly dialError?: Maybe<DialError>;
  /**
   * The reason why the assistant ended the call: free text such as `tool_end_call`, `voicemail` or
   * `transfer`. It is null if the assistant did not end the call.
   */
  readonly endReason?: Maybe<Scalars['String']['output']>;
  /** The time at which the attempt ended, or null while it lasts. */
  readonly endedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The party that ended the call, or null while the call lasts or if the party is unknown. */
  readonly endedBy?: Maybe<EndedBy>;
  /** The id of the attempt. It differs from the id of the call. */
  readonly id: Scalars['ID']['output'];
  /** The dialled phone number, in E.164 format. */
  readonly phoneNumber?: Maybe<Scalars['String']['output']>;
  /** The URL of the recording, or null if there is none. The link may expire. */
  readonly recordingUrl?: Maybe<Scalars['String']['output']>;
  /** The party that answered, or null if there is no result (yet). */
  readonly result?: Maybe<CallAttemptResult>;
  /** The time at which the attempt started, or null while it is queued. */
  readonly startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The status of the attempt. */
  readonly status?: Maybe<CallAttemptStatus>;
  /**
   * The values that were extracted from the conversation, by the names in the assistant's
   * `structuredOutputConfig`, or null if there are none.
   */
  readonly structuredOutput?: Maybe<Scalars['JSON']['output']>;
  /** The messages of the conversation, in order, or null if there is no transcript. */
  readonly transcript?: Maybe<ReadonlyArray<TranscriptMessage>>;
};

/** One page of call attempts. */
export type CallAttemptConnection = {
  readonly __typename?: 'CallAttemptConnection';
  /**
   * Whether the item of `after` or `before` and all its known neighbours are gone from the list. The
   * page then starts or ends at the item's last known position, and the walk may repeat or skip items.
   * It is false without a cursor. `extensions.pagination` reports the same.
   */
  readonly cursorItemGone: Scalars['Boolean']['output'];
  /** The attempts of this page with their cursors. */
  readonly edges: ReadonlyArray<CallAttemptEdge>;
  /** The attempts of this page without cursors. */
  readonly nodes: ReadonlyArray<CallAttempt>;
  /** The position of this page in the list. */
  readonly pageInfo: PageInfo;
  /**
   * The number of attempts in the complete list, with the same filter.
   *
   * Upstream: the list has no total. The gateway searches for the last page with about 2·log₂ of the
   * number of pages in requests, only if the operation selects this field.
   */
  readonly totalCount?: Maybe<Scalars['Int']['output']>;
};

/** A call attempt and its position in the list. */
export type CallAttemptEdge = {
  readonly __typename?: 'CallAttemptEdge';
  /** An opaque position in this list with this filter. It stays valid while the list changes. */
  readonly cursor: Scalars['String']['output'];
  /** The attempt. */
  readonly node: CallAttempt;
};

/** The party that answered an attempt. */
export type CallAttemptResult =
  /** A person. */
  | 'human'
  /** The call screening of an iPhone. */
  | 'ios-screening-filter'
  /** A phone menu. */
  | 'IVR'
  /**
   * Revox could not determine the party. This is a value of the REST API and differs from
   * `UNRECOGNIZED`.
   */
  | 'unknown'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED'
  /** A voicemail. */
  | 'voicemail';

/** The status of an attempt. */
export type CallAttemptStatus =
  /** The attempt is over. */
  | 'completed'
  /** The attempt failed. */
  | 'error'
  /** The conversation is in progress. */
  | 'ongoing'
  /** The attempt waits to be dialled. */
  | 'queued'
  /** The other phone is ringing. */
  | 'ringing'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** The direction of a call. */
export type CallDirection =
  /** A person calls the assistant. */
  | 'inbound'
  /** The assistant calls a person. */
  | 'outbound'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** The state up to which a subscription follows a call. */
export type CallMilestone =
  /** The call and all of its attempts are over. */
  | 'ENDED'
  /**
   * The call is over, and its transcript, recording and structured output have had time to arrive: by
   * default five minutes (`FRESHNESS_SETTLING_CALL_MS`).
   */
  | 'SETTLED';

/** When and how often Revox tries an unanswered call again. */
export type CallRetryConfig = {
  readonly __typename?: 'CallRetryConfig';
  /** The times of day at which Revox may call. The list is empty if no window is set. */
  readonly callingWindows: ReadonlyArray<CallingWindow>;
  /** The maximum number of retries of a call. */
  readonly maxRetryAttempts?: Maybe<Scalars['SafeInt']['output']>;
  /**
   * The IANA time zone of the calling windows. Null means the time zone of the called number's
   * country.
   */
  readonly timezone?: Maybe<Scalars['String']['output']>;
};

/** The status of a call. `UNRECOGNIZED` is not accepted as an argument. */
export type CallStatus =
  /** An attempt is in progress. */
  | 'calling'
  /** The call was cancelled. */
  | 'cancelled'
  /** The call is complete. No further attempt follows. */
  | 'completed'
  /** The call failed. */
  | 'errored'
  /** The call is being set up. */
  | 'initializing'
  /** The call waits for a free line. */
  | 'queued_for_calling'
  /** The next attempt is scheduled. */
  | 'scheduled'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** The state of one of several calls. */
export type CallUpdate = {
  readonly __typename?: 'CallUpdate';
  /** The call, or null if it does not exist. */
  readonly call?: Maybe<Call>;
  /**
   * The id of the call, as in `ids`. It is not named `id`, because client caches would then mistake this
   * object for the call.
   */
  readonly callId: Scalars['ID']['output'];
};

/**
 * A window of the day in which Revox may call, in the called person's local time unless a time zone is
 * set.
 */
export type CallingWindow = {
  readonly __typename?: 'CallingWindow';
  /** The end of the window, for example `17:00` or `6pm`. */
  readonly callingWindowEndTime?: Maybe<Scalars['String']['output']>;
  /** The start of the window, for example `09:00` or `10am`. */
  readonly callingWindowStartTime?: Maybe<Scalars['String']['output']>;
  /** The delay before the next attempt, in seconds. */
  readonly retryDelaySeconds?: Maybe<Scalars['SafeInt']['output']>;
};

/** A campaign calls a list of people with one assistant. */
export type Campaign = Node & {
  readonly __typename?: 'Campaign';
  /**
   * The assistant that speaks in the calls of this campaign, or null if the campaign names none, or one
   * that does not exist.
   *
   * Upstream: no request if the campaign contains the assistant, as most campaigns do. Otherwise it
   * costs as much as `assistant(id:)`.
   */
  readonly assistant?: Maybe<Assistant>;
  /** The id of the assistant of this campaign. */
  readonly assistantId?: Maybe<Scalars['ID']['output']>;
  /** The time at which the campaign was created. */
  readonly createdAt?: Maybe<Scalars['DateTime']['output']>;
  /** The id of the campaign. */
  readonly id: Scalars['ID']['output'];
  /** Whether the campaign was cancelled. No `status` says so. */
  readonly isCancelled?: Maybe<Scalars['Boolean']['output']>;
  /** The name of the campaign. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** The id of the organization that owns the campaign. */
  readonly organizationId?: Maybe<Scalars['ID']['output']>;
  /**
   * Lists the people to call, one row for each person.
   *
   * Upstream: the gateway reads pages of 50 rows (`REVOX_PAGE_SIZE`). A page of up to 50 rows of a
   * forward walk costs at most two requests, `hasNextPage` included, while the list does not change.
   * If it has changed, the search for the cursor may read more pages. The gateway detects the number
   * of the upstream's first page, and verifies it from time to time, usually by two more requests
   * (`REVOX_FIRST_PAGE`). A row contains its call.
   */
  readonly rows?: Maybe<CampaignRowConnection>;
  /** The status of the campaign. `isCancelled` shows whether it was cancelled. */
  readonly status?: Maybe<CampaignStatus>;
  /** The time at which the campaign was last changed. */
  readonly updatedAt?: Maybe<Scalars['DateTime']['output']>;
};


/** A campaign calls a list of people with one assistant. */
export type CampaignRowsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  query?: InputMaybe<Scalars['String']['input']>;
  result?: InputMaybe<CampaignRowResult>;
  statuses?: InputMaybe<ReadonlyArray<CallStatus>>;
};

/** One page of campaigns. */
export type CampaignConnection = {
  readonly __typename?: 'CampaignConnection';
  /**
   * Whether the item of `after` or `before` and all its known neighbours are gone from the list. The
   * page then starts or ends at the item's last known position, and the walk may repeat or skip items.
   * It is false without a cursor. `extensions.pagination` reports the same.
   */
  readonly cursorItemGone: Scalars['Boolean']['output'];
  /** The campaigns of this page with their cursors. */
  readonly edges: ReadonlyArray<CampaignEdge>;
  /** The campaigns of this page without cursors. */
  readonly nodes: ReadonlyArray<Campaign>;
  /** The position of this page in the list. */
  readonly pageInfo: PageInfo;
  /** The number of campaigns in the complete list. It costs no request beyond that of the list. */
  readonly totalCount?: Maybe<Scalars['Int']['output']>;
};

/** A campaign and its position in the list. */
export type CampaignEdge = {
  readonly __typename?: 'CampaignEdge';
  /** An opaque position in this list. It stays valid while the list changes. */
  readonly cursor: Scalars['String']['output'];
  /** The campaign. */
  readonly node: Campaign;
};

/** A person to call in a campaign. The REST API has no endpoint for a row, so a row is not a `Node`. */
export type CampaignRow = {
  readonly __typename?: 'CampaignRow';
  /**
   * The call of this row, or null if there is no call yet. It is part of the row and costs no upstream
   * request.
   */
  readonly call?: Maybe<Call>;
  /** The id of the row. */
  readonly id: Scalars['ID']['output'];
  /** The columns of the row as key-value pairs of text. They fill the variables of the prompt. */
  readonly inputData?: Maybe<Scalars['JSON']['output']>;
  /** The phone number to call. */
  readonly phoneNumber?: Maybe<Scalars['String']['output']>;
  /**
   * The position of the row in its campaign. The upstream does not document whether it counts from 0
   * or from 1.
   */
  readonly rowIndex?: Maybe<Scalars['Int']['output']>;
};

/** One page of rows. */
export type CampaignRowConnection = {
  readonly __typename?: 'CampaignRowConnection';
  /**
   * Whether the item of `after` or `before` and all its known neighbours are gone from the list. The
   * page then starts or ends at the item's last known position, and the walk may repeat or skip items.
   * It is false without a cursor. `extensions.pagination` reports the same.
   */
  readonly cursorItemGone: Scalars['Boolean']['output'];
  /** The rows of this page with their cursors. */
  readonly edges: ReadonlyArray<CampaignRowEdge>;
  /** The rows of this page without cursors. */
  readonly nodes: ReadonlyArray<CampaignRow>;
  /** The position of this page in the list. */
  readonly pageInfo: PageInfo;
  /**
   * The number of rows in the complete list, with the same filter.
   *
   * Upstream: each page of the list contains the total, so this field costs no request beside `nodes`
   * or `edges`, and alone one request for a single row.
   */
  readonly totalCount?: Maybe<Scalars['Int']['output']>;
};

/** A row and its position in the list. */
export type CampaignRowEdge = {
  readonly __typename?: 'CampaignRowEdge';
  /** An opaque position in this list with this filter. It stays valid while the list changes. */
  readonly cursor: Scalars['String']['output'];
  /** The row. */
  readonly node: CampaignRow;
};

/** A filter of rows by the result of their call. */
export type CampaignRowResult =
  /** Rows with any result. */
  | 'all'
  /** A person answered the call. */
  | 'human'
  /** The call screening of an iPhone answered the call. */
  | 'ios-screening-filter'
  /** A phone menu answered the call. */
  | 'IVR'
  /** Rows without a result. */
  | 'none'
  /** Revox could not determine who or what answered the call. */
  | 'unknown'
  /** A voicemail answered the call. */
  | 'voicemail';

/** The status of a campaign. */
export type CampaignStatus =
  /** The campaign is complete. */
  | 'completed'
  /** The campaign has not been launched. */
  | 'draft'
  /** The campaign is paused. */
  | 'paused'
  /** The campaign is making calls. */
  | 'running'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** A model on a dedicated instance of Revox. */
export type DedicatedInstanceLlmModel = {
  readonly __typename?: 'DedicatedInstanceLlmModel';
  /** The name of the model, for example `gpt-4.1`. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** The kind of model in the upstream's spelling: `dedicated-instance`. */
  readonly type?: Maybe<Scalars['String']['output']>;
};

/** The reason why a connection failed (SIP). */
export type DialError =
  /** The line was busy. */
  | 'busy'
  /** Any other failure. */
  | 'non_classified_error'
  /** The call was not answered. */
  | 'no_answer'
  /** Calls abroad are not allowed. */
  | 'no_international_permission'
  /** The number is not assigned. */
  | 'number_non_attributed'
  /** A precondition of the call was not met. */
  | 'precondition_failed'
  /** The number was temporarily unavailable. */
  | 'temporarily_unavailable'
  /** Too many calls were in progress. */
  | 'too_many_calls'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** The party that ended a call. */
export type EndedBy =
  /** The assistant. */
  | 'agent'
  /** The system, for example at the maximum duration. */
  | 'system'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED'
  /** The person at the other end hung up. */
  | 'user';

/** A question and its answer. */
export type FaqItem = {
  readonly __typename?: 'FaqItem';
  /** The text of the answer. */
  readonly answer?: Maybe<Scalars['String']['output']>;
  /** The id of the item, or null if it has none. */
  readonly id?: Maybe<Scalars['ID']['output']>;
  /** Whether a person must still answer the question, or null if the upstream does not report it. */
  readonly needsHumanAnswer?: Maybe<Scalars['Boolean']['output']>;
  /** The text of the question. */
  readonly question?: Maybe<Scalars['String']['output']>;
  /** The author of the answer, or null if the upstream does not report it. */
  readonly source?: Maybe<FaqItemSource>;
};

/** The author of an answer. */
export type FaqItemSource =
  /** A language model. */
  | 'ai'
  /** A person. */
  | 'human'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** The source of the first sentence of a call. */
export type FirstSentenceMode =
  /** The model generates the first sentence. */
  | 'generated'
  /** The assistant waits until the other side speaks. */
  | 'none'
  /** The assistant says `firstSentence` unchanged. */
  | 'static'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/**
 * The language model of an assistant or a call. A kind that is newer than this schema is
 * `UnrecognizedLlmModel`.
 */
export type LlmModel = DedicatedInstanceLlmModel | OpenrouterLlmModel | UnrecognizedLlmModel;

/** An object that has its own endpoint in the REST API and can be fetched again by its id. */
export type Node = {
  /** The plain Revox id, which is unique in the organization. */
  readonly id: Scalars['ID']['output'];
};

/** A model that Revox uses through OpenRouter. */
export type OpenrouterLlmModel = {
  readonly __typename?: 'OpenrouterLlmModel';
  /** OpenRouter's id of the model, for example `openai/gpt-4.1`. */
  readonly openrouterModelId?: Maybe<Scalars['String']['output']>;
  /** The provider that runs the model for OpenRouter, for example `azure`. */
  readonly openrouterProvider?: Maybe<Scalars['String']['output']>;
  /** The kind of model in the upstream's spelling: `openrouter`. */
  readonly type?: Maybe<Scalars['String']['output']>;
};

/** The position of a page in its list, as in Relay's connection specification. */
export type PageInfo = {
  readonly __typename?: 'PageInfo';
  /** The cursor of the last edge, or null if the page is empty. */
  readonly endCursor?: Maybe<Scalars['String']['output']>;
  /**
   * Whether an item follows the last edge.
   *
   * Upstream: at most one more page, which the gateway reads only if the operation selects this field.
   */
  readonly hasNextPage: Scalars['Boolean']['output'];
  /** Whether an item precedes the first edge. */
  readonly hasPreviousPage: Scalars['Boolean']['output'];
  /** The cursor of the first edge, or null if the page is empty. */
  readonly startCursor?: Maybe<Scalars['String']['output']>;
};

/** The root fields. All ids are plain Revox ids. */
export type Query = {
  readonly __typename?: 'Query';
  /**
   * Returns objects that another subgraph refers to, in the order of `representations`. An item is
   * null if the object does not exist. This field is for routers.
   *
   * Upstream: one request for each distinct call. One assistant or campaign costs one request; two or
   * more distinct ones share one request for the complete list, plus one for each id that the list
   * does not contain.
   */
  readonly _entities: ReadonlyArray<Maybe<_Entity>>;
  /** Returns the schema of this subgraph. This field is for routers and registries. */
  readonly _service: _Service;
  /**
   * Returns an assistant by its id, or null if the assistant does not exist.
   *
   * Upstream: one request. Two or more distinct assistants that an operation loads together share one
   * request for the complete list, plus one for each id that the list does not contain.
   */
  readonly assistant?: Maybe<Assistant>;
  /**
   * Lists the organization's assistants in the order of the upstream.
   *
   * Upstream: one request for the complete list, for any number of pages.
   */
  readonly assistants?: Maybe<AssistantConnection>;
  /**
   * Returns a call by its id, or null if the call does not exist.
   *
   * Upstream: one request.
   */
  readonly call?: Maybe<Call>;
  /**
   * The attempts of all calls, in the order of the upstream. (Its documentation does not state an
   * order; examples show the newest attempt first.)
   *
   * Upstream: the gateway reads pages of 50 attempts (`REVOX_PAGE_SIZE`). A page of up to 50 attempts
   * of a forward walk costs at most two requests, `hasNextPage` included, while the list does not
   * change. If it has changed, the search for the cursor may read more pages. The gateway detects the
   * number of the upstream's first page, and verifies it from time to time, usually by two more
   * requests (`REVOX_FIRST_PAGE`). `last` without `before` costs as much as `totalCount`: about 2·log₂
   * of the number of pages.
   */
  readonly callAttempts?: Maybe<CallAttemptConnection>;
  /**
   * Returns calls by their ids, in the order of `ids`. An item is null if the call does not exist. An
   * item whose text cannot be an id is null with an error of its own, and the others are returned.
   *
   * Upstream: one request for each distinct id.
   */
  readonly calls: ReadonlyArray<Maybe<Call>>;
  /**
   * Returns a campaign by its id, or null if the campaign does not exist.
   *
   * Upstream: one request. Two or more distinct campaigns that an operation loads together share one
   * request for the complete list, plus one for each id that the list does not contain.
   */
  readonly campaign?: Maybe<Campaign>;
  /**
   * Lists the organization's campaigns in the order of the upstream.
   *
   * Upstream: one request for the complete list, for any number of pages.
   */
  readonly campaigns?: Maybe<CampaignConnection>;
  /**
   * Returns a `Call`, an `Assistant` or a `Campaign` by its id, or null if the object does not exist.
   * This field is for Relay clients.
   *
   * Upstream: one request if the gateway has already served the id for the same credential. Otherwise
   * the gateway looks for the id as a call, an assistant and a campaign: at most three requests.
   */
  readonly node?: Maybe<Node>;
  /**
   * Returns several objects by their ids, in the order of `ids`. An item is null if the object does
   * not exist. An item whose text cannot be an id is null with an error of its own, and the others are
   * returned.
   *
   * Upstream: for ids that the gateway has already served for the same credential, one request for
   * each distinct call, and one list for two or more assistants or campaigns. An unknown id costs one
   * request for a call. Unknown ids that are not calls are looked up together in the lists of
   * assistants and campaigns.
   */
  readonly nodes: ReadonlyArray<Maybe<Node>>;
};


/** The root fields. All ids are plain Revox ids. */
export type Query_EntitiesArgs = {
  representations: ReadonlyArray<Scalars['_Any']['input']>;
};


/** The root fields. All ids are plain Revox ids. */
export type QueryAssistantArgs = {
  id: Scalars['ID']['input'];
};


/** The root fields. All ids are plain Revox ids. */
export type QueryAssistantsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** The root fields. All ids are plain Revox ids. */
export type QueryCallArgs = {
  id: Scalars['ID']['input'];
};


/** The root fields. All ids are plain Revox ids. */
export type QueryCallAttemptsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  statuses?: InputMaybe<ReadonlyArray<CallStatus>>;
};


/** The root fields. All ids are plain Revox ids. */
export type QueryCallsArgs = {
  ids: ReadonlyArray<Scalars['ID']['input']>;
};


/** The root fields. All ids are plain Revox ids. */
export type QueryCampaignArgs = {
  id: Scalars['ID']['input'];
};


/** The root fields. All ids are plain Revox ids. */
export type QueryCampaignsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** The root fields. All ids are plain Revox ids. */
export type QueryNodeArgs = {
  id: Scalars['ID']['input'];
};


/** The root fields. All ids are plain Revox ids. */
export type QueryNodesArgs = {
  ids: ReadonlyArray<Scalars['ID']['input']>;
};

/** A value to extract from a conversation. */
export type StructuredOutputField = {
  readonly __typename?: 'StructuredOutputField';
  /** The meaning of the value, in words for the model, or null if there is no description. */
  readonly description?: Maybe<Scalars['String']['output']>;
  /** The accepted values if `type` is `ENUM`, otherwise null. */
  readonly enumOptions?: Maybe<ReadonlyArray<Scalars['String']['output']>>;
  /** The key of the value in `structuredOutput`. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** Whether the value must be found. */
  readonly required?: Maybe<Scalars['Boolean']['output']>;
  /** The type of the value. */
  readonly type?: Maybe<StructuredOutputFieldType>;
};

/** The type of an extracted value. */
export type StructuredOutputFieldType =
  /** True or false. */
  | 'boolean'
  /** A date without a time. */
  | 'date'
  /** A date with a time. */
  | 'datetime'
  /** One of `enumOptions`. */
  | 'enum'
  /** A number. */
  | 'number'
  /** Text. */
  | 'string'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/**
 * Live calls and campaigns. A stream sends the present state first, and then each state that differs
 * from the last one it sent. States that last less than the polling interval may be skipped. A stream
 * completes when nothing more can happen. A stream that ends without completing was interrupted:
 * subscribe again.
 *
 * Upstream: the gateway polls each watched object once for all subscribers with the same API key. The
 * responses to queries count as polls, and polls fill the cache for queries.
 */
export type Subscription = {
  readonly __typename?: 'Subscription';
  /**
   * Sends each attempt that is new in the list `callAttempts(statuses:)`, oldest first. There is no
   * event before the first new attempt, and the stream does not complete. An attempt is new when it
   * enters the first page of the list (`REVOX_PAGE_SIZE`): because it was created, or because the
   * status of its order now matches `statuses`. A client that has subscribed again may get an attempt
   * again, with the same `node.id`.
   *
   * `extensions.live.skipped` of an event is true if attempts before it were skipped: because more than
   * four pages were new, or because the gateway could not read the list when the stream opened.
   *
   * Upstream: one request every 5 s, and every 15 s after a minute without a new attempt (settings),
   * for each distinct filter. Up to three more if more than a page is new, or to reach `after`.
   */
  readonly callAttemptAdded: CallAttemptEdge;
  /**
   * Sends each state of one call until the call is over. Sends null and completes if the call does not
   * exist.
   *
   * Upstream: one request every 2 s while the call rings or is in progress, every 2 to 10 s while it
   * waits for a line, and at least once a minute until its next attempt (settings).
   */
  readonly callUpdated?: Maybe<Call>;
  /**
   * Sends each of these calls once, when it is over: at once if it already is. Completes when all of
   * them are over.
   *
   * Upstream: as `callUpdated`, for each distinct call. A call that waits for its next attempt costs
   * one request every 10 s to 60 s.
   */
  readonly callsEnded: CallUpdate;
  /**
   * Sends each of these calls first, and then each one that has changed. Completes when all of them are
   * over.
   *
   * Upstream: as `callUpdated`, for each distinct call.
   */
  readonly callsUpdated: CallUpdate;
  /**
   * Sends each state of one campaign until it is completed or cancelled. Its selection is read again
   * with each poll: `rows(first: 1, statuses: [COMPLETED]) { totalCount }` is its progress. Sends null
   * and completes if the campaign does not exist.
   *
   * Upstream: one request every 15 s while the campaign runs (`LIVE_CAMPAIGN_MS`), and once a minute
   * while it is paused or not launched; with each of them, one page for each connection that is
   * selected below the campaign.
   */
  readonly campaignUpdated?: Maybe<Campaign>;
};


/**
 * Live calls and campaigns. A stream sends the present state first, and then each state that differs
 * from the last one it sent. States that last less than the polling interval may be skipped. A stream
 * completes when nothing more can happen. A stream that ends without completing was interrupted:
 * subscribe again.
 *
 * Upstream: the gateway polls each watched object once for all subscribers with the same API key. The
 * responses to queries count as polls, and polls fill the cache for queries.
 */
export type SubscriptionCallAttemptAddedArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  statuses?: InputMaybe<ReadonlyArray<CallStatus>>;
};


/**
 * Live calls and campaigns. A stream sends the present state first, and then each state that differs
 * from the last one it sent. States that last less than the polling interval may be skipped. A stream
 * completes when nothing more can happen. A stream that ends without completing was interrupted:
 * subscribe again.
 *
 * Upstream: the gateway polls each watched object once for all subscribers with the same API key. The
 * responses to queries count as polls, and polls fill the cache for queries.
 */
export type SubscriptionCallUpdatedArgs = {
  id: Scalars['ID']['input'];
  until?: CallMilestone;
};


/**
 * Live calls and campaigns. A stream sends the present state first, and then each state that differs
 * from the last one it sent. States that last less than the polling interval may be skipped. A stream
 * completes when nothing more can happen. A stream that ends without completing was interrupted:
 * subscribe again.
 *
 * Upstream: the gateway polls each watched object once for all subscribers with the same API key. The
 * responses to queries count as polls, and polls fill the cache for queries.
 */
export type SubscriptionCallsEndedArgs = {
  ids: ReadonlyArray<Scalars['ID']['input']>;
};


/**
 * Live calls and campaigns. A stream sends the present state first, and then each state that differs
 * from the last one it sent. States that last less than the polling interval may be skipped. A stream
 * completes when nothing more can happen. A stream that ends without completing was interrupted:
 * subscribe again.
 *
 * Upstream: the gateway polls each watched object once for all subscribers with the same API key. The
 * responses to queries count as polls, and polls fill the cache for queries.
 */
export type SubscriptionCallsUpdatedArgs = {
  ids: ReadonlyArray<Scalars['ID']['input']>;
  until?: CallMilestone;
};


/**
 * Live calls and campaigns. A stream sends the present state first, and then each state that differs
 * from the last one it sent. States that last less than the polling interval may be skipped. A stream
 * completes when nothing more can happen. A stream that ends without completing was interrupted:
 * subscribe again.
 *
 * Upstream: the gateway polls each watched object once for all subscribers with the same API key. The
 * responses to queries count as polls, and polls fill the cache for queries.
 */
export type SubscriptionCampaignUpdatedArgs = {
  id: Scalars['ID']['input'];
};

/** An utterance, or a use of a tool, in a transcript. */
export type TranscriptMessage = {
  readonly __typename?: 'TranscriptMessage';
  /** The spoken text, or the result of the tool. */
  readonly content?: Maybe<Scalars['String']['output']>;
  /** The author of the message. */
  readonly role?: Maybe<TranscriptRole>;
  /** The arguments of the tool: an object, text or null. */
  readonly toolArguments?: Maybe<Scalars['JSON']['output']>;
  /** Whether the tool failed, or null if no tool was used. */
  readonly toolIsError?: Maybe<Scalars['Boolean']['output']>;
  /** The name of the tool, or null if no tool was used. */
  readonly toolName?: Maybe<Scalars['String']['output']>;
};

/** The author of a message in a transcript. */
export type TranscriptRole =
  /** The assistant. */
  | 'assistant'
  /** A tool that the assistant used. */
  | 'tool'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED'
  /** The person at the other end. */
  | 'user';

/** A kind of model that is newer than this schema. */
export type UnrecognizedLlmModel = {
  readonly __typename?: 'UnrecognizedLlmModel';
  /** The complete object of the upstream. */
  readonly raw?: Maybe<Scalars['JSON']['output']>;
  /** The kind of model in the upstream's spelling, or null if the upstream names none. */
  readonly type?: Maybe<Scalars['String']['output']>;
};

/** A voice of a vendor, with its settings. */
export type Voice = {
  readonly __typename?: 'Voice';
  /** The vendor of the voice. */
  readonly provider?: Maybe<VoiceProvider>;
  /** The speed as a factor: 0.6 to 1.5 for Cartesia, 0.7 to 1.2 for ElevenLabs. Null means 1.0. */
  readonly speed?: Maybe<Scalars['Float']['output']>;
  /**
   * The vendor's id of the voice (`voice.id` in the REST API). It does not identify this object: two
   * assistants may use the same voice at different speeds.
   */
  readonly voiceId?: Maybe<Scalars['ID']['output']>;
};

/** A vendor of voices. */
export type VoiceProvider =
  /** Cartesia. */
  | 'cartesia'
  /** ElevenLabs. */
  | 'elevenlabs'
  /** A value that is newer than this schema. The raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** The types that other subgraphs can refer to. */
export type _Entity = Assistant | Call | CallAttempt | Campaign | CampaignRow;

/** The description of this subgraph for registries. */
export type _Service = {
  readonly __typename?: '_Service';
  /** The schema of this subgraph, for the composition of a supergraph. */
  readonly sdl: Scalars['String']['output'];
};

/** The purpose of a linked specification. */
export type Link__Purpose =
  /** The specification is required to execute operations. */
  | 'EXECUTION'
  /** The specification protects data. */
  | 'SECURITY';



export type ResolverTypeWrapper<T> = Promise<T> | T;


export type ResolverWithResolve<TResult, TParent, TContext, TArgs> = {
  resolve: ResolverFn<TResult, TParent, TContext, TArgs>;
};
export type Resolver<TResult, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = ResolverFn<TResult, TParent, TContext, TArgs> | ResolverWithResolve<TResult, TParent, TContext, TArgs>;

export type ResolverFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => Promise<TResult> | TResult;

export type SubscriptionSubscribeFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => AsyncIterable<TResult> | Promise<AsyncIterable<TResult>>;

export type SubscriptionResolveFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;

export interface SubscriptionSubscriberObject<TResult, TKey extends string, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<{ [key in TKey]: TResult }, TParent, TContext, TArgs>;
  resolve?: SubscriptionResolveFn<TResult, { [key in TKey]: TResult }, TContext, TArgs>;
}

export interface SubscriptionResolverObject<TResult, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<any, TParent, TContext, TArgs>;
  resolve: SubscriptionResolveFn<TResult, any, TContext, TArgs>;
}

export type SubscriptionObject<TResult, TKey extends string, TParent, TContext, TArgs> =
  | SubscriptionSubscriberObject<TResult, TKey, TParent, TContext, TArgs>
  | SubscriptionResolverObject<TResult, TParent, TContext, TArgs>;

export type SubscriptionResolver<TResult, TKey extends string, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> =
  | ((...args: any[]) => SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>)
  | SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>;

export type TypeResolveFn<TTypes, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (
  parent: TParent,
  context: TContext,
  info: GraphQLResolveInfo
) => Maybe<TTypes> | Promise<Maybe<TTypes>>;

export type IsTypeOfResolverFn<T = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (obj: T, context: TContext, info: GraphQLResolveInfo) => boolean | Promise<boolean>;

export type NextResolverFn<T> = () => Promise<T>;

export type DirectiveResolverFn<TResult = Record<PropertyKey, never>, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = (
  next: NextResolverFn<TResult>,
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;



/** Mapping of union types */
export type ResolversUnionTypes<_RefType extends Record<string, unknown>> = {
  LlmModel:
    | ( WireDedicatedInstanceLlmModel )
    | ( WireOpenrouterLlmModel )
    | ( UnrecognizedLlmModel )
  ;
  _Entity:
    | ( WireAssistant )
    | ( WireCall )
    | ( WireCallAttempt )
    | ( WireCampaign )
    | ( WireCampaignRow )
  ;
};

/** Mapping of interface types */
export type ResolversInterfaceTypes<_RefType extends Record<string, unknown>> = {
  Node:
    | ( WireAssistant )
    | ( WireCall )
    | ( WireCampaign )
  ;
};

/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  Assistant: ResolverTypeWrapper<WireAssistant>;
  AssistantConnection: ResolverTypeWrapper<import('../pagination/connection.ts').Connection<WireAssistant>>;
  AssistantEdge: ResolverTypeWrapper<import('../pagination/connection.ts').Edge<WireAssistant>>;
  Boolean: ResolverTypeWrapper<Scalars['Boolean']['output']>;
  Calendly: ResolverTypeWrapper<WireCalendly>;
  Call: ResolverTypeWrapper<WireCall>;
  CallAttempt: ResolverTypeWrapper<WireCallAttempt>;
  CallAttemptConnection: ResolverTypeWrapper<import('../pagination/connection.ts').Connection<WireCallAttempt>>;
  CallAttemptEdge: ResolverTypeWrapper<import('../pagination/connection.ts').Edge<WireCallAttempt>>;
  CallAttemptResult: null;
  CallAttemptStatus: null;
  CallDirection: null;
  CallMilestone: CallMilestone;
  CallRetryConfig: ResolverTypeWrapper<WireCallRetryConfig>;
  CallStatus: null;
  CallUpdate: ResolverTypeWrapper<LiveEvent>;
  CallingWindow: ResolverTypeWrapper<WireCallingWindow>;
  Campaign: ResolverTypeWrapper<WireCampaign>;
  CampaignConnection: ResolverTypeWrapper<import('../pagination/connection.ts').Connection<WireCampaign>>;
  CampaignEdge: ResolverTypeWrapper<import('../pagination/connection.ts').Edge<WireCampaign>>;
  CampaignRow: ResolverTypeWrapper<WireCampaignRow>;
  CampaignRowConnection: ResolverTypeWrapper<import('../pagination/connection.ts').Connection<WireCampaignRow>>;
  CampaignRowEdge: ResolverTypeWrapper<import('../pagination/connection.ts').Edge<WireCampaignRow>>;
  CampaignRowResult: null;
  CampaignStatus: null;
  DateTime: ResolverTypeWrapper<Scalars['DateTime']['output']>;
  DedicatedInstanceLlmModel: ResolverTypeWrapper<WireDedicatedInstanceLlmModel>;
  DialError: null;
  EndedBy: null;
  FaqItem: ResolverTypeWrapper<WireFaqItem>;
  FaqItemSource: null;
  FirstSentenceMode: null;
  Float: ResolverTypeWrapper<Scalars['Float']['output']>;
  ID: ResolverTypeWrapper<Scalars['ID']['output']>;
  Int: ResolverTypeWrapper<Scalars['Int']['output']>;
  JSON: ResolverTypeWrapper<Scalars['JSON']['output']>;
  LlmModel: ResolverTypeWrapper<ResolversUnionTypes<ResolversTypes>['LlmModel']>;
  Node: ResolverTypeWrapper<ResolversInterfaceTypes<ResolversTypes>['Node']>;
  OpenrouterLlmModel: ResolverTypeWrapper<WireOpenrouterLlmModel>;
  PageInfo: ResolverTypeWrapper<PageInfo>;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  SafeInt: ResolverTypeWrapper<Scalars['SafeInt']['output']>;
  String: ResolverTypeWrapper<Scalars['String']['output']>;
  StructuredOutputField: ResolverTypeWrapper<WireStructuredOutputField>;
  StructuredOutputFieldType: null;
  Subscription: ResolverTypeWrapper<Record<PropertyKey, never>>;
  TranscriptMessage: ResolverTypeWrapper<WireTranscriptMessage>;
  TranscriptRole: null;
  UnrecognizedLlmModel: ResolverTypeWrapper<UnrecognizedLlmModel>;
  Voice: ResolverTypeWrapper<WireVoice>;
  VoiceProvider: null;
  _Any: ResolverTypeWrapper<Scalars['_Any']['output']>;
  _Entity: ResolverTypeWrapper<ResolversUnionTypes<ResolversTypes>['_Entity']>;
  _Service: ResolverTypeWrapper<_Service>;
  federation__FieldSet: ResolverTypeWrapper<Scalars['federation__FieldSet']['output']>;
  link__Import: ResolverTypeWrapper<Scalars['link__Import']['output']>;
  link__Purpose: Link__Purpose;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  Assistant: WireAssistant;
  AssistantConnection: import('../pagination/connection.ts').Connection<WireAssistant>;
  AssistantEdge: import('../pagination/connection.ts').Edge<WireAssistant>;
  Boolean: Scalars['Boolean']['output'];
  Calendly: WireCalendly;
  Call: WireCall;
  CallAttempt: WireCallAttempt;
  CallAttemptConnection: import('../pagination/connection.ts').Connection<WireCallAttempt>;
  CallAttemptEdge: import('../pagination/connection.ts').Edge<WireCallAttempt>;
  CallRetryConfig: WireCallRetryConfig;
  CallUpdate: LiveEvent;
  CallingWindow: WireCallingWindow;
  Campaign: WireCampaign;
  CampaignConnection: import('../pagination/connection.ts').Connection<WireCampaign>;
  CampaignEdge: import('../pagination/connection.ts').Edge<WireCampaign>;
  CampaignRow: WireCampaignRow;
  CampaignRowConnection: import('../pagination/connection.ts').Connection<WireCampaignRow>;
  CampaignRowEdge: import('../pagination/connection.ts').Edge<WireCampaignRow>;
  DateTime: Scalars['DateTime']['output'];
  DedicatedInstanceLlmModel: WireDedicatedInstanceLlmModel;
  FaqItem: WireFaqItem;
  Float: Scalars['Float']['output'];
  ID: Scalars['ID']['output'];
  Int: Scalars['Int']['output'];
  JSON: Scalars['JSON']['output'];
  LlmModel: ResolversUnionTypes<ResolversParentTypes>['LlmModel'];
  Node: ResolversInterfaceTypes<ResolversParentTypes>['Node'];
  OpenrouterLlmModel: WireOpenrouterLlmModel;
  PageInfo: PageInfo;
  Query: Record<PropertyKey, never>;
  SafeInt: Scalars['SafeInt']['output'];
  String: Scalars['String']['output'];
  StructuredOutputField: WireStructuredOutputField;
  Subscription: Record<PropertyKey, never>;
  TranscriptMessage: WireTranscriptMessage;
  UnrecognizedLlmModel: UnrecognizedLlmModel;
  Voice: WireVoice;
  _Any: Scalars['_Any']['output'];
  _Entity: ResolversUnionTypes<ResolversParentTypes>['_Entity'];
  _Service: _Service;
  federation__FieldSet: Scalars['federation__FieldSet']['output'];
  link__Import: Scalars['link__Import']['output'];
};

export type KeyDirectiveArgs = {
  fields: Scalars['federation__FieldSet']['input'];
  resolvable?: Maybe<Scalars['Boolean']['input']>;
};

export type KeyDirectiveResolver<Result, Parent, ContextType = RequestContext, Args = KeyDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type LinkDirectiveArgs = {
  as?: Maybe<Scalars['String']['input']>;
  for?: Maybe<Link__Purpose>;
  import?: Maybe<ReadonlyArray<Maybe<Scalars['link__Import']['input']>>>;
  url: Scalars['String']['input'];
};

export type LinkDirectiveResolver<Result, Parent, ContextType = RequestContext, Args = LinkDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type ShareableDirectiveArgs = { };

export type ShareableDirectiveResolver<Result, Parent, ContextType = RequestContext, Args = ShareableDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type TagDirectiveArgs = {
  name: Scalars['String']['input'];
};

export type TagDirectiveResolver<Result, Parent, ContextType = RequestContext, Args = TagDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type AssistantResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Assistant'] = ResolversParentTypes['Assistant']> = {
  backgroundSound?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  calendly?: Resolver<Maybe<ResolversTypes['Calendly']>, ParentType, ContextType>;
  callRetryConfig?: Resolver<Maybe<ResolversTypes['CallRetryConfig']>, ParentType, ContextType>;
  createdAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  endOfCallSentence?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  faqItems?: Resolver<Maybe<ReadonlyArray<ResolversTypes['FaqItem']>>, ParentType, ContextType>;
  firstSentence?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  firstSentenceDelayMs?: Resolver<Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  firstSentenceMode?: Resolver<Maybe<ResolversTypes['FirstSentenceMode']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  ivrNavigationEnabled?: Resolver<Maybe<ResolversTypes['Boolean']>, ParentType, ContextType>;
  llmModel?: Resolver<Maybe<ResolversTypes['LlmModel']>, ParentType, ContextType>;
  maxCallDurationSecs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  name?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  organizationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  pendingFaqCount?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  prompt?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  structuredOutputConfig?: Resolver<Maybe<ReadonlyArray<ResolversTypes['StructuredOutputField']>>, ParentType, ContextType>;
  transferPhoneNumber?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  updatedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  voice?: Resolver<Maybe<ResolversTypes['Voice']>, ParentType, ContextType>;
  voicemailMessage?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  webhookUrl?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type AssistantConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['AssistantConnection'] = ResolversParentTypes['AssistantConnection']> = {
  cursorItemGone?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  edges?: Resolver<ReadonlyArray<ResolversTypes['AssistantEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Assistant']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
};

export type AssistantEdgeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['AssistantEdge'] = ResolversParentTypes['AssistantEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Assistant'], ParentType, ContextType>;
};

export type CalendlyResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Calendly'] = ResolversParentTypes['Calendly']> = {
  connectionId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  eventTypeId?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type CallResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Call'] = ResolversParentTypes['Call']> = {
  assistant?: Resolver<Maybe<ResolversTypes['Assistant']>, ParentType, ContextType>;
  callAttempts?: Resolver<ReadonlyArray<ResolversTypes['CallAttempt']>, ParentType, ContextType>;
  callRetryConfig?: Resolver<Maybe<ResolversTypes['CallRetryConfig']>, ParentType, ContextType>;
  callsCount?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  campaign?: Resolver<Maybe<ResolversTypes['Campaign']>, ParentType, ContextType>;
  createdAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  direction?: Resolver<Maybe<ResolversTypes['CallDirection']>, ParentType, ContextType>;
  firstSentenceDelayMs?: Resolver<Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  fromPhoneNumber?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  isCancelled?: Resolver<Maybe<ResolversTypes['Boolean']>, ParentType, ContextType>;
  isCompleted?: Resolver<Maybe<ResolversTypes['Boolean']>, ParentType, ContextType>;
  lastCallAttempt?: Resolver<Maybe<ResolversTypes['CallAttempt']>, ParentType, ContextType>;
  llmModel?: Resolver<Maybe<ResolversTypes['LlmModel']>, ParentType, ContextType>;
  metadata?: Resolver<Maybe<ResolversTypes['JSON']>, ParentType, ContextType>;
  organizationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  scheduledAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  status?: Resolver<Maybe<ResolversTypes['CallStatus']>, ParentType, ContextType>;
  toPhoneNumber?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type CallAttemptResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CallAttempt'] = ResolversParentTypes['CallAttempt']> = {
  answeredAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  dialError?: Resolver<Maybe<ResolversTypes['DialError']>, ParentType, ContextType>;
  endReason?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  endedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  endedBy?: Resolver<Maybe<ResolversTypes['EndedBy']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  phoneNumber?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  recordingUrl?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  result?: Resolver<Maybe<ResolversTypes['CallAttemptResult']>, ParentType, ContextType>;
  startedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  status?: Resolver<Maybe<ResolversTypes['CallAttemptStatus']>, ParentType, ContextType>;
  structuredOutput?: Resolver<Maybe<ResolversTypes['JSON']>, ParentType, ContextType>;
  transcript?: Resolver<Maybe<ReadonlyArray<ResolversTypes['TranscriptMessage']>>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type CallAttemptConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CallAttemptConnection'] = ResolversParentTypes['CallAttemptConnection']> = {
  cursorItemGone?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  edges?: Resolver<ReadonlyArray<ResolversTypes['CallAttemptEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['CallAttempt']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
};

export type CallAttemptEdgeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CallAttemptEdge'] = ResolversParentTypes['CallAttemptEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['CallAttempt'], ParentType, ContextType>;
};

export type CallAttemptResultResolvers = { HUMAN: 'human', IOS_SCREENING_FILTER: 'ios-screening-filter', IVR: 'IVR', UNKNOWN: 'unknown', UNRECOGNIZED?: 'UNRECOGNIZED', VOICEMAIL: 'voicemail' };

export type CallAttemptStatusResolvers = { COMPLETED: 'completed', ERROR: 'error', ONGOING: 'ongoing', QUEUED: 'queued', RINGING: 'ringing', UNRECOGNIZED?: 'UNRECOGNIZED' };

export type CallDirectionResolvers = { INBOUND: 'inbound', OUTBOUND: 'outbound', UNRECOGNIZED?: 'UNRECOGNIZED' };

export type CallRetryConfigResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CallRetryConfig'] = ResolversParentTypes['CallRetryConfig']> = {
  callingWindows?: Resolver<ReadonlyArray<ResolversTypes['CallingWindow']>, ParentType, ContextType>;
  maxRetryAttempts?: Resolver<Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
  timezone?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type CallStatusResolvers = { CALLING: 'calling', CANCELLED: 'cancelled', COMPLETED: 'completed', ERRORED: 'errored', INITIALIZING: 'initializing', QUEUED_FOR_CALLING: 'queued_for_calling', SCHEDULED: 'scheduled', UNRECOGNIZED?: 'UNRECOGNIZED' };

export type CallUpdateResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CallUpdate'] = ResolversParentTypes['CallUpdate']> = {
  call?: Resolver<Maybe<ResolversTypes['Call']>, ParentType, ContextType>;
  callId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
};

export type CallingWindowResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CallingWindow'] = ResolversParentTypes['CallingWindow']> = {
  callingWindowEndTime?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  callingWindowStartTime?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  retryDelaySeconds?: Resolver<Maybe<ResolversTypes['SafeInt']>, ParentType, ContextType>;
};

export type CampaignResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Campaign'] = ResolversParentTypes['Campaign']> = {
  assistant?: Resolver<Maybe<ResolversTypes['Assistant']>, ParentType, ContextType>;
  assistantId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  createdAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  isCancelled?: Resolver<Maybe<ResolversTypes['Boolean']>, ParentType, ContextType>;
  name?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  organizationId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  rows?: Resolver<Maybe<ResolversTypes['CampaignRowConnection']>, ParentType, ContextType, Partial<CampaignRowsArgs>>;
  status?: Resolver<Maybe<ResolversTypes['CampaignStatus']>, ParentType, ContextType>;
  updatedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type CampaignConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CampaignConnection'] = ResolversParentTypes['CampaignConnection']> = {
  cursorItemGone?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  edges?: Resolver<ReadonlyArray<ResolversTypes['CampaignEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Campaign']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
};

export type CampaignEdgeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CampaignEdge'] = ResolversParentTypes['CampaignEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Campaign'], ParentType, ContextType>;
};

export type CampaignRowResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CampaignRow'] = ResolversParentTypes['CampaignRow']> = {
  call?: Resolver<Maybe<ResolversTypes['Call']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  inputData?: Resolver<Maybe<ResolversTypes['JSON']>, ParentType, ContextType>;
  phoneNumber?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  rowIndex?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type CampaignRowConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CampaignRowConnection'] = ResolversParentTypes['CampaignRowConnection']> = {
  cursorItemGone?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  edges?: Resolver<ReadonlyArray<ResolversTypes['CampaignRowEdge']>, ParentType, ContextType>;
  nodes?: Resolver<ReadonlyArray<ResolversTypes['CampaignRow']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
};

export type CampaignRowEdgeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CampaignRowEdge'] = ResolversParentTypes['CampaignRowEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['CampaignRow'], ParentType, ContextType>;
};

export type CampaignRowResultResolvers = { ALL: 'all', HUMAN: 'human', IOS_SCREENING_FILTER: 'ios-screening-filter', IVR: 'IVR', NONE: 'none', UNKNOWN: 'unknown', VOICEMAIL: 'voicemail' };

export type CampaignStatusResolvers = { COMPLETED: 'completed', DRAFT: 'draft', PAUSED: 'paused', RUNNING: 'running', UNRECOGNIZED?: 'UNRECOGNIZED' };

export interface DateTimeScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['DateTime'], any> {
  name: 'DateTime';
}

export type DedicatedInstanceLlmModelResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['DedicatedInstanceLlmModel'] = ResolversParentTypes['DedicatedInstanceLlmModel']> = {
  name?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  type?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type DialErrorResolvers = { BUSY: 'busy', NON_CLASSIFIED_ERROR: 'non_classified_error', NO_ANSWER: 'no_answer', NO_INTERNATIONAL_PERMISSION: 'no_international_permission', NUMBER_NON_ATTRIBUTED: 'number_non_attributed', PRECONDITION_FAILED: 'precondition_failed', TEMPORARILY_UNAVAILABLE: 'temporarily_unavailable', TOO_MANY_CALLS: 'too_many_calls', UNRECOGNIZED?: 'UNRECOGNIZED' };

export type EndedByResolvers = { AGENT: 'agent', SYSTEM: 'system', UNRECOGNIZED?: 'UNRECOGNIZED', USER: 'user' };

export type FaqItemResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['FaqItem'] = ResolversParentTypes['FaqItem']> = {
  answer?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  id?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  needsHumanAnswer?: Resolver<Maybe<ResolversTypes['Boolean']>, ParentType, ContextType>;
  question?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  source?: Resolver<Maybe<ResolversTypes['FaqItemSource']>, ParentType, ContextType>;
};

export type FaqItemSourceResolvers = { AI: 'ai', HUMAN: 'human', UNRECOGNIZED?: 'UNRECOGNIZED' };

export type FirstSentenceModeResolvers = { GENERATED: 'generated', NONE: 'none', STATIC: 'static', UNRECOGNIZED?: 'UNRECOGNIZED' };

export interface JsonScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['JSON'], any> {
  name: 'JSON';
}

export type LlmModelResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['LlmModel'] = ResolversParentTypes['LlmModel']> = {
  __resolveType: TypeResolveFn<'DedicatedInstanceLlmModel' | 'OpenrouterLlmModel' | 'UnrecognizedLlmModel', ParentType, ContextType>;
};

export type NodeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Node'] = ResolversParentTypes['Node']> = {
  __resolveType: TypeResolveFn<'Assistant' | 'Call' | 'Campaign', ParentType, ContextType>;
};

export type OpenrouterLlmModelResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['OpenrouterLlmModel'] = ResolversParentTypes['OpenrouterLlmModel']> = {
  openrouterModelId?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  openrouterProvider?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  type?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type PageInfoResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['PageInfo'] = ResolversParentTypes['PageInfo']> = {
  endCursor?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  hasNextPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  hasPreviousPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  startCursor?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type QueryResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  _entities?: Resolver<ReadonlyArray<Maybe<ResolversTypes['_Entity']>>, ParentType, ContextType, RequireFields<Query_EntitiesArgs, 'representations'>>;
  _service?: Resolver<ResolversTypes['_Service'], ParentType, ContextType>;
  assistant?: Resolver<Maybe<ResolversTypes['Assistant']>, ParentType, ContextType, RequireFields<QueryAssistantArgs, 'id'>>;
  assistants?: Resolver<Maybe<ResolversTypes['AssistantConnection']>, ParentType, ContextType, Partial<QueryAssistantsArgs>>;
  call?: Resolver<Maybe<ResolversTypes['Call']>, ParentType, ContextType, RequireFields<QueryCallArgs, 'id'>>;
  callAttempts?: Resolver<Maybe<ResolversTypes['CallAttemptConnection']>, ParentType, ContextType, Partial<QueryCallAttemptsArgs>>;
  calls?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Call']>>, ParentType, ContextType, RequireFields<QueryCallsArgs, 'ids'>>;
  campaign?: Resolver<Maybe<ResolversTypes['Campaign']>, ParentType, ContextType, RequireFields<QueryCampaignArgs, 'id'>>;
  campaigns?: Resolver<Maybe<ResolversTypes['CampaignConnection']>, ParentType, ContextType, Partial<QueryCampaignsArgs>>;
  node?: Resolver<Maybe<ResolversTypes['Node']>, ParentType, ContextType, RequireFields<QueryNodeArgs, 'id'>>;
  nodes?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Node']>>, ParentType, ContextType, RequireFields<QueryNodesArgs, 'ids'>>;
};

export interface SafeIntScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['SafeInt'], any> {
  name: 'SafeInt';
}

export type StructuredOutputFieldResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['StructuredOutputField'] = ResolversParentTypes['StructuredOutputField']> = {
  description?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  enumOptions?: Resolver<Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
  name?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  required?: Resolver<Maybe<ResolversTypes['Boolean']>, ParentType, ContextType>;
  type?: Resolver<Maybe<ResolversTypes['StructuredOutputFieldType']>, ParentType, ContextType>;
};

export type StructuredOutputFieldTypeResolvers = { BOOLEAN: 'boolean', DATE: 'date', DATETIME: 'datetime', ENUM: 'enum', NUMBER: 'number', STRING: 'string', UNRECOGNIZED?: 'UNRECOGNIZED' };

export type SubscriptionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Subscription'] = ResolversParentTypes['Subscription']> = {
  callAttemptAdded?: SubscriptionResolver<ResolversTypes['CallAttemptEdge'], "callAttemptAdded", ParentType, ContextType, Partial<SubscriptionCallAttemptAddedArgs>>;
  callUpdated?: SubscriptionResolver<Maybe<ResolversTypes['Call']>, "callUpdated", ParentType, ContextType, RequireFields<SubscriptionCallUpdatedArgs, 'id' | 'until'>>;
  callsEnded?: SubscriptionResolver<ResolversTypes['CallUpdate'], "callsEnded", ParentType, ContextType, RequireFields<SubscriptionCallsEndedArgs, 'ids'>>;
  callsUpdated?: SubscriptionResolver<ResolversTypes['CallUpdate'], "callsUpdated", ParentType, ContextType, RequireFields<SubscriptionCallsUpdatedArgs, 'ids' | 'until'>>;
  campaignUpdated?: SubscriptionResolver<Maybe<ResolversTypes['Campaign']>, "campaignUpdated", ParentType, ContextType, RequireFields<SubscriptionCampaignUpdatedArgs, 'id'>>;
};

export type TranscriptMessageResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['TranscriptMessage'] = ResolversParentTypes['TranscriptMessage']> = {
  content?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  role?: Resolver<Maybe<ResolversTypes['TranscriptRole']>, ParentType, ContextType>;
  toolArguments?: Resolver<Maybe<ResolversTypes['JSON']>, ParentType, ContextType>;
  toolIsError?: Resolver<Maybe<ResolversTypes['Boolean']>, ParentType, ContextType>;
  toolName?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type TranscriptRoleResolvers = { ASSISTANT: 'assistant', TOOL: 'tool', UNRECOGNIZED?: 'UNRECOGNIZED', USER: 'user' };

export type UnrecognizedLlmModelResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['UnrecognizedLlmModel'] = ResolversParentTypes['UnrecognizedLlmModel']> = {
  raw?: Resolver<Maybe<ResolversTypes['JSON']>, ParentType, ContextType>;
  type?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type VoiceResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Voice'] = ResolversParentTypes['Voice']> = {
  provider?: Resolver<Maybe<ResolversTypes['VoiceProvider']>, ParentType, ContextType>;
  speed?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  voiceId?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
};

export type VoiceProviderResolvers = { CARTESIA: 'cartesia', ELEVENLABS: 'elevenlabs', UNRECOGNIZED?: 'UNRECOGNIZED' };

export interface _AnyScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['_Any'], any> {
  name: '_Any';
}

export type _EntityResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['_Entity'] = ResolversParentTypes['_Entity']> = {
  __resolveType: TypeResolveFn<'Assistant' | 'Call' | 'CallAttempt' | 'Campaign' | 'CampaignRow', ParentType, ContextType>;
};

export type _ServiceResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['_Service'] = ResolversParentTypes['_Service']> = {
  sdl?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export interface Federation__FieldSetScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['federation__FieldSet'], any> {
  name: 'federation__FieldSet';
}

export interface Link__ImportScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['link__Import'], any> {
  name: 'link__Import';
}

export type Resolvers<ContextType = RequestContext> = {
  Assistant?: AssistantResolvers<ContextType>;
  AssistantConnection?: AssistantConnectionResolvers<ContextType>;
  AssistantEdge?: AssistantEdgeResolvers<ContextType>;
  Calendly?: CalendlyResolvers<ContextType>;
  Call?: CallResolvers<ContextType>;
  CallAttempt?: CallAttemptResolvers<ContextType>;
  CallAttemptConnection?: CallAttemptConnectionResolvers<ContextType>;
  CallAttemptEdge?: CallAttemptEdgeResolvers<ContextType>;
  CallAttemptResult?: CallAttemptResultResolvers;
  CallAttemptStatus?: CallAttemptStatusResolvers;
  CallDirection?: CallDirectionResolvers;
  CallRetryConfig?: CallRetryConfigResolvers<ContextType>;
  CallStatus?: CallStatusResolvers;
  CallUpdate?: CallUpdateResolvers<ContextType>;
  CallingWindow?: CallingWindowResolvers<ContextType>;
  Campaign?: CampaignResolvers<ContextType>;
  CampaignConnection?: CampaignConnectionResolvers<ContextType>;
  CampaignEdge?: CampaignEdgeResolvers<ContextType>;
  CampaignRow?: CampaignRowResolvers<ContextType>;
  CampaignRowConnection?: CampaignRowConnectionResolvers<ContextType>;
  CampaignRowEdge?: CampaignRowEdgeResolvers<ContextType>;
  CampaignRowResult?: CampaignRowResultResolvers;
  CampaignStatus?: CampaignStatusResolvers;
  DateTime?: GraphQLScalarType;
  DedicatedInstanceLlmModel?: DedicatedInstanceLlmModelResolvers<ContextType>;
  DialError?: DialErrorResolvers;
  EndedBy?: EndedByResolvers;
  FaqItem?: FaqItemResolvers<ContextType>;
  FaqItemSource?: FaqItemSourceResolvers;
  FirstSentenceMode?: FirstSentenceModeResolvers;
  JSON?: GraphQLScalarType;
  LlmModel?: LlmModelResolvers<ContextType>;
  Node?: NodeResolvers<ContextType>;
  OpenrouterLlmModel?: OpenrouterLlmModelResolvers<ContextType>;
  PageInfo?: PageInfoResolvers<ContextType>;
  Query?: QueryResolvers<ContextType>;
  SafeInt?: GraphQLScalarType;
  StructuredOutputField?: StructuredOutputFieldResolvers<ContextType>;
  StructuredOutputFieldType?: StructuredOutputFieldTypeResolvers;
  Subscription?: SubscriptionResolvers<ContextType>;
  TranscriptMessage?: TranscriptMessageResolvers<ContextType>;
  TranscriptRole?: TranscriptRoleResolvers;
  UnrecognizedLlmModel?: UnrecognizedLlmModelResolvers<ContextType>;
  Voice?: VoiceResolvers<ContextType>;
  VoiceProvider?: VoiceProviderResolvers;
  _Any?: GraphQLScalarType;
  _Entity?: _EntityResolvers<ContextType>;
  _Service?: _ServiceResolvers<ContextType>;
  federation__FieldSet?: GraphQLScalarType;
  link__Import?: GraphQLScalarType;
};

export type DirectiveResolvers<ContextType = RequestContext> = {
  key?: KeyDirectiveResolver<any, any, ContextType>;
  link?: LinkDirectiveResolver<any, any, ContextType>;
  shareable?: ShareableDirectiveResolver<any, any, ContextType>;
  tag?: TagDirectiveResolver<any, any, ContextType>;
};
