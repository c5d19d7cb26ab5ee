import type { DocumentNode } from 'graphql';
import type { CancellationSignal } from '#cancellation.ts';
import type { IsRouter } from '#http/auth/router-secret.ts';
import { type SessionSubscriber, toGatewayErrorResponse } from '#http/auth/session.ts';
import { toTokenExpiry } from '#http/auth/token-expiry.ts';
import { toErrorResponse } from '#http/error-response.ts';
import { VARY } from '#http/headers/cache-control.ts';
import type { RequestHead } from '#http/message.ts';
import { isTraceRequested } from '#http/operation-result.ts';
import { toVariablesKey } from '#http/warm-operations/variables-key.ts';
import type { AcceptedSubscription } from '#http/yoga/use-subscriptions.ts';
import { isFeedSelection } from '#live/live-source.ts';
import { TooManySubscriptionsError } from '#live/subscription-slots.ts';
import type { LiveSubscriptions, StreamRequest } from '#live/subscriptions.ts';
import type { RequestObserver } from '#observability/request-observer.ts';
import { type Callbacks, callbackFraming } from './callback.ts';
import { createEventExecution, type ExecuteEventOptions } from './execute-event.ts';
import { MULTIPART_HEADERS, multipartFraming } from './multipart.ts';
import { COMPLETED_EVENT_ID, SSE_HEADERS, sseFraming } from './sse.ts';
import { toStreamedResponse } from './stream-body.ts';
import { webSocketFraming } from './websocket-framing.ts';

export interface OpenStreamOptions extends ExecuteEventOptions {
  readonly subscriptions: LiveSubscriptions;
  /** Undefined: no event is sent to a callback URL. */
  readonly callbacks: Callbacks | undefined;
  readonly isRouter: IsRouter;
  /** Whether bearer tokens are those of an issuer, and expire. */
  readonly hasTokens: boolean;
  /** Whether `x-revox-trace: 1` adds `extensions.upstream` to each event. */
  readonly upstreamTrace: boolean;
}

const TRANSPORTS = {
  sse: { framing: sseFraming, headers: SSE_HEADERS },
  multipart: { framing: multipartFraming, headers: MULTIPART_HEADERS },
  // The socket writes the stream: this response has no headers.
  websocket: { framing: webSocketFraming, headers: {} },
  // The response is no stream.
  callback: { framing: callbackFraming, headers: {} },
};

/**
 * Responds to a valid subscription with a stream, or sends the events to a callback URL. Rejects a
 * subscription over a limit.
 */
export type OpenStream = (
  request: RequestHead & { readonly signal: CancellationSignal },
  accepted: AcceptedSubscription,
  observer: RequestObserver,
) => Response | Promise<Response>;

export function createOpenStream(options: OpenStreamOptions): OpenStream {
  const { subscriptions, callbacks, isRouter, hasTokens, upstreamTrace } = options;
  const createExecuteEvent = createEventExecution(options);
  const documentNumbers = new WeakMap<DocumentNode, number>();
  let lastDocumentNumber = 0;
  let lastUniqueNumber = 0;

  return (request, accepted, observer) => {
    const { headers } = request;
    const { framing, headers: streamHeaders } = TRANSPORTS[accepted.transport];
    const lastEventId =
      accepted.transport === 'sse' ? (headers.get('last-event-id') ?? undefined) : undefined;
    if (lastEventId === COMPLETED_EVENT_ID) return new Response(null, { status: 204 });
    const isFromRouter = isRouter(headers);
    const isTraced = upstreamTrace && isTraceRequested(headers);
    const subscriber = accepted.session.toSubscriber();
    const { field } = accepted.selection;
    const streamRequest: StreamRequest = {
      subscriber,
      operation: {
        key: toOperationKey(accepted, isTraced),
        selection: accepted.selection,
        execute: toExecute(accepted, subscriber, isTraced),
      },
      framing,
      lastEventId,
      isRouter: isFromRouter,
      expiresAt: hasTokens && !isFromRouter ? toTokenExpiry(headers) : undefined,
      onEnd: ({ events, bytes }, reason) =>
        observer.onStreamEnd({ field, transport: framing.transport, reason, events, bytes }),
    };
    if (accepted.transport === 'callback') return openCallback(request, accepted, streamRequest);
    try {
      const stream = subscriptions.open(streamRequest);
      return toStreamedResponse(stream, { ...streamHeaders, vary: VARY }, request);
    } catch (error) {
      return toRefusal(error, request);
    }
  };

  async function openCallback(
    request: RequestHead & { readonly signal: CancellationSignal },
    { callback: extension = {} }: AcceptedSubscription,
    stream: StreamRequest,
  ): Promise<Response> {
    if (!callbacks) throw new Error('A callback is accepted where callbacks are off.');
    try {
      return await callbacks.open(subscriptions, { extension, stream, signal: request.signal });
    } catch (error) {
      return toRefusal(error, request);
    }
  }

  /** Executes with what outlives the request only: a cohort outlives its first subscriber. */
  function toExecute(
    { document, operation, variables }: AcceptedSubscription,
    subscriber: SessionSubscriber,
    isTraced: boolean,
  ) {
    const subscription = { document, operation, variables };
    const createContext: SessionSubscriber['createEventContext'] = (pageOptions) =>
      subscriber.createEventContext(pageOptions);
    return createExecuteEvent(subscription, createContext, isTraced);
  }

  /** Whatever distinguishes the events of a subscription from others with the same credential. */
  function toOperationKey(
    { document, operation, variables, selection }: AcceptedSubscription,
    isTraced: boolean,
  ): string {
    let documentNumber = documentNumbers.get(document);
    if (documentNumber === undefined) {
      lastDocumentNumber += 1;
      documentNumber = lastDocumentNumber;
      documentNumbers.set(document, documentNumber);
    }
    const startVariables = isFeedSelection(selection) ? selection.startVariables : [];
    const definitions = operation.variableDefinitions?.filter(
      ({ variable }) => !startVariables.includes(variable.name.value),
    );
    const variablesKey = toVariablesKey(definitions, variables) ?? `unique ${++lastUniqueNumber}`;
    const name = operation.name?.value ?? '';
    return `${documentNumber} ${name} ${isTraced} ${variablesKey}`;
  }
}

/**
 * The response to a subscription that is refused.
 * @throws every error that is no GatewayError
 */
export function toRefusal(error: unknown, request: RequestHead): Response {
  if (!(error instanceof TooManySubscriptionsError) || !error.isGatewayFull)
    return toGatewayErrorResponse(error, request);
  const { code, message, details } = error;
  return toErrorResponse(code, message, {
    status: 503,
    headers: { 'retry-after': String(details.retryAfter) },
    details,
  });
}
