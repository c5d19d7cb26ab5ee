import type { GraphQLResolveInfo, GraphQLScalarType, GraphQLScalarTypeConfig } from 'graphql';
import type { Assistant as WireAssistant, Calendly as WireCalendly, Call as WireCall, CallAttempt as WireCallAttempt, CallingWindow as WireCallingWindow, CallRetryConfig as WireCallRetryConfig, Campaign as WireCampaign, CampaignRow as WireCampaignRow, DedicatedInstanceLlmModel as WireDedicatedInstanceLlmModel, FaqItem as WireFaqItem, OpenrouterLlmModel as WireOpenrouterLlmModel, StructuredOutputField as WireStructuredOutputField, TranscriptMessage as WireTranscriptMessage, Voice as WireVoice } from './revox-api.ts';
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
   * A moment, as RFC 3339 text in UTC or with an offset.
   *
   * Text that already is RFC 3339 passes unchanged. Other ISO 8601 text and numbers (seconds below 10¹¹, else milliseconds)
   * become UTC. The upstream leaves the type of its moments open: what cannot be read as a moment is null.
   */
  DateTime: { input: string; output: string; }
  /** Any JSON value. Used only where the upstream's payload is free-form. */
  JSON: { input: unknown; output: unknown; }
  /** A whole number between −(2⁵³−1) and 2⁵³−1: wider than Int, and exact in JavaScript. */
  SafeInt: { input: number; output: number; }
  /** An object as another subgraph knows it: `{ "__typename": "Call", "id": "…" }`. */
  _Any: { input: unknown; output: unknown; }
  /** A selection of fields, without the outer braces. */
  federation__FieldSet: { input: never; output: never; }
  /** A name taken from a specification, or an object that gives it another. */
  link__Import: { input: never; output: never; }
};

/** Who speaks: a prompt, a voice, a model, and what to do in which case. */
export type Assistant = Node & {
  readonly __typename?: 'Assistant';
  /** The sound behind the voice, `audio/office.ogg` for instance; null: silence. */
  readonly backgroundSound?: Maybe<Scalars['String']['output']>;
  /** The calendar in which it books appointments; null: it books none. */
  readonly calendly?: Maybe<Calendly>;
  /** When and how often its calls are tried again. Null: the defaults of the upstream. */
  readonly callRetryConfig?: Maybe<CallRetryConfig>;
  /** When it was made. */
  readonly createdAt?: Maybe<Scalars['DateTime']['output']>;
  /** The last sentence of a call; null: none is set. */
  readonly endOfCallSentence?: Maybe<Scalars['String']['output']>;
  /** What it knows to answer. Null when the upstream says nothing of it. */
  readonly faqItems?: Maybe<ReadonlyArray<FaqItem>>;
  /** The first sentence of a call; null: none is set. */
  readonly firstSentence?: Maybe<Scalars['String']['output']>;
  /** Silence before the first sentence, in milliseconds. */
  readonly firstSentenceDelayMs?: Maybe<Scalars['SafeInt']['output']>;
  /** Where the first sentence comes from. */
  readonly firstSentenceMode?: Maybe<FirstSentenceMode>;
  /** The id of the assistant. */
  readonly id: Scalars['ID']['output'];
  /** Whether it may find its way through phone menus (press keys, skip turns). */
  readonly ivrNavigationEnabled?: Maybe<Scalars['Boolean']['output']>;
  /** The language model that drives it. */
  readonly llmModel?: Maybe<LlmModel>;
  /** The longest a call may last, in seconds. */
  readonly maxCallDurationSecs?: Maybe<Scalars['Float']['output']>;
  /** Its name. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** The organisation that owns it. */
  readonly organizationId?: Maybe<Scalars['ID']['output']>;
  /** The number of questions that wait for a person's answer. Null when the upstream says nothing of it. */
  readonly pendingFaqCount?: Maybe<Scalars['Int']['output']>;
  /** The instructions it follows. */
  readonly prompt?: Maybe<Scalars['String']['output']>;
  /** What to extract from a conversation; null: nothing. */
  readonly structuredOutputConfig?: Maybe<ReadonlyArray<StructuredOutputField>>;
  /** Where it transfers callers who want a person, in E.164; null: nowhere. */
  readonly transferPhoneNumber?: Maybe<Scalars['String']['output']>;
  /** When it was last changed. */
  readonly updatedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The voice it speaks with; null: the upstream's own choice. */
  readonly voice?: Maybe<Voice>;
  /** What it says to a voicemail before it hangs up; null: it hangs up at once. */
  readonly voicemailMessage?: Maybe<Scalars['String']['output']>;
  /** What is called when a call is over; null: nothing. */
  readonly webhookUrl?: Maybe<Scalars['String']['output']>;
};

