import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type ExecutionArgs,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  parse,
} from 'graphql';
import {
  type Context,
  GRAPHQL_TRANSPORT_WS_PROTOCOL,
  makeServer,
  type SubscribePayload,
} from 'graphql-ws';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { UnsentResponseBudget } from '#http/limits/unsent-response-budget.ts';
import type { RequestHead } from '#http/message.ts';
import { toRefusal } from '#http/streams/open-stream.ts';
import { type StreamBody, streamOf } from '#http/streams/stream-body.ts';
import type { LiveSubscriptions } from '#live/subscriptions.ts';
import type { RequestObserver } from '#observability/request-observer.ts';
import { BUG, LONG_ID, toClosing } from './close-codes.ts';
import { toInitHeaders, toSocketHeaders } from './connection-credential.ts';
import { GraphQLSocket } from './graphql-socket.ts';
import { reportResponse } from './report-response.ts';
import {
  openIdentity,
  type SocketIdentity,
  type SocketIdentityOptions,
} from './socket-identity.ts';
import { SocketSubscription, SubscriptionError } from './socket-subscription.ts';

export interface SocketServerOptions extends SocketIdentityOptions {
  readonly schema: GraphQLSchema;
  readonly subscriptions: LiveSubscriptions;
  readonly maxMessageBytes: number;
  readonly unsentBudget: Pick<UnsentResponseBudget, 'reserve'>;
  /** Opens a subscription: its response has a stream, or errors as JSON. */
  readonly subscribe: (request: Request, observer: RequestObserver) => Promise<Response>;
  /** Starts to observe a subscription. */
  readonly observe: (request: RequestHead) => RequestObserver;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  readonly onUnexpectedError: (error: unknown) => void;
}

/** An upgrade that was checked. */
export interface AcceptedUpgrade {
  /** The upgrade request, with an absolute URL. */
  readonly head: RequestHead;
  /** The request id of the upgrade, which its subscriptions have too. */
  readonly requestId: string;
  /** The session of a credential in the headers of the upgrade. */
  readonly identity: SocketIdentity | undefined;
}

export interface SocketServer {
  /** Completes a handshake. Undefined: the client has disconnected. */
  accept(
    request: IncomingMessage,
    connection: Duplex,
    firstBytes: Buffer,
    upgrade: AcceptedUpgrade,
  ): GraphQLSocket | undefined;
}

/** A socket as the callbacks of the protocol's library get it. */
interface SocketExtra {
  readonly socket: GraphQLSocket;
  readonly upgrade: AcceptedUpgrade;
  /** The subscription that is being opened for each id. */
  readonly opening: Map<string, object>;
}

type SocketContext = Context<Record<string, unknown> | undefined, SocketExtra>;

/** A client that does not send `connection_init` in time is disconnected with 4408, in ms. */
const INIT_TIMEOUT_MS = 3_000;

/** Maximum characters of a subscription's id. Each event repeats it, and clients send UUIDs or numbers. */
const MAX_ID_LENGTH = 256;

/** Clients that do not respond to a close frame are disconnected after this time, in ms. */
const CLOSE_TIMEOUT_MS = 10_000;

/** Clients of GraphQL send each message in one frame. */
const MAX_FRAGMENTS = 1_024;

const TICK_MS = 1_000;

/**
 * The sockets with `graphql-transport-ws`. `graphql-ws` handles the protocol, and `ws` the frames. A
 * subscription takes the way of every other first request: through Yoga, with its limits.
 */
