import type { GraphQLError } from 'graphql';
import type { RequestContext } from '#context/request-context.ts';
import type { RequestObserver } from '#observability/request-observer.ts';

/** Called for each kind of drift in the upstream's responses. */
export type OnDrift = (kind: string, type: string, field: string, count: number) => void;

/** Reports the upstream requests and the drift of an operation. */
export function reportExecuted(
  context: RequestContext,
  observer: RequestObserver,
  onDrift: OnDrift,
): void {
  const { usage, budget } = context;
  const { counts, waitedMs } = usage;
  const { cache: cacheHits, coalesced, stale } = counts;
  observer.onExecuteEnd({
    waitedMs,
    upstreamRequests: budget.sentRequests,
    cacheHits,
    coalesced,
    stale,
  });
  reportDrift(context, onDrift);
}

export function reportDrift({ driftLog }: RequestContext, onDrift: OnDrift): void {
  for (const { kind, type, field, count } of driftLog.drift) onDrift(kind, type, field, count);
}

/** Reports the first error of a result, if there is one. */
export function reportError(
  { errors: [first] = [] }: { readonly errors?: readonly GraphQLError[] },
  observer: RequestObserver,
): void {
  if (first) observer.onError(String(first.extensions?.code ?? 'INTERNAL_SERVER_ERROR'));
}