/** A page of assistants. */
export type AssistantConnection = {
  readonly __typename?: 'AssistantConnection';
  /** The assistants of this page with their cursors. */
  readonly edges: ReadonlyArray<AssistantEdge>;
  /** The assistants of this page without cursors. */
  readonly nodes: ReadonlyArray<Assistant>;
  /** Where this page stands in the list. */
  readonly pageInfo: PageInfo;
  /** The length of the whole list. It costs nothing. */
  readonly totalCount?: Maybe<Scalars['Int']['output']>;
};

/** An assistant and its place in the list. */
export type AssistantEdge = {
  readonly __typename?: 'AssistantEdge';
  /** An opaque place in this list. It stays right while the list moves. */
  readonly cursor: Scalars['String']['output'];
  /** The assistant. */
  readonly node: Assistant;
};

/** A connection to Calendly. */
export type Calendly = {
  readonly __typename?: 'Calendly';
  /** The connection between the Calendly account and Revox. */
  readonly connectionId?: Maybe<Scalars['ID']['output']>;
  /** The kind of event that is booked: a Calendly API URL. */
  readonly eventTypeId?: Maybe<Scalars['String']['output']>;
};

/** A call order: what was asked for. It may take several attempts over days to fulfil it. */
export type Call = Node & {
  readonly __typename?: 'Call';
  /** The assistant that speaks in this call, as it was set for this call. It comes with the call and costs nothing. */
  readonly assistant?: Maybe<Assistant>;
  /** The attempts made so far, newest first. Empty when none was made. They come with the call and cost nothing. */
  readonly callAttempts: ReadonlyArray<CallAttempt>;
  /** When and how often a call that was not answered is tried again. Null: the defaults of the upstream. */
  readonly callRetryConfig?: Maybe<CallRetryConfig>;
  /** The number of attempts made. */
  readonly callsCount?: Maybe<Scalars['Int']['output']>;
  /**
   * The campaign this call belongs to; null when it belongs to none. `id` and `name` come with the call.
   *
   * Upstream: nothing for `id` and `name`; one request for any other field (one for all the campaigns of an answer).
   */
  readonly campaign?: Maybe<Campaign>;
  /** When the order was placed. */
  readonly createdAt?: Maybe<Scalars['DateTime']['output']>;
  /** Whether the call comes in or goes out. */
  readonly direction?: Maybe<CallDirection>;
  /** Silence before the first sentence, in milliseconds. */
  readonly firstSentenceDelayMs?: Maybe<Scalars['SafeInt']['output']>;
  /** The number that calls, in E.164. */
  readonly fromPhoneNumber?: Maybe<Scalars['String']['output']>;
  /** The id of the order. */
  readonly id: Scalars['ID']['output'];
  /**
   * Whether the call was cancelled.
   * @deprecated Derived from `status` by the upstream. Use `status`: CANCELLED.
   */
  readonly isCancelled?: Maybe<Scalars['Boolean']['output']>;
  /**
   * Whether the call is over.
   * @deprecated Derived from `status` by the upstream. Use `status`: COMPLETED.
   */
  readonly isCompleted?: Maybe<Scalars['Boolean']['output']>;
  /** The newest attempt; null before the first one. It comes with the call and costs nothing. */
  readonly lastCallAttempt?: Maybe<CallAttempt>;
  /** The language model that drives this call. */
  readonly llmModel?: Maybe<LlmModel>;
  /** What the creator of the call stored with it: text by key. Null when nothing was stored. */
  readonly metadata?: Maybe<Scalars['JSON']['output']>;
  /** The organisation that owns the call. */
  readonly organizationId?: Maybe<Scalars['ID']['output']>;
  /** When the call is due; null when it is not put off. */
  readonly scheduledAt?: Maybe<Scalars['DateTime']['output']>;
  /** Where the order stands. */
  readonly status?: Maybe<CallStatus>;
  /** The number that is called, in E.164. */
  readonly toPhoneNumber?: Maybe<Scalars['String']['output']>;
};

