import {
  type DocumentNode,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { RequestContext } from '#context/request-context.ts';
import type { AskedOperation, RequestWatch } from '#observability/request-watch.ts';
import type { Beginnings } from './beginnings.ts';
import { NO_STORE, toPrivate, VARY } from './cache-control.ts';
import type { Costed } from './cost.ts';
import { readDocumentName } from './document-name.ts';
import type { Documents } from './documents.ts';
import { type Answered, type Asked, PlainHeaders, type RequestHead } from './exchange.ts';
import { waitToWrite } from './large-results.ts';
import { type MediaType, toMediaType } from './media-type.ts';
import { tooDeepIn } from './nesting.ts';
import type { BodyUnderWay } from './request-bytes.ts';
import { type Admission, type Admit, type OperationAnswer, toTurnedAway } from './use-admission.ts';
import { asksForCost, executeOperation, toComplete } from './use-operation.ts';
import { type OnDrift, tellError, tellExecuted } from './use-watch.ts';
import { toVariablesKey } from './variables-key.ts';

export interface KnownOperationsOptions {
  readonly schema: GraphQLSchema;
  /** Documents that have been parsed, by their text. */
  readonly parsed: { get(text: string): DocumentNode | undefined };
  readonly documents: Documents;
  /** Whether no documents are executed but those that are trusted. */
  readonly trustedOnly: boolean;
  readonly admit: Admit;
  readonly beginnings: Beginnings;
  readonly maxBodyBytes: number;
  /** @throws for an operation that may bring too much */
  readonly checkCost: (costed: Costed) => void;
  readonly upstreamTrace: boolean;
  readonly toPublicError: (error: unknown) => GraphQLError;
  readonly onDrift: OnDrift;
  /** The clock, ms. */
  readonly now: () => number;
}

/** A request that is not for here. What has been found out of it need not be found out again. */
export interface Passed {
  readonly admission: Admission;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface KnownOperations {
  /** Notes that a document is valid and within the limits. */
  add(document: DocumentNode): void;
  /** Whether a request may be for here, as far as its head tells. */
  mayTake(head: RequestHead): boolean;
  /**
   * Answers it, refuses it, or passes it on.
   * @param body released by the caller when the request is answered
   * @throws what nobody foresaw, or what the client's leaving broke off
   */
  answer(asked: Asked, body: BodyUnderWay, watch: RequestWatch): Promise<Answered | Response | Passed>;
}

/** What is neither asked for nor answered in the plainest way is for Yoga. */
const PLAIN_TYPE = /^application\/json(;\s*charset=utf-8)?$/;
const TO_YOGA = ['apollo-federation-include-trace', 'content-encoding'];

/**
 * The short way for what has been this way before: an operation by POST, in JSON, whose document Yoga has parsed, validated and measured. It is
 * executed, with nothing between: Yoga's way to the same answer, over two HTTP adapters and a list of plugins, takes several times as long as
 * GraphQL does. Whatever is odd about a request, or wrong with it, is passed on to Yoga as it came: so what is refused, and in which words, is
 * said in one place. `test/http/known-operations.test.ts` holds the two ways against each other.
 */
export function createKnownOperations(options: KnownOperationsOptions): KnownOperations {
  const {
    schema,
    parsed,
    documents,
    trustedOnly,
    admit,
    beginnings,
    maxBodyBytes,
    upstreamTrace,
    checkCost,
    toPublicError,
    now,
  } = options;
  /** Each has a number, by which the keys of its answers name it. */
  const known = new WeakMap<DocumentNode, number>();
  let documentsSeen = 0;
  const memo = createRequestMemo();

  return {
    add(document) {
      if (known.has(document)) return;
      documentsSeen += 1;
      known.set(document, documentsSeen);
    },
    mayTake({ method, headers }) {
      return (
        method === 'POST' &&
        PLAIN_TYPE.test(headers.get('content-type') ?? '') &&
        !(Number(headers.get('content-length') ?? 0) > maxBodyBytes) &&
        !TO_YOGA.some((name) => headers.has(name)) &&
        toMediaType(headers.get('accept')) !== undefined
      );
    },
    async answer(asked, underWay, watch) {
      let admission: Admission;
      try {
        admission = await admit(asked);
        asked.admission = admission;
        underWay.held = admission.holdRequest();
      } catch (error) {
        return toTurnedAway(error, asked);
      }
      const mediaType = toMediaType(asked.headers.get('accept')) ?? 'application/json';
      let body: Uint8Array<ArrayBuffer>;
      try {
        body = await asked.readBody(maxBodyBytes, underWay.held.add);
      } catch (error) {
        if (asked.signal.aborted) throw error;
        return toAnswered({ errors: [toPublicError(error)] }, NO_STORE, mediaType, watch);
      }
      const isTraced = upstreamTrace && asksForCost(asked.headers);
      // A long request waits for its turn before it becomes a text: many of them would fill the heap.
      const short = body.byteLength <= MAX_KEPT_REQUEST_BYTES ? memo.read(toBodyText(body)) : undefined;
      let operation = find(short?.params);
      const key = operation && short && !isTraced ? toAnswerKey(operation, short, mediaType) : undefined;
      const kept = key === undefined ? undefined : admission.answers.find(key);
      if (operation && kept) return tellAgain(kept, operation, { admission, signal: asked.signal, mediaType, watch });
      await beginnings.wait(admission);
      // Nothing is begun for who has left meanwhile.
      asked.signal.throwIfAborted();
      if (!short) operation = find(readParams(toBodyText(body)));
      if (!operation || !isWithinCost(operation)) return { admission, body };
      try {
        return await run(operation, { admission, key, isTraced, signal: asked.signal, mediaType, watch });
      } catch (error) {
        return toTurnedAway(error, asked);
      }
    },
  };

  /** As an operation that finds all that it asks for in memory. A large body waits for its turn, as an operation does. */
  async function tellAgain(kept: OperationAnswer, { variables }: KnownOperation, request: AnswerRequest): Promise<Answered> {
    const { asked, body, freshUntil, madeOf } = kept;
    const { admission, signal, mediaType, watch } = request;
    if (typeof body === 'string') beginnings.note(admission.caller);
    else {
      await beginnings.wait(admission, true);
      signal.throwIfAborted();
      // Its slices are sent after its turn.
      beginnings.charge(admission, body.byteLength * SENDING_MS);
    }
    watch.onAsked({ ...asked, variables });
    watch.onExecute();
    watch.onExecuted({ waitedMs: 0, upstreamRequests: 0, cacheHits: madeOf.length, coalesced: 0, stale: 0 });
    return { status: 200, headers: toHeaders(mediaType, toPrivate(Number.isFinite(freshUntil) ? freshUntil - now() : 0)), body };
  }

  function find(params: Params | undefined): KnownOperation | undefined {
    const text = params && toText(params, documents);
    const document = text === undefined || (trustedOnly && !documents.isTrusted(text)) ? undefined : parsed.get(text);
    const documentNumber = document && known.get(document);
    if (text === undefined || !document || documentNumber === undefined) return undefined;
    const operation = getOperationAST(document, params?.operationName);
    if (operation?.operation !== 'query') return undefined;
    const variables = params?.variables ?? undefined;
    return { text, document, documentNumber, operation, variables, name: params?.operationName };
  }

  function isWithinCost({ document, operation, variables }: KnownOperation): boolean {
    try {
      checkCost({ schema, document, operation, variables });
      return true;
    } catch {
      return false;
    }
  }

  async function run({ text, document, operation, variables, name }: KnownOperation, request: KnownRequest): Promise<Answered> {
    const { admission, key, isTraced, signal, mediaType, watch } = request;
    const asked = { type: operation.operation, name: operation.name?.value, document: text, variables };
    watch.onAsked(asked);
    const keep = key === undefined ? undefined : admission.answers.begin(key);
    const context = admission.open(signal, watch.trace);
    watch.onExecute();
    let result: ExecutionResult;
    try {
      result = await executeOperation({
        schema,
        document,
        contextValue: context,
        variableValues: variables,
        operationName: name,
      });
    } finally {
      context.end();
      tellExecuted(context, watch, options.onDrift);
    }
    await waitToWrite(context, admission, beginnings);
    // Nobody is there to be told.
    signal.throwIfAborted();
    const { cacheControl = NO_STORE, ...complete } = toComplete(result, document, context, isTraced, now());
    const errors = complete.errors?.map(toPublicError);
    const answered = toAnswered(errors ? { ...complete, errors } : complete, cacheControl, mediaType, watch);
    if (keep && !errors) keepAnswer(keep, asked, answered.body, context);
    return answered;
  }
}

/**
 * Only one that was found in memory, all of it: what was asked on the way there, to find out what an id names or where a list begins, would count
 * each time, and make the answer as old as that. Nor one with something live in it, nor with something odd, for that is counted each time.
 */
function keepAnswer(keep: (answer: OperationAnswer) => void, asked: AskedOperation, body: string, context: RequestContext): void {
  const { lasting, counts, madeOf } = context.account;
  if (lasting.isLive || counts.cache !== madeOf.length || context.oddities.drift.length > 0) return;
  const { variables: _, ...remembered } = asked;
  // All clients that a large body is sent to share its bytes.
  const kept = body.length > MAX_SMALL_BODY_LENGTH ? new TextEncoder().encode(body) : body;
  const bytes = 2 * asked.document.length + (typeof kept === 'string' ? 2 * kept.length : kept.byteLength);
  keep({ asked: remembered, body: kept, freshUntil: lasting.freshUntil, madeOf, bytes });
}

/** By what an answer differs from others of the same credential, and nothing else that a request may vary. */
function toAnswerKey(known: KnownOperation, request: ReadRequest, mediaType: MediaType): string | undefined {
  const { documentNumber, operation, variables } = known;
  // A document that was parsed again has another number.
  if (request.answer?.documentNumber !== documentNumber) {
    const variablesKey = toVariablesKey(operation.variableDefinitions, variables);
    const named = `${documentNumber} ${operation.name?.value ?? ''}`;
    request.answer = { documentNumber, key: variablesKey === undefined ? undefined : `${named} ${variablesKey}` };
  }
  const { key } = request.answer;
  return key === undefined ? undefined : `${mediaType} ${key}`;
}

/** A request whose text has been read. */
interface ReadRequest {
  readonly params: Params | undefined;
  /** What its answer is kept under, but for the media type. */
  answer?: { readonly documentNumber: number; readonly key: string | undefined };
}

/**
 * Reads the text of a request; one that was read lately is not parsed again: clients send the same requests again and again, and to parse one takes as
 * long as to find its answer. What is kept follows from the text alone, so all callers share it.
 */
function createRequestMemo() {
  const requests = new LRUCache<string, ReadRequest>({
    maxSize: MEMO_BYTES,
    sizeCalculation: (_, text) => MEMO_ENTRY_BYTES + MEMO_BYTES_A_CHARACTER * text.length,
  });
  return {
    read(text: string): ReadRequest {
      const known = requests.get(text);
      if (known) return known;
      const request: ReadRequest = { params: readParams(text) };
      if (request.params) requests.set(text, request);
      return request;
    },
  };
}

const MEMO_BYTES = 4 * 2 ** 20;
/** As measured: what an entry takes besides its text, and what a character takes with all that is read from it. */
const MEMO_ENTRY_BYTES = 600;
const MEMO_BYTES_A_CHARACTER = 8;

/** A longer request is executed each time, bytes. */
const MAX_KEPT_REQUEST_BYTES = 16_384;

function toBodyText({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

/** A longer body waits for its turn, and is kept as bytes. */
const MAX_SMALL_BODY_LENGTH = 65_536;

/** What a byte of a large body takes of the event loop to be sent, ms. */
const SENDING_MS = 1e-6;

interface KnownOperation {
  readonly text: string;
  readonly document: DocumentNode;
  readonly documentNumber: number;
  readonly operation: OperationDefinitionNode;
  readonly variables: { readonly [name: string]: unknown } | undefined;
  readonly name: string | null | undefined;
}

interface AnswerRequest {
  readonly admission: Admission;
  readonly signal: AbortSignal;
  readonly mediaType: MediaType;
  readonly watch: RequestWatch;
}

interface KnownRequest extends AnswerRequest {
  /** Under which its answer is kept; undefined: it is not. */
  readonly key: string | undefined;
  readonly isTraced: boolean;
}

interface Params {
  readonly query?: string | null;
  readonly variables?: { readonly [name: string]: unknown } | null;
  readonly operationName?: string | null;
  readonly extensions?: object | null;
}

const isText = (value: unknown) => typeof value === 'string';
const isObject = (value: unknown) => typeof value === 'object' && !Array.isArray(value);
const PARAMETERS = new Map<string, (value: unknown) => boolean>([
  ['query', isText],
  ['variables', isObject],
  ['operationName', isText],
  ['extensions', isObject],
  ['documentId', isText],
]);

/** Undefined for what has anything in it that is not plain. */
function readParams(text: string): Params | undefined {
  let params: unknown;
  try {
    params = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined;
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && !PARAMETERS.get(name)?.(value)) return undefined;
  }
  return tooDeepIn(params) === undefined ? params : undefined;
}

/** The text of a document that comes in full, or by its name; both together are for Yoga to compare. */
function toText(params: Params, documents: Documents): string | undefined {
  const isNamed = 'documentId' in params || (params.extensions && 'persistedQuery' in params.extensions);
  if (!isNamed) return params.query ?? undefined;
  if (params.query) return undefined;
  try {
    const name = readDocumentName(POST, params);
    return name && documents.find(name.id);
  } catch {
    return undefined;
  }
}

const POST = { method: 'POST', url: '' };

/** As Yoga makes an answer of a result. */
function toAnswered(
  result: ExecutionResult,
  cacheControl: string,
  mediaType: MediaType,
  watch: RequestWatch,
): Answered & { readonly body: string } {
  tellError(result, watch);
  const { errors, data, extensions = {} } = result;
  const hasExtensions = Object.keys(extensions).length > 0;
  return {
    status: toStatus(errors ?? [], mediaType),
    headers: toHeaders(mediaType, cacheControl),
    body: JSON.stringify({
      ...(errors?.length ? { errors: errors.map(withoutHttp) } : {}),
      ...('data' in result ? { data } : {}),
      ...(hasExtensions ? { extensions } : {}),
    }),
  };
}

function toHeaders(mediaType: MediaType, cacheControl: string): PlainHeaders {
  return new PlainHeaders({ 'content-type': `${mediaType}; charset=utf-8`, 'cache-control': cacheControl, vary: VARY });
}

/** The highest that an error asks for. `spec`: not in `application/json`, whose clients take any other than 200 for a failure of the transport. */
function toStatus(errors: readonly GraphQLError[], mediaType: MediaType): number {
  let status = 0;
  for (const { extensions } of errors) {
    const http = extensions.http as { readonly spec?: boolean; readonly status?: number } | undefined;
    if (http?.status && !(http.spec && mediaType === 'application/json')) status = Math.max(status, http.status);
  }
  return status || 200;
}

function withoutHttp(error: GraphQLError) {
  const { extensions, ...told } = error.toJSON();
  const { http, ...others } = extensions ?? {};
  return Object.keys(others).length > 0 ? { ...told, extensions: others } : told;
}
