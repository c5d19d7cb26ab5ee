import type { NodeTypes } from '#cache/node-types.ts';
import { createLoaders, type Loaders } from '#loaders/loaders.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import type { Credential } from '#rest/credential.ts';
import type { BodyLimiter } from '#rest/resilience/body-limiter.ts';
import type { CreateRevoxApi } from '#rest/revox-api.ts';
import type { Budget } from '#rest/upstream-context.ts';
import { createDriftLog, type DriftLog } from './drift-log.ts';
import { createOperationSignal, type StartTimer } from './operation-signal.ts';
import { createResponseBudget, type OperationResponseBudget, type ResponseLimits } from './response-budget.ts';
import { createUpstreamUsage, type UpstreamUsage } from './upstream-usage.ts';

/** What one operation holds. Nothing of it outlives the operation, and nothing in it tells the credential. */
export interface RequestContext {
  readonly loaders: Loaders;
  readonly driftLog: DriftLog;
  /** What its answer may hold, and whether that is given up. */
  readonly responseBudget: OperationResponseBudget;
  /** What its answer is made of. */
  readonly usage: UpstreamUsage;
  /** Upstream requests that it has sent, and how many it may. */
  readonly budget: Readonly<Budget>;
  /** What to say of the pages of this answer in `extensions.pagination`. */
  readonly paginationNotes: PaginationNote[];
  /** To be called when the answer is complete. */
  end(): void;
}

/** A page that begins (or ends) where its cursor's item once stood, because the item and all its neighbours are gone. */
export interface PaginationNote {
  readonly path: readonly (string | number)[];
  readonly reason: 'CURSOR_ITEM_GONE';
}

export interface RequestContextOptions {
  readonly createRevoxApi: CreateRevoxApi;
  readonly factsOf: (credential: Credential) => FactsByEndpoint;
  readonly nodeTypesOf: (credentialFingerprint: string) => NodeTypes;
  /** Upstream requests that one operation may send. */
  readonly maxUpstreamRequests: number;
  /** Bytes of bodies, decoded, that one operation may read from the upstream. */
  readonly maxUpstreamBytes: number;
  readonly bodyLimiter: BodyLimiter;
  /** Of one answer. */
  readonly responseLimits: ResponseLimits;
  /** The whole operation, ms. */
  readonly deadlineMs: number;
  readonly startTimer: StartTimer;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
}

/** For whom an operation is. */
export interface OperationOrigin {
  readonly credential: Credential;
  /** One of the callers that share the credential; undefined if callers are not distinguished. */
  readonly caller: string | undefined;
  /** Ends when the client leaves. */
  readonly clientSignal: AbortSignal;
  /** The trace that the operation belongs to, for whoever watches it. */
  readonly trace?: unknown;
}

export type CreateContext = (origin: OperationOrigin) => RequestContext;

export function createContextFactory(options: RequestContextOptions): CreateContext {
  return ({ credential, caller, clientSignal, trace }) => {
    const deadlineAt = options.monotonicNow() + options.deadlineMs;
    const { signal, end } = createOperationSignal(clientSignal, options.deadlineMs, options.startTimer);
    const driftLog = createDriftLog();
    const budget = options.bodyLimiter.openBudget({
      credential: credential.fingerprint,
      caller,
      signal,
      maxRequests: options.maxUpstreamRequests,
      maxBytes: options.maxUpstreamBytes,
    });
    const usage = createUpstreamUsage(options.monotonicNow);
    return {
      driftLog,
      // Work for an answer that is given up is given up, too.
      responseBudget: createResponseBudget(options.responseLimits, end),
      usage,
      budget,
      paginationNotes: [],
      end,
      loaders: createLoaders({
        rest: options.createRevoxApi({ credential, caller, signal, deadlineAt: () => deadlineAt, budget, usage, trace }),
        facts: options.factsOf(credential),
        nodeTypes: options.nodeTypesOf(credential.fingerprint),
        onDrift: (kind, type, field) => driftLog.report(kind, type, field),
      }),
    };
  };
}