/** One dial of one call order. It has an id but no endpoint of its own, so it is no `Node`. */
export type CallAttempt = {
  readonly __typename?: 'CallAttempt';
  /** When somebody or something answered; null when nobody did (yet). */
  readonly answeredAt?: Maybe<Scalars['DateTime']['output']>;
  /** Why no line came about; null when one did. */
  readonly dialError?: Maybe<DialError>;
  /** Why the assistant ended the call: free text such as `tool_end_call`, `voicemail`, `transfer`. Null when the assistant did not end it. */
  readonly endReason?: Maybe<Scalars['String']['output']>;
  /** When the attempt ended; null while it lasts. */
  readonly endedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Who ended the call; null while it lasts or when nobody can be named. */
  readonly endedBy?: Maybe<EndedBy>;
  /** The id of the attempt, not of its order. */
  readonly id: Scalars['ID']['output'];
  /** The number that was dialled, in E.164. */
  readonly phoneNumber?: Maybe<Scalars['String']['output']>;
  /** Where the recording can be heard; null when there is none. The link may expire. */
  readonly recordingUrl?: Maybe<Scalars['String']['output']>;
  /** Who or what answered; null while that is unknown. */
  readonly result?: Maybe<CallAttemptResult>;
  /** When the attempt started; null while it is queued. */
  readonly startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Where the attempt stands. */
  readonly status?: Maybe<CallAttemptStatus>;
  /** What was extracted from the conversation, by the names of the assistant's `structuredOutputConfig`. Null when nothing was. */
  readonly structuredOutput?: Maybe<Scalars['JSON']['output']>;
  /** What was said, in order. Null when there is no transcript. */
  readonly transcript?: Maybe<ReadonlyArray<TranscriptMessage>>;
};

/** A page of call attempts. */
export type CallAttemptConnection = {
  readonly __typename?: 'CallAttemptConnection';
  /** The attempts of this page with their cursors. */
  readonly edges: ReadonlyArray<CallAttemptEdge>;
  /** The attempts of this page without cursors. */
  readonly nodes: ReadonlyArray<CallAttempt>;
  /** Where this page stands in the list. */
  readonly pageInfo: PageInfo;
  /**
   * The length of the whole list. The upstream does not tell it.
   *
   * Upstream: found by a galloping search, about 2·log₂ of the number of pages; only when asked for.
   */
  readonly totalCount?: Maybe<Scalars['Int']['output']>;
};

/** A call attempt and its place in the list. */
export type CallAttemptEdge = {
  readonly __typename?: 'CallAttemptEdge';
  /** An opaque place in this list, under this filter. It stays right while the list moves. */
  readonly cursor: Scalars['String']['output'];
  /** The attempt. */
  readonly node: CallAttempt;
};

/** Who or what answered an attempt. */
export type CallAttemptResult =
  /** A person. */
  | 'human'
  /** The call screening of an iPhone. */
  | 'ios-screening-filter'
  /** A phone menu. */
  | 'IVR'
  /** It could not be told: a value of the upstream's own, not to be confused with `UNRECOGNIZED`. */
  | 'unknown'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED'
  /** A voicemail. */
  | 'voicemail';

/** Where an attempt stands. */
export type CallAttemptStatus =
  /** It is over. */
  | 'completed'
  /** It failed. */
  | 'error'
  /** A conversation is under way. */
  | 'ongoing'
  /** It waits to be dialled. */
  | 'queued'
  /** The other phone rings. */
  | 'ringing'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** Who calls whom. */
export type CallDirection =
  /** Somebody calls the assistant. */
  | 'inbound'
  /** The assistant calls somebody. */
  | 'outbound'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** When and how often a call that did not reach anybody is tried again. */
export type CallRetryConfig = {
  readonly __typename?: 'CallRetryConfig';
  /** The hours in which calls may be made. Empty when none are given. */
  readonly callingWindows: ReadonlyArray<CallingWindow>;
  /** The most attempts that are made for an order. */
  readonly maxRetryAttempts?: Maybe<Scalars['SafeInt']['output']>;
  /** The IANA time zone of the calling windows; null: the zone of the called number's country. */
  readonly timezone?: Maybe<Scalars['String']['output']>;
};

