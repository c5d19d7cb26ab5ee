import type { NodeTypes } from '#cache/node-types.ts';
import { createLoaders, type Loaders } from '#loaders/loaders.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import type { BodyLimiter } from '#rest/body-limiter.ts';
import type { Credential } from '#rest/credential.ts';
import type { CreateRest } from '#rest/endpoints.ts';
import type { Budget } from '#rest/errand.ts';
import { createAccount, type OperationAccount } from './account.ts';
import { type AnswerLimits, createAnswerBudget, type OperationAnswer } from './answer-budget.ts';
import { createOddityLog, type OddityLog } from './oddity-log.ts';
import { createOperationSignal, type StartTimer } from './operation-signal.ts';

/** What one operation holds. Nothing of it outlives the operation, and nothing in it tells the credential. */
export interface RequestContext {
  readonly loaders: Loaders;
  readonly oddities: OddityLog;
  /** What its answer may hold, and whether that is given up. */
  readonly answer: OperationAnswer;
  /** What its answer is made of. */
  readonly account: OperationAccount;
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
  readonly createRest: CreateRest;
  readonly factsOf: (credential: Credential) => FactsByEndpoint;
  readonly nodeTypesOf: (credentialFingerprint: string) => NodeTypes;
  /** Upstream requests that one operation may send. */
  readonly maxUpstreamRequests: number;
  /** Bytes of bodies, decoded, that one operation may read from the upstream. */
  readonly maxUpstreamBytes: number;
  readonly bodyLimiter: BodyLimiter;
  /** Of one answer. */
  readonly answer: AnswerLimits;
  /** The whole operation, ms. */
  readonly deadlineMs: number;
  readonly startTimer: StartTimer;
  /** A clock for durations, ms and parts of it. */
  readonly elapsed: () => number;
}

/** For whom an operation is. */
export interface Visit {
  readonly credential: Credential;
  /** Which of those who share the credential; undefined where nobody tells them apart. */
  readonly caller: string | undefined;
  /** Ends when the client leaves. */
  readonly client: AbortSignal;
  /** The trace that the operation belongs to, for whoever watches it. */
  readonly trace?: unknown;
}

export type CreateContext = (visit: Visit) => RequestContext;

export function createContextFactory(options: RequestContextOptions): CreateContext {
  return ({ credential, caller, client, trace }) => {
    const deadlineAt = options.elapsed() + options.deadlineMs;
    const { signal, end } = createOperationSignal(client, options.deadlineMs, options.startTimer);
    const oddities = createOddityLog();
    const budget = options.bodyLimiter.openBudget({
      credential: credential.fingerprint,
      caller,
      signal,
      maxRequests: options.maxUpstreamRequests,
      maxBytes: options.maxUpstreamBytes,
    });
    const account = createAccount(options.elapsed);
    return {
      oddities,
      // Work for an answer that is given up is given up, too.
      answer: createAnswerBudget(options.answer, end),
      account,
      budget,
      paginationNotes: [],
      end,
      loaders: createLoaders({
        rest: options.createRest({ credential, caller, signal, deadlineAt: () => deadlineAt, budget, account, trace }),
        facts: options.factsOf(credential),
        nodeTypes: options.nodeTypesOf(credential.fingerprint),
        onDrift: (kind, type, field) => oddities.drifted(kind, type, field),
      }),
    };
  };
}
