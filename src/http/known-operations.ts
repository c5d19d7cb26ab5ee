import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from 'graphql';
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
import type { BodyUnderWay } from './request-bytes.ts';
import { createRequestMemo, type NumberedOperation, type Params, readParams } from './request-memo.ts';
import { type Admission, type Admit, type OperationAnswer, toTurnedAway } from './use-admission.ts';
import { asksForCost, EXECUTION_OPTIONS, toComplete } from './use-operation.ts';
import { type OnDrift, tellError, tellExecuted } from './use-watch.ts';

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
      let key = isTraced ? undefined : short?.answer?.keys[mediaType];
      let kept = key === undefined ? undefined : admission.answers.find(key);
      let operation: KnownOperation | undefined;
      if (!kept) {
        operation = find(short?.params);
        const currentKey = operation && short && !isTraced ? memo.toAnswerKeys(operation, short)[mediaType] : undefined;
        if (currentKey !== undefined && currentKey !== key) kept = admission.answers.find(currentKey);
        key = currentKey;
      }
      if (kept) {
        // An operation that finds all that it asks for in memory is not scheduled, but for a large body.
        if (typeof kept.body === 'string') beginnings.note(admission.caller);
        else await waitToSend(kept.body, admission, asked);
        return tellAgain(kept, short?.params, mediaType, watch);
      }
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

  async function waitToSend({ byteLength }: Uint8Array, admission: Admission, { signal }: Asked): Promise<void> {
    await beginnings.wait(admission, true);
    signal.throwIfAborted();
    // Its slices are sent after its turn.
    beginnings.charge(admission, byteLength * SENDING_MS);
  }

  /** As an operation that finds all that it asks for in memory. */
  function tellAgain(
    { asked, body, freshUntil, madeOf }: OperationAnswer,
    params: Params | undefined,
    mediaType: MediaType,
    watch: RequestWatch,
  ): Answered {
    watch.onAsked({ ...asked, variables: params?.variables ?? undefined });
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
      result = await execute({
        schema,
        document,
        contextValue: context,
        variableValues: variables,
        operationName: name,
        options: EXECUTION_OPTIONS,
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

/** A longer request is executed each time, bytes. */
const MAX_KEPT_REQUEST_BYTES = 16_384;

function toBodyText({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

/** A longer body waits for its turn, and is kept as bytes. */
const MAX_SMALL_BODY_LENGTH = 65_536;

/** What a byte of a large body takes of the event loop to be sent, ms. */
const SENDING_MS = 1e-6;

interface KnownOperation extends NumberedOperation {
  readonly text: string;
  readonly document: DocumentNode;
  readonly name: string | null | undefined;
}

interface KnownRequest {
  readonly admission: Admission;
  readonly signal: AbortSignal;
  readonly mediaType: MediaType;
  readonly watch: RequestWatch;
  /** Under which its answer is kept; undefined: it is not. */
  readonly key: string | undefined;
  readonly isTraced: boolean;
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