/** Where a call order stands. `UNRECOGNIZED` as an argument is refused. */
export type CallStatus =
  /** An attempt is under way. */
  | 'calling'
  /** The order was called off. */
  | 'cancelled'
  /** The order is fulfilled; nothing more will happen. */
  | 'completed'
  /** The order failed. */
  | 'errored'
  /** The order is being set up. */
  | 'initializing'
  /** The order waits for a free line. */
  | 'queued_for_calling'
  /** The next attempt is due later. */
  | 'scheduled'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** Hours of a day in which calls may be made, in the time of the called person unless a zone is set. */
export type CallingWindow = {
  readonly __typename?: 'CallingWindow';
  /** The end, as `HH:mm` or `6pm`. */
  readonly callingWindowEndTime?: Maybe<Scalars['String']['output']>;
  /** The start, as `HH:mm` or `10am`. */
  readonly callingWindowStartTime?: Maybe<Scalars['String']['output']>;
  /** The wait before the next attempt, in seconds. */
  readonly retryDelaySeconds?: Maybe<Scalars['SafeInt']['output']>;
};

/** Many calls to many people with one assistant. */
export type Campaign = Node & {
  readonly __typename?: 'Campaign';
  /**
   * The assistant that speaks. Most campaigns bring it along.
   *
   * Upstream: nothing when the campaign brings it along, else as `assistant(id:)`.
   */
  readonly assistant?: Maybe<Assistant>;
  /** The id of the assistant. */
  readonly assistantId?: Maybe<Scalars['ID']['output']>;
  /** When it was made. */
  readonly createdAt?: Maybe<Scalars['DateTime']['output']>;
  /** The id of the campaign. */
  readonly id: Scalars['ID']['output'];
  /** Whether it was cancelled: the only sign of it, for there is no such status. */
  readonly isCancelled?: Maybe<Scalars['Boolean']['output']>;
  /** Its name. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** The organisation that owns it. */
  readonly organizationId?: Maybe<Scalars['ID']['output']>;
  /**
   * The people to call, a row each.
   *
   * Upstream: pages of 50 (a setting); at most two for a client page of up to 50 of a walk that asks for `hasNextPage`, when nothing has moved;
   * and two more once, until the number of the first page is known. Each row brings its call along.
   */
  readonly rows?: Maybe<CampaignRowConnection>;
  /** Where it stands. A cancelled campaign is told by `isCancelled`. */
  readonly status?: Maybe<CampaignStatus>;
  /** When it was last changed. */
  readonly updatedAt?: Maybe<Scalars['DateTime']['output']>;
};


/** Many calls to many people with one assistant. */
export type CampaignRowsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  query?: InputMaybe<Scalars['String']['input']>;
  result?: InputMaybe<CampaignRowResult>;
  statuses?: InputMaybe<ReadonlyArray<CallStatus>>;
};

/** A page of campaigns. */
export type CampaignConnection = {
  readonly __typename?: 'CampaignConnection';
  /** The campaigns of this page with their cursors. */
  readonly edges: ReadonlyArray<CampaignEdge>;
  /** The campaigns of this page without cursors. */
  readonly nodes: ReadonlyArray<Campaign>;
  /** Where this page stands in the list. */
  readonly pageInfo: PageInfo;
  /** The length of the whole list. It costs nothing. */
  readonly totalCount?: Maybe<Scalars['Int']['output']>;
};

/** A campaign and its place in the list. */
export type CampaignEdge = {
  readonly __typename?: 'CampaignEdge';
  /** An opaque place in this list. It stays right while the list moves. */
  readonly cursor: Scalars['String']['output'];
  /** The campaign. */
  readonly node: Campaign;
};

/** One person to call in a campaign. */
export type CampaignRow = {
  readonly __typename?: 'CampaignRow';
  /** The call made for this row; null while there is none. It comes with the row and costs nothing. */
  readonly call?: Maybe<Call>;
  /** The id of the row. */
  readonly id: Scalars['ID']['output'];
  /** What is known of the person: text by column, the variables of the prompt. */
  readonly inputData?: Maybe<Scalars['JSON']['output']>;
  /** The number to call. */
  readonly phoneNumber?: Maybe<Scalars['String']['output']>;
  /** The place of the row in its campaign. The upstream does not say whether it counts from 0 or 1. */
  readonly rowIndex?: Maybe<Scalars['Int']['output']>;
};

