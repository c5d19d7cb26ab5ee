import type { NodeTypes } from '#cache/node-types.ts';
import type { CancellationSignal } from '#cancellation.ts';
import type { PaginationNote } from '#extensions.ts';
import { LazyLoaders } from '#loaders/lazy-loaders.ts';
import { createLoaders, type Loaders } from '#loaders/loaders.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import type { Credential } from '#rest/credential.ts';
import type { BodyLimiter } from '#rest/resilience/body-limiter.ts';
import type { CreateRevoxApi } from '#rest/revox-api.ts';
import type { Budget } from '#rest/upstream-context.ts';
import type { FetchOptions } from '#rest/upstream-request.ts';
import { createDriftLog, type DriftLog } from './drift-log.ts';
import { OperationSignal, type StartTimer } from './operation-signal.ts';
import {
  createResponseBudget,
  type OperationResponseBudget,
  type ResponseLimits,
} from './response-budget.ts';
import { createUpstreamUsage, type UpstreamUsage } from './upstream-usage.ts';

/**
 * The context of one operation. It does not outlive the operation, and does not reveal the
 * credential.
 */
export interface RequestContext {
  readonly loaders: Loaders;
  readonly driftLog: DriftLog;
  /** The limits of the operation's response, and whether they are exceeded. */
  readonly responseBudget: OperationResponseBudget;
  /** The upstream responses that the operation's response is built from. */
  readonly usage: UpstreamUsage;
  /** The upstream requests that the operation has sent, and their limit. */
  readonly budget: Readonly<Budget>;
  /** Notes on the pages of this response, for `extensions.pagination`. */
  readonly paginationNotes: PaginationNote[];
  /**
   * Must be called when the execution ends: aborts pending work, and releases the bytes of the
   * operation's upstream responses.
   */
  end(): void;
}

export interface RequestContextOptions {
  readonly createRevoxApi: CreateRevoxApi;
  readonly factsOf: (credential: Credential) => FactsByEndpoint;
  readonly nodeTypesOf: (credentialFingerprint: string) => NodeTypes;
  /** Maximum upstream requests of one operation. */
  readonly maxUpstreamRequests: number;
  /** Maximum decoded body bytes that one operation may read from the upstream. */
  readonly maxUpstreamBytes: number;
  readonly bodyLimiter: BodyLimiter;
  /** Limits of one response. */
  readonly responseLimits: ResponseLimits;
  /** Time limit of the whole operation, in ms. */
  readonly deadlineMs: number;
  /** Its timers keep the process alive. */
  readonly startTimer: StartTimer;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
}

/** The origin of an operation: its credential and caller, the client's signal, and the trace. */
export interface OperationOrigin {
  readonly credential: Credential;
  /** One of the callers that share the credential; undefined if callers are not distinguished. */
  readonly caller: string | undefined;
  /** Aborts when the client disconnects. Absent: no client waits for the operation itself. */
  readonly clientSignal?: CancellationSignal | undefined;
  /** How the operation reads the pages of lists: see `UpstreamContext`. */
  readonly pageOptions?: FetchOptions | undefined;
  /** The trace that the operation belongs to; opaque to the context. */
  readonly trace?: unknown;
}

/** Time limit of the execution of one event of a subscription, in ms. */
export const EVENT_DEADLINE_MS = 10_000;

export type CreateContext = (origin: OperationOrigin) => RequestContext;

export function createContextFactory(options: RequestContextOptions): CreateContext {
  return ({ credential, caller, clientSignal, pageOptions, trace }) => {
    const { monotonicNow, startTimer } = options;
    const deadlineAt = monotonicNow() + options.deadlineMs;
    const signal = new OperationSignal({
      clientSignal,
      deadlineMs: options.deadlineMs,
      startTimer,
    });
    const end = () => signal.end();
    const driftLog = createDriftLog();
    const budget = options.bodyLimiter.openBudget({
      credential: credential.fingerprint,
      caller,
      signal,
      maxRequests: options.maxUpstreamRequests,
      maxBytes: options.maxUpstreamBytes,
    });
    const usage = createUpstreamUsage(monotonicNow);
    return {
      driftLog,
      // Once the response budget is exceeded, all pending work of the operation is aborted.
      responseBudget: createResponseBudget(options.responseLimits, end),
      usage,
      budget,
      paginationNotes: [],
      end,
      loaders: new LazyLoaders(() =>
        createLoaders({
          rest: options.createRevoxApi({
            credential,
            caller,
            signal,
            deadlineAt: () => deadlineAt,
            budget,
            usage,
            pageOptions,
            trace,
          }),
          facts: options.factsOf(credential),
          nodeTypes: options.nodeTypesOf(credential.fingerprint),
          onDrift: (kind, type, field) => driftLog.report(kind, type, field),
        }),
      ),
    };
  };
}
