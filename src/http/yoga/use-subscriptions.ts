import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import type { Plugin, YogaInitialContext } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import type { Session, SessionContext } from '#http/auth/session.ts';
import {
  acceptsCallback,
  type StreamTransport,
  toStreamTransport,
} from '#http/headers/media-type.ts';
import type { CostInput } from '#http/limits/operation-cost.ts';
import { checkSubscriptionSize } from '#http/limits/subscription-size.ts';
import { EXECUTION_OPTIONS } from '#http/operation-result.ts';
import { type LiveSelection, LiveSource } from '#live/live-source.ts';

/** A valid subscription. Its response is a stream, which Yoga does not write. */
export interface AcceptedSubscription {
  readonly session: Session;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: { readonly [name: string]: unknown } | undefined;
  readonly selection: LiveSelection;
  readonly transport: Transport;
  /** `extensions.subscription`, for the transport `callback`. */
  readonly callback: object | undefined;
}

/** How the events of a subscription reach its client. */
export type Transport = StreamTransport | 'websocket' | 'callback';

/** Filled when the request is a valid subscription. */
export interface SubscriptionRecord {
  /** Absent: the request is one of HTTP, and its `Accept` header decides. */
  readonly transport?: 'websocket';
  accepted?: AcceptedSubscription;
}

/**
 * Validates a subscription like every other operation, and records it in place of a result. Yoga's
 * own event streams take 40 kB for each subscriber, and an execution for each subscriber and event.
 * @param checkCost throws over `MAX_SUBSCRIPTION_COST`
 * @param hasCallbacks whether events may be sent to a callback URL
 */
export function useSubscriptions(
  checkCost: (input: CostInput) => void,
  hasCallbacks: boolean,
): Plugin<
  SessionContext & RequestContext & YogaInitialContext & { subscriptionRecord: SubscriptionRecord }
> {
  return {
    onSubscribe({ args: { contextValue }, setSubscribeFn }) {
      setSubscribeFn(async (args: ExecutionArgs): Promise<ExecutionResult> => {
        // Each event has a context of its own.
        contextValue.end();
        const { request, session, subscriptionRecord, params } = contextValue;
        const { schema, document, operationName, variableValues } = args;
        const operation = getOperationAST(document, operationName);
        if (!operation || !session) throw new Error('A subscription has no operation or session.');
        const accept = request.headers.get('accept');
        const callback = findCallback(accept, params.extensions);
        const transport =
          subscriptionRecord.transport ??
          (callback && hasCallbacks ? 'callback' : toStreamTransport(accept));
        if (!transport) return { errors: [notAcceptable(callback)] };
        const variables = variableValues ?? undefined;
        checkSubscriptionSize(params.query, variables);
        checkCost({ schema, document, operation, variables });
        const source = await createSourceEventStream({ ...args, ...EXECUTION_ARGUMENTS });
        if (!(source instanceof LiveSource)) return source as ExecutionResult;
        const { selection } = source;
        subscriptionRecord.accepted = {
          session,
          document,
          operation,
          variables,
          selection,
          transport,
          callback,
        };
        return { data: null };
      });
    },
  };
}

const EXECUTION_ARGUMENTS = { options: EXECUTION_OPTIONS };

const NOT_ACCEPTABLE_MESSAGE =
  'A subscription is sent as a stream: the Accept header must contain text/event-stream, or multipart/mixed;subscriptionSpec=1.0. Or open a WebSocket with the protocol graphql-transport-ws at the same path.';

const CALLBACKS_OFF_MESSAGE =
  'This gateway sends no HTTP callbacks (SUBSCRIPTION_CALLBACK_URLS): the Accept header must contain text/event-stream, or multipart/mixed;subscriptionSpec=1.0.';

/** A client that takes callbacks names its URL in `extensions.subscription`. */
function findCallback(
  accept: string | null,
  extensions: { readonly subscription?: unknown } | undefined,
): object | undefined {
  const { subscription } = extensions ?? {};
  const isCallback = typeof subscription === 'object' && subscription !== null;
  return isCallback && acceptsCallback(accept) ? subscription : undefined;
}

function notAcceptable(callback: object | undefined): GraphQLError {
  return new GraphQLError(callback ? CALLBACKS_OFF_MESSAGE : NOT_ACCEPTABLE_MESSAGE, {
    extensions: { code: 'BAD_USER_INPUT', http: { status: 406 } },
  });
}