/** A page of rows. */
export type CampaignRowConnection = {
  readonly __typename?: 'CampaignRowConnection';
  /** The rows of this page with their cursors. */
  readonly edges: ReadonlyArray<CampaignRowEdge>;
  /** The rows of this page without cursors. */
  readonly nodes: ReadonlyArray<CampaignRow>;
  /** Where this page stands in the list. */
  readonly pageInfo: PageInfo;
  /**
   * The length of the whole list, under the same filter.
   *
   * Upstream: nothing beyond one page of the list, which tells it.
   */
  readonly totalCount?: Maybe<Scalars['Int']['output']>;
};

/** A row and its place in the list. */
export type CampaignRowEdge = {
  readonly __typename?: 'CampaignRowEdge';
  /** An opaque place in this list, under this filter. It stays right while the list moves. */
  readonly cursor: Scalars['String']['output'];
  /** The row. */
  readonly node: CampaignRow;
};

/** Which rows to list, by the result of their call. */
export type CampaignRowResult =
  /** Rows of any result. */
  | 'all'
  /** A person answered. */
  | 'human'
  /** The call screening of an iPhone answered. */
  | 'ios-screening-filter'
  /** A phone menu answered. */
  | 'IVR'
  /** Rows without a result. */
  | 'none'
  /** What answered could not be told. */
  | 'unknown'
  /** A voicemail answered. */
  | 'voicemail';

/** Where a campaign stands. */
export type CampaignStatus =
  /** All of it is done. */
  | 'completed'
  /** It is not launched. */
  | 'draft'
  /** It is held. */
  | 'paused'
  /** Calls are being made. */
  | 'running'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** A model on an instance of the vendor's own. */
export type DedicatedInstanceLlmModel = {
  readonly __typename?: 'DedicatedInstanceLlmModel';
  /** The name of the model, `gpt-4.1` for instance. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** The kind of model as the upstream names it: `dedicated-instance`. */
  readonly type?: Maybe<Scalars['String']['output']>;
};

/** Why a line did not come about (SIP). */
export type DialError =
  /** The line was busy. */
  | 'busy'
  /** Any other failure. */
  | 'non_classified_error'
  /** Nobody picked up. */
  | 'no_answer'
  /** Calls abroad are not allowed. */
  | 'no_international_permission'
  /** Nobody has this number. */
  | 'number_non_attributed'
  /** Something that the call needs was missing. */
  | 'precondition_failed'
  /** The number could not be reached for the moment. */
  | 'temporarily_unavailable'
  /** Too many calls at a time. */
  | 'too_many_calls'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** Who ended a call. */
export type EndedBy =
  /** The assistant. */
  | 'agent'
  /** The system, at the longest duration for instance. */
  | 'system'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED'
  /** The person called or calling: they hung up. */
  | 'user';

/** A question and its answer. */
export type FaqItem = {
  readonly __typename?: 'FaqItem';
  /** The answer. */
  readonly answer?: Maybe<Scalars['String']['output']>;
  /** The id of the item; null when it has none. */
  readonly id?: Maybe<Scalars['ID']['output']>;
  /** Whether a person still has to answer. Null when the upstream says nothing of it. */
  readonly needsHumanAnswer?: Maybe<Scalars['Boolean']['output']>;
  /** The question. */
  readonly question?: Maybe<Scalars['String']['output']>;
  /** Who wrote the answer. Null when the upstream says nothing of it. */
  readonly source?: Maybe<FaqItemSource>;
};

/** Who wrote an answer. */
export type FaqItemSource =
  /** The model. */
  | 'ai'
  /** A person. */
  | 'human'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** Where the first sentence of a call comes from. */
export type FirstSentenceMode =
  /** The model makes one up. */
  | 'generated'
  /** The assistant waits to be spoken to. */
  | 'none'
  /** `firstSentence` is spoken as it is. */
  | 'static'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** The language model behind an assistant or a call. Kinds newer than this schema are `UnrecognizedLlmModel`. */
export type LlmModel = DedicatedInstanceLlmModel | OpenrouterLlmModel | UnrecognizedLlmModel;

/** Whatever has an endpoint of its own and can be fetched again by its id. */
export type Node = {
  /** The plain Revox id, unique in the organisation. */
  readonly id: Scalars['ID']['output'];
};

