import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import type { RequestWatch } from '#observability/request-watch.ts';
import { createBeginnings, whenDone } from './beginnings.ts';
import { createCostCheck } from './cost.ts';
import { createDocumentCache } from './document-cache.ts';
import { NAMING_PARAMETERS } from './document-name.ts';
import { createDocuments, type TrustedDocument } from './documents.ts';
import type { Answered, Asked, RequestHead } from './exchange.ts';
import { renderPage, toGraphiQLOptions } from './graphiql.ts';
import { createKnownOperations } from './known-operations.ts';
import { toPublicError } from './public-error.ts';
import type { ReadyOperation } from './ready-operation.ts';
import type { BodyUnderWay } from './request-bytes.ts';
import { toPagePolicy } from './security-headers.ts';
import { type Admission, type Admit, useAdmission } from './use-admission.ts';
import { useBeginnings } from './use-beginnings.ts';
import { useBodyLimit } from './use-body-limit.ts';
import { useClosedSchema } from './use-closed-schema.ts';
import { useDocumentCache } from './use-document-cache.ts';
import { useKnownOperations } from './use-known-operations.ts';
import { type Limits, useLimits } from './use-limits.ts';
import { type NamedDocumentsOptions, useNamedDocuments } from './use-named-documents.ts';
import { useOperation } from './use-operation.ts';
import { useRequestFormat } from './use-request-format.ts';
import { type OnDrift, useWatch } from './use-watch.ts';