export function createSocketServer(options: SocketServerOptions): SocketServer {
  const { subscriptions, monotonicNow, startTimer } = options;
  const sockets = new Set<GraphQLSocket>();
  let isTicking = false;
  const webSocketServer = new WebSocketServer(toWebSocketOptions(options.maxMessageBytes));
  const protocol = makeServer<Record<string, unknown> | undefined, SocketExtra>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    onConnect,
    onSubscribe,
    subscribe: ({ contextValue }) => contextValue as SocketSubscription,
    onError: (_context, _id, _payload, [error]) => errorsOf(error),
  });

  return {
    accept(request, connection, firstBytes, upgrade) {
      let accepted: GraphQLSocket | undefined;
      webSocketServer.handleUpgrade(request, connection, firstBytes, (webSocket) => {
        const socket = new GraphQLSocket(webSocket, connection, {
          keepAliveMs: subscriptions.connectionLimits.keepAliveMs,
          unsentBudget: options.unsentBudget,
          monotonicNow,
          onUnexpectedError: options.onUnexpectedError,
          onClose: (closed) => void sockets.delete(closed),
        });
        socket.identity = upgrade.identity;
        const closed = protocol.opened(socket.toServerSocket(), {
          socket,
          upgrade,
          opening: new Map(),
        });
        webSocket.once('close', (code, reason) => void closed(code, reason.toString()));
        sockets.add(socket);
        startTicking();
        accepted = socket;
      });
      return accepted;
    },
  };

  async function onConnect({ extra, connectionParams }: SocketContext): Promise<boolean> {
    const { socket, upgrade } = extra;
    if (socket.identity) return true;
    const { head } = upgrade;
    try {
      const headers = toInitHeaders(head.headers, connectionParams);
      socket.identity = await openIdentity(options, { ...head, headers });
      return true;
    } catch (error) {
      const closing = toClosing(error);
      if (closing === BUG) options.onUnexpectedError(error);
      else observeRefusal(upgrade, error);
      socket.close(closing, 'client');
      return false;
    }
  }

  /** Logs and counts a refused `connection_init` like a refused request. */
  function observeRefusal({ head, requestId }: AcceptedUpgrade, error: unknown): void {
    const headers = toSocketHeaders(head.headers);
    headers.set('x-request-id', requestId);
    reportResponse(
      toRefusal(error, head),
      options.observe({ method: 'GET', url: head.url, headers }),
    );
  }

  async function onSubscribe(
    { extra }: SocketContext,
    id: string,
    payload: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { socket, opening } = extra;
    const { maxSubscriptions } = subscriptions.connectionLimits;
    if (id.length > MAX_ID_LENGTH) {
      socket.close(LONG_ID, 'client');
      return never();
    }
    if (subscriptions.isDraining()) {
      socket.interrupt('drain');
      return never();
    }
    if (socket.subscriptions.size + socket.opening >= maxSubscriptions) {
      subscriptions.onRefused('MAX_SUBSCRIPTIONS_PER_CONNECTION');
      return [toGraphQLError([TOO_MANY_ON_SOCKET])];
    }
    const attempt = {};
    opening.set(id, attempt);
    socket.startOpening();
    try {
      const opened = await open(extra, payload);
      // The client has completed this subscription meanwhile, and uses its id for another one.
      const isReplaced = opening.get(id) !== attempt;
      if (!isReplaced) opening.delete(id);
      if (!('attach' in opened)) return isReplaced ? never() : [toGraphQLError(opened)];
      const subscription = new SocketSubscription(socket, id, opened);
      if (isReplaced || socket.abort.signal.aborted) {
        subscription.close('client');
        return never();
      }
      socket.add(subscription);
      return { schema: options.schema, document: SUBSCRIPTION, contextValue: subscription };
    } finally {
      socket.endOpening();
    }
  }

  /** Opens a subscription like a request. Returns its stream or its errors. */
  async function open(
    { socket, upgrade }: SocketExtra,
    payload: SubscribePayload,
  ): Promise<StreamBody | readonly GraphQLFormattedError[]> {
    const headers = new Headers(socket.identity?.headers);
    headers.set('accept', 'application/json');
    headers.set('content-type', 'application/json');
    headers.set('x-request-id', upgrade.requestId);
    const { url } = upgrade.head;
    // Clients with document ids send an empty `query`, because the protocol demands text.
    const body = JSON.stringify({ ...payload, query: payload.query || undefined });
    const observer = options.observe({ method: 'GET', url, headers });
    const request = new Request(url, {
      method: 'POST',
      headers,
      body,
      signal: socket.abort.signal,
    });
    let response: Response;
    try {
      response = await options.subscribe(request, observer);
    } catch (error) {
      observer.onClientDisconnect();
      if (socket.abort.signal.aborted) return [];
      throw error;
    }
    const stream = streamOf(response);
    if (stream) {
      observer.onStreamStart(response.status);
      return stream;
    }
    reportResponse(response, observer);
    const { errors = [] } = (await response.json()) as { errors?: GraphQLFormattedError[] };
    return errors;
  }

  /** One timer for all sockets. It runs while there are sockets. */
  function startTicking(): void {
    if (isTicking) return;
    isTicking = true;
    startTimer(TICK_MS, () => {
      isTicking = false;
      const now = monotonicNow();
      for (const socket of [...sockets]) socket.tick(now, subscriptions.isDraining());
      if (sockets.size > 0) startTicking();
    });
  }
}

const SUBSCRIPTION = parse('subscription { stream }');

const TOO_MANY_ON_SOCKET: GraphQLFormattedError = {
  message:
    'This WebSocket has too many open subscriptions (MAX_SUBSCRIPTIONS_PER_CONNECTION): complete some of them, or open another WebSocket.',
  extensions: { code: 'RATE_LIMITED' },
};

/** The errors that the gateway has serialized: the library would drop some of their fields. */
function errorsOf(error: GraphQLError | undefined): readonly GraphQLFormattedError[] | undefined {
  const original = error?.originalError;
  return original instanceof SubscriptionError ? original.errors : undefined;
}

function toGraphQLError(errors: readonly GraphQLFormattedError[]): GraphQLError {
  return new GraphQLError('', { originalError: new SubscriptionError(errors) });
}

/** The library then does nothing more for a subscription, and nothing refers to it any more. */
function never(): Promise<never> {
  return new Promise(() => {});
}

function toWebSocketOptions(maxPayload: number): ServerOptions {
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    maxFragments: MAX_FRAGMENTS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    // One message of a socket in each iteration of the event loop: others get their turn, and the
    // library completes a message before the next one.
    allowSynchronousEvents: false,
    handleProtocols: () => GRAPHQL_TRANSPORT_WS_PROTOCOL,
  };
  return options;
}