/** A model reached through OpenRouter. */
export type OpenrouterLlmModel = {
  readonly __typename?: 'OpenrouterLlmModel';
  /** OpenRouter's id of the model, `openai/gpt-4.1` for instance. */
  readonly openrouterModelId?: Maybe<Scalars['String']['output']>;
  /** The provider that OpenRouter takes it from, `azure` for instance. */
  readonly openrouterProvider?: Maybe<Scalars['String']['output']>;
  /** The kind of model as the upstream names it: `openrouter`. */
  readonly type?: Maybe<Scalars['String']['output']>;
};

/** Where a page of a connection stands in its list (Relay cursor connections). */
export type PageInfo = {
  readonly __typename?: 'PageInfo';
  /** The cursor of the last edge; null on an empty page. */
  readonly endCursor?: Maybe<Scalars['String']['output']>;
  /** Whether anything follows the last edge. Honest: it looks ahead, at the cost of at most one upstream page, and only if asked for. */
  readonly hasNextPage: Scalars['Boolean']['output'];
  /** Whether anything stands before the first edge. */
  readonly hasPreviousPage: Scalars['Boolean']['output'];
  /** The cursor of the first edge; null on an empty page. */
  readonly startCursor?: Maybe<Scalars['String']['output']>;
};

/** The ways in. Ids are plain Revox ids everywhere. */
export type Query = {
  readonly __typename?: 'Query';
  /**
   * Objects that another subgraph refers to, in the order asked for; null where there is no such object. For routers.
   *
   * Upstream: as `calls` for calls; one request for one assistant or campaign, one list for several.
   */
  readonly _entities: ReadonlyArray<Maybe<_Entity>>;
  /** This subgraph. For routers and registries. */
  readonly _service: _Service;
  /**
   * An assistant by its id. Null when there is no such assistant.
   *
   * Upstream: one request; two or more distinct assistants of one answer share one list.
   */
  readonly assistant?: Maybe<Assistant>;
  /**
   * The organisation's assistants, in the order the upstream lists them.
   *
   * Upstream: one request, whatever the page: the list comes whole.
   */
  readonly assistants?: Maybe<AssistantConnection>;
  /**
   * A call order by its id. Null when there is no such call.
   *
   * Upstream: one request.
   */
  readonly call?: Maybe<Call>;
  /**
   * The attempts of all calls, as the upstream lists them (newest first, as far as is known).
   *
   * Upstream: pages of 50 (a setting); at most two for a client page of up to 50 of a walk that asks for `hasNextPage`, when nothing has moved;
   * and two more once, until the number of the first page is known. `totalCount`, and `last` without `before`, cost about 2·log₂ of the number of pages: the list has no total.
   */
  readonly callAttempts?: Maybe<CallAttemptConnection>;
  /**
   * Call orders by their ids, in the order asked for, null where there is no such call. At most 100 ids (a setting).
   *
   * Upstream: one request for each distinct id.
   */
  readonly calls: ReadonlyArray<Maybe<Call>>;
  /**
   * A campaign by its id. Null when there is no such campaign.
   *
   * Upstream: one request; two or more distinct campaigns of one answer share one list.
   */
  readonly campaign?: Maybe<Campaign>;
  /**
   * The organisation's campaigns, in the order the upstream lists them.
   *
   * Upstream: one request, whatever the page: the list comes whole.
   */
  readonly campaigns?: Maybe<CampaignConnection>;
  /**
   * Any `Call`, `Assistant` or `Campaign` by its id, for Relay clients. Null when there is no such object.
   *
   * Upstream: one request when the id has been served to you before; else it is looked for where it can be, in at most three.
   */
  readonly node?: Maybe<Node>;
  /**
   * Several objects by id, in the order asked for, null where there is no such object. At most 100 ids (a setting).
   *
   * Upstream: one request for each distinct id that has been served to you before, and one list for all assistants or campaigns among them;
   * each id never seen is asked for as a call, and what is none is looked for in the two lists.
   */
  readonly nodes: ReadonlyArray<Maybe<Node>>;
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type Query_EntitiesArgs = {
  representations: ReadonlyArray<Scalars['_Any']['input']>;
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type QueryAssistantArgs = {
  id: Scalars['ID']['input'];
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type QueryAssistantsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type QueryCallArgs = {
  id: Scalars['ID']['input'];
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type QueryCallAttemptsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  statuses?: InputMaybe<ReadonlyArray<CallStatus>>;
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type QueryCallsArgs = {
  ids: ReadonlyArray<Scalars['ID']['input']>;
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type QueryCampaignArgs = {
  id: Scalars['ID']['input'];
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type QueryCampaignsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type QueryNodeArgs = {
  id: Scalars['ID']['input'];
};


/** The ways in. Ids are plain Revox ids everywhere. */
export type QueryNodesArgs = {
  ids: ReadonlyArray<Scalars['ID']['input']>;
};

/** One thing to extract from a conversation. */
export type StructuredOutputField = {
  readonly __typename?: 'StructuredOutputField';
  /** What is meant; null when nothing is said of it. */
  readonly description?: Maybe<Scalars['String']['output']>;
  /** What it may be, where `type` is `ENUM`. */
  readonly enumOptions?: Maybe<ReadonlyArray<Scalars['String']['output']>>;
  /** Its key in `structuredOutput`. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** Whether it has to be found. */
  readonly required?: Maybe<Scalars['Boolean']['output']>;
  /** What kind of value it is. */
  readonly type?: Maybe<StructuredOutputFieldType>;
};

/** Kinds of extracted values. */
export type StructuredOutputFieldType =
  /** True or false. */
  | 'boolean'
  /** A day. */
  | 'date'
  /** A moment. */
  | 'datetime'
  /** One of `enumOptions`. */
  | 'enum'
  /** A number. */
  | 'number'
  /** Text. */
  | 'string'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** One utterance, or one use of a tool, in a transcript. */
export type TranscriptMessage = {
  readonly __typename?: 'TranscriptMessage';
  /** What was said, or what the tool answered. */
  readonly content?: Maybe<Scalars['String']['output']>;
  /** Who spoke. */
  readonly role?: Maybe<TranscriptRole>;
  /** What the tool was called with: an object, text, or null. */
  readonly toolArguments?: Maybe<Scalars['JSON']['output']>;
  /** Whether the tool failed; null when no tool was used. */
  readonly toolIsError?: Maybe<Scalars['Boolean']['output']>;
  /** The tool that was used; null when none was. */
  readonly toolName?: Maybe<Scalars['String']['output']>;
};

/** Who speaks in a transcript. */
export type TranscriptRole =
  /** The assistant. */
  | 'assistant'
  /** A tool that the assistant used. */
  | 'tool'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED'
  /** The person. */
  | 'user';

/** A kind of model newer than this schema. */
export type UnrecognizedLlmModel = {
  readonly __typename?: 'UnrecognizedLlmModel';
  /** All that the upstream says of it. */
  readonly raw?: Maybe<Scalars['JSON']['output']>;
  /** The kind of model as the upstream names it; null when it names none. */
  readonly type?: Maybe<Scalars['String']['output']>;
};

/** A vendor's voice with settings. */
export type Voice = {
  readonly __typename?: 'Voice';
  /** The vendor of the voice. */
  readonly provider?: Maybe<VoiceProvider>;
  /** The speed, 1.0 being normal: 0.6–1.5 with Cartesia, 0.7–1.2 with ElevenLabs. Null: normal. */
  readonly speed?: Maybe<Scalars['Float']['output']>;
  /** The vendor's id of the voice (`voice.id` upstream). It does not identify this object: two assistants may speak with one voice at two speeds. */
  readonly voiceId?: Maybe<Scalars['ID']['output']>;
};

/** Vendors of voices. */
export type VoiceProvider =
  /** Cartesia. */
  | 'cartesia'
  /** ElevenLabs. */
  | 'elevenlabs'
  /** A value newer than this schema; the raw value is in `extensions.unrecognized`. */
  | 'UNRECOGNIZED';

/** What other subgraphs may refer to. */
export type _Entity = Assistant | Call | CallAttempt | Campaign;

/** What a registry wants to know of this subgraph. */
export type _Service = {
  readonly __typename?: '_Service';
  /** The schema of this subgraph, to compose a supergraph from. */
  readonly sdl: Scalars['String']['output'];
};

/** What a specification is needed for. */
export type Link__Purpose =
  /** To answer operations. */
  | 'EXECUTION'
  /** To keep data safe. */
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
  CallRetryConfig: ResolverTypeWrapper<WireCallRetryConfig>;
  CallStatus: null;
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
};

export type CampaignRowConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['CampaignRowConnection'] = ResolversParentTypes['CampaignRowConnection']> = {
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
  __resolveType: TypeResolveFn<'Assistant' | 'Call' | 'CallAttempt' | 'Campaign', ParentType, ContextType>;
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
