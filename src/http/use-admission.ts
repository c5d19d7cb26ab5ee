import type { Plugin } from 'graphql-yoga';
import type { WholeAnswer } from '#cache/answers.ts';
import type { RequestContext } from '#context/request-context.ts';
import { type ErrorCode, GatewayError } from '#errors/gateway-error.ts';
import type { AskedOperation } from '#observability/request-watch.ts';
import { noteAdmission, type RequestHead } from './exchange.ts';
import { toRefusal } from './refusal.ts';
import type { BodyUnderWay, HeldBody } from './request-bytes.ts';
import { TokenRefusedError } from './token-refused.ts';

/** An answer to a whole operation, and what is told of it. */
export interface OperationAnswer extends WholeAnswer {
  readonly asked: Omit<AskedOperation, 'variables'>;
  /** A large one in bytes. */
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** The answers to operations that are kept for one credential. */
export interface OwnAnswers {
  find(key: string): OperationAnswer | undefined;
  /** Begins to answer; returns what keeps the answer. */
  begin(key: string): (answer: OperationAnswer) => void;
}

/** For whom a request is that has been let in. */
export interface Admission {
  /** Tells callers apart. Never shown. */
  readonly caller: string;
  /** Whether the upstream has accepted its credential by now. */
  isAccepted(): boolean;
  /** Counts the body of the request until it is released. Throws a GatewayError when too many bytes are under way. */
  holdRequest(): HeldBody;
  /** Throws a GatewayError when the caller has left too many bytes of answers unread. */
  checkUnsent(): void;
  /** What its credential was answered before. */
  readonly answers: OwnAnswers;
  /** Opens an operation. @param trace what its requests to the upstream are told by */
  open(client: AbortSignal, trace: unknown): RequestContext;
}

/** What goes with a request through Yoga. */
export interface AdmittedContext {
  /** Absent: the request is yet to be let in. */
  readonly admission?: Admission;
}

/** Says who a request is for. Throws a GatewayError for one that may not enter. */
export type Admit = (request: RequestHead) => Promise<Admission>;

const STATUS: { readonly [code in ErrorCode]?: number } = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  UPSTREAM_UNAVAILABLE: 503,
};

/** What `useAdmission` adds to what goes with a request through Yoga. */
interface AdmittingContext {
  admission?: Admission | undefined;
  /** Released when the request is answered. */
  readonly body: BodyUnderWay;
}

/**
 * Lets nothing in that does not say who it is, before a byte of the body is read. The GraphiQL page is for everyone: it shows
 * nothing, and what it asks comes through here.
 */
export function useAdmission(admit: Admit, endpoint: string): Plugin<object, AdmittingContext> {
  return {
    async onRequest({ request, url, serverContext, endResponse }) {
      if (url.pathname !== endpoint || serverContext.admission) return;
      try {
        serverContext.admission = await admit(request);
        serverContext.body.held = serverContext.admission.holdRequest();
        noteAdmission(request, serverContext.admission);
      } catch (error) {
        endResponse(toTurnedAway(error, request));
      }
    },
  };
}

/** What somebody is told who may not enter. @throws what is no reason for that */
export function toTurnedAway(error: unknown, request: RequestHead): Response {
  if (!(error instanceof GatewayError)) throw error;
  return toRefusal(error.code, error.message, {
    status: STATUS[error.code] ?? 400,
    headers: toHeaders(error, request),
    details: error.details,
  });
}

function toHeaders(error: GatewayError, { headers }: RequestHead): Record<string, string> {
  const takesResponseJson = headers.get('accept')?.includes('application/graphql-response+json');
  const challenge = error instanceof TokenRefusedError ? error.challenge : error.code === 'UNAUTHENTICATED' && 'Bearer';
  const { retryAfter } = error.details;
  return {
    ...(takesResponseJson ? { 'content-type': 'application/graphql-response+json; charset=utf-8' } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(challenge ? { 'www-authenticate': challenge } : {}),
  };
}