export interface GraphQLServerOptions {
  readonly endpoint: string;
  readonly schema: GraphQLSchema;
  /** Makes another one, for operations that are traced. */
  readonly createSchema: () => GraphQLSchema;
  readonly admit: Admit;
  readonly limits: Limits & { readonly bodyBytes: number };
  readonly introspection: boolean;
  readonly namedDocuments: Omit<NamedDocumentsOptions, 'documents'> & { readonly documents: readonly TrustedDocument[] };
  /** False: no page. Else the operations in its tabs, and whether the user has to bring a key. */
  readonly graphiql: false | { readonly operations: readonly ReadyOperation[]; readonly asksForKey: boolean };
  /** Whether `x-revox-trace: 1` is answered with `extensions.upstream`. */
  readonly upstreamTrace: boolean;
  readonly onBug: (error: unknown) => void;
  /** Hears of each operation that is over a limit: of the setting that raises it, if there is one. */
  readonly onExcess: (setting: string | undefined) => void;
  readonly onDrift: OnDrift;
  /** The clock, ms. */
  readonly now: () => number;
  /** A clock for durations, ms and parts of it. */
  readonly elapsed: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export interface GraphQLServer {
  /** @param isTraced whether a router is told how long each field took */
  fetch(request: Request, watch: RequestWatch, isTraced: boolean): Promise<Response>;
  /** Whether a request is for `answer`, as far as its head tells. */
  mayAnswer(head: RequestHead): boolean;
  /** As `fetch` does, with none of Fetch's objects between where that can be. */
  answer(asked: Asked, watch: RequestWatch): Promise<Answered | Response>;
  /** What GraphiQL's page may do, once it has been served. */
  readonly pagePolicy: string | undefined;
}

/** What goes with a request through Yoga. */
interface ServerContext {
  readonly watch: RequestWatch;
  /** Absent: it is yet to be let in. */
  readonly admission?: Admission;
  /** It has waited for its turn. */
  readonly hasBegun?: boolean;
  readonly body: BodyUnderWay;
}

/** A document that does not parse is no use to anyone: it is parsed again. */
const NO_CACHE = { get: () => undefined, set: () => {} };

/** Yoga, as a list of plugins: each says what it is for. */
export function createGraphQLServer(options: GraphQLServerOptions): GraphQLServer {
  /** Nine megabytes, once for everyone: a text would be turned into bytes, and those kept, for each who asks and does not read. */
  let graphiqlPage: Uint8Array<ArrayBuffer> | undefined;
  let pagePolicy: string | undefined;
  const documents = createDocuments(options.namedDocuments.documents);
  const namedDocuments = useNamedDocuments({ ...options.namedDocuments, documents });
  const documentCache = createDocumentCache();
  const beginnings = createBeginnings({ ...options, onNextTurn: setImmediate, whenDone });
  const checkCost = createCostCheck(options.limits);
  const maskError = (error: unknown) => toPublicError(error, options);
  const known = createKnownOperations({
    ...options,
    parsed: documentCache,
    documents,
    trustedOnly: options.namedDocuments.only,
    beginnings,
    maxBodyBytes: options.limits.bodyBytes,
    checkCost,
    toPublicError: maskError,
  });

  const yoga = create(options.schema, useKnownOperations(known));
  let tracingYoga: Promise<typeof yoga> | undefined;
  return {
    async fetch(request, watch, isTraced) {
      const body: BodyUnderWay = {};
      try {
        if (!isTraced) return await yoga.fetch(request, { watch, body });
        tracingYoga ??= createTracing().catch(forgetTracing);
        return await (await tracingYoga).fetch(request, { watch, body });
      } finally {
        body.held?.release();
      }
    },
    mayAnswer: known.mayTake,
    async answer(asked, watch) {
      const body: BodyUnderWay = {};
      try {
        const answer = await known.answer(asked, body, watch);
        if (!('admission' in answer)) return answer;
        return await yoga.fetch(asked.toRequest(answer.body), { watch, body, admission: answer.admission, hasBegun: true });
      } finally {
        body.held?.release();
      }
    },
    get pagePolicy() {
      return pagePolicy;
    },
  };

  async function createTracing() {
    // It takes 30 ms, which nobody has to pay whom no router asks for traces.
    const { useFederatedTracing } = await import('./use-federated-tracing.ts');
    return create(options.createSchema(), useFederatedTracing());
  }

  /** Loading it may fail for want of a file handle, and succeed the next time. */
  function forgetTracing(error: unknown): never {
    tracingYoga = undefined;
    throw error;
  }

  function create(schema: GraphQLSchema, ...more: Plugin[]) {
    return createYoga<ServerContext, RequestContext>({
      schema,
      graphqlEndpoint: options.endpoint,
      // Nobody comes so far who was not let in.
      context: ({ admission, request, watch }) => (admission as Admission).open(request.signal, watch.trace),
      plugins: [
        useAdmission(options.admit, options.endpoint),
        useRequestFormat(),
        useBodyLimit(options.limits.bodyBytes),
        useBeginnings(beginnings),
        // Before whatever looks at the document.
        namedDocuments,
        useLimits(options.limits, checkCost),
        ...(options.introspection ? [] : [useClosedSchema()]),
        useOperation({ ...options, beginnings }),
        useWatch(options.onDrift),
        useDocumentCache(documentCache),
        ...more,
      ],
      graphiql: options.graphiql && toGraphiQLOptions({ ...options.graphiql, traces: options.upstreamTrace }),
      renderGraphiQL: async (page) => {
        if (graphiqlPage) return graphiqlPage;
        const text = await renderPage(page);
        pagePolicy = toPagePolicy(text);
        graphiqlPage = new TextEncoder().encode(text);
        return graphiqlPage;
      },
      maskedErrors: { maskError },
      // Ours; Yoga's closes the connection without an answer.
      maxRequestBodySize: false,
      // Yoga looks documents up; `useDocumentCache` keeps them, because it knows the caller.
      parserAndValidationCache: { documentCache: { get: documentCache.get, set: () => {} }, errorCache: NO_CACHE },
      extraParamNames: NAMING_PARAMETERS,
      // Ours; Yoga's tells strangers that the origin `null` may read, which every sandboxed frame can be, and overwrites `Vary`.
      cors: false,
      multipart: false,
      landingPage: false,
      // Ours; Yoga would answer any method there.
      healthCheckEndpoint: '/health/yoga',
      // Everything unforeseen comes to `onBug` once; Yoga would log it again.
      logging: false,
    });
  }
}
