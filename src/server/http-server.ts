import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createServerAdapter } from '@whatwg-node/server';
import type { DisconnectReason, RejectedRequest } from '#http/error-response.ts';
import { VARY } from '#http/headers/cache-control.ts';
import { createCors } from '#http/headers/cors.ts';
import { createConnectionLimiter } from '#http/limits/connection-limiter.ts';
import {
  type Handler,
  isPlainResponse,
  PlainHeaders,
  type PlainRequest,
  takeReport,
} from '#http/message.ts';
import type { HandleUpgrade } from '#http/websocket/handle-upgrade.ts';
import { monotonicNow, startTimer } from '#system-clock.ts';
import { Connection, type ServerExchange } from './connection.ts';
import { DisconnectTarget } from './disconnect-target.ts';
import { watchHalfClosedClient } from './half-closed-client.ts';
import { NodeHeaders, rewriteAbsoluteForm, toNodeRequest, toRequestHead } from './node-message.ts';
import {
  findHostRejection,
  INTERNAL_ERROR,
  MAX_PIPELINED_REQUESTS,
  type Rejection,
  TOO_MANY_PIPELINED_REQUESTS,
  tooManyConnections,
  toParseRejection,
  toRawResponse,
  toRejectionResponse,
} from './rejection.ts';
import { createResponseWriter } from './response-writer.ts';
import { type ServerLimits, toTimeoutOptions } from './server-limits.ts';
import { createUpgradeListener, isWebSocketUpgrade } from './upgrade-listener.ts';

/**
 * Connections over the limit that get an error response. Further connections are closed without a
 * response.
 */
const OVERFLOW_CONNECTIONS = 100;

/** Callbacks for what only the server sees. */
export interface ServerEvents {
  /**
   * Handling a request or writing its response has failed although the client is still connected.
   */
  onUnexpectedError(error: unknown): void;
  /** The server has sent an error response of its own in place of a response of the gateway. */
  onRejected(rejected: RejectedRequest): void;
  /** The server has closed a connection. */
  onDisconnected?(reason: DisconnectReason): void;
}

/**
 * Handles requests. A request that `canHandlePlain` accepts goes to `handlePlain`, without a
 * `Request` object.
 */
export type RequestHandlers = Pick<Handler, 'fetch'> &
  Partial<Handler> & {
    /** Absent: an upgrade is handled like every other request. */
    readonly handleUpgrade?: HandleUpgrade;
  };

/**
 * Creates a server that limits every wait for a client. It does not listen yet.
 * @param gateway handles HTTP requests; the server rejects malformed ones itself, in the same shape
 * @param corsOrigins origins whose pages may read these rejections, too
 */
export function createHttpServer(
  gateway: RequestHandlers,
  limits: ServerLimits,
  events: ServerEvents,
  corsOrigins: readonly string[] = [],
): Server {
  const { headersMs, idleMs, sendTimeoutMs, keepAliveMs } = limits;
  const {
    healthPath,
    maxConnections,
    maxConnectionsPerAddress = Number.POSITIVE_INFINITY,
  } = limits;
  const { onUnexpectedError, onRejected } = events;
  const cors = createCors(corsOrigins);
  const adapter = createServerAdapter<FetchContext>((request, { exchange }) => {
    exchange.gatewayRequest = request;
    return gateway.fetch(request);
  });
  const connectionsBySocket = new WeakMap<Socket, Connection>();
  const connectionLimiter = createConnectionLimiter({
    maxConnections,
    maxConnectionsPerPeer: maxConnectionsPerAddress,
    monotonicNow,
  });
  const responseWriter = createResponseWriter({
    reserveUnsent: gateway.reserveUnsent,
    idleMs,
    sendTimeoutMs,
    startTimer,
    reject,
    disconnectUnread: (socket) => disconnect(socket, 'unread'),
  });
  const server = createServer({
    ...toTimeoutOptions(limits),
    // Node would reject a request without `Host` with an empty response. `findHostRejection`
    // rejects it with an error in the body.
    requireHostHeader: false,
    // Node would keep the first of two `Authorization` headers, but a proxy in front may have checked
    // the second. Their joined value is no valid `Bearer` value, so the gateway rejects it.
    joinDuplicateHeaders: true,
    shouldUpgradeCallback: gateway.handleUpgrade ? isWebSocketUpgrade : () => false,
  });
  // A client may close its side after its last request. Node would close the other side at once.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.timeout = idleMs;
  server.maxConnections = maxConnections + OVERFLOW_CONNECTIONS;
  server.on('connection', (socket) => {
    const connection = new Connection(socket, monotonicNow(), () =>
      events.onDisconnected?.('evicted'),
    );
    connectionsBySocket.set(socket, connection);
    // The limit of idle time applies from the first request on. `disconnectIfSilent` closes an
    // unused connection, so the socket timeout of an unused connection is longer and does not fire
    // first.
    socket.setTimeout(idleMs + keepAliveMs);
    connection.exceededSetting = connectionLimiter.add(connection);
    // Each event comes once, and `once` would take twice the memory of `on`.
    socket.on('end', () => watchHalfClosedClient(socket, connection, startTimer));
    socket.on('close', () => {
      connectionLimiter.remove(connection);
      for (const release of connection.pendingReleases ?? []) release();
    });
  });
  server.on('request', handleRequest);
  // Node would reject any expectation of the client with an empty response.
  server.on('checkExpectation', handleRequest);
  if (gateway.handleUpgrade)
    server.on(
      'upgrade',
      createUpgradeListener({
        handleUpgrade: gateway.handleUpgrade,
        connectionOf: (socket) => connectionsBySocket.get(socket),
        onFirstRequest: connectionLimiter.markUsed,
        reject: rejectSocket,
      }),
    );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Clients open connections before they need them. They would take an error for the response to
    // a request that they have yet to send.
    if (socket.bytesRead === 0 && error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
      return disconnectIfSilent(socket);
    const connection = connectionsBySocket.get(socket);
    if (socket.writable && !connection?.hasStartedResponse) {
      return rejectSocket(socket, toParseRejection(error), connection?.incompleteRequest);
    }
    socket.destroySoon();
  });
  return server;

  async function handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const connection = connectionsBySocket.get(socket);
    // Node emits `connection` before the requests of the connection, so this does not happen.
    if (!connection) return reject(response, INTERNAL_ERROR);
    if (!connection.lastExchange) {
      connectionLimiter.markUsed(connection);
      socket.setTimeout(idleMs);
    }
    const exchange: ServerExchange = {
      connection,
      request,
      response,
      gatewayRequest: undefined,
      disconnectTarget: undefined,
      stream: undefined,
    };
    connection.lastExchange = exchange;
    connection.exchanges.add(exchange);
    connection.lastActivityAt = monotonicNow();
    // The event comes once: `once` would only create a wrapper to remove the listener.
    response.on('close', () => {
      connection.exchanges.delete(exchange);
      connection.lastActivityAt = monotonicNow();
      if (!response.writableFinished) exchange.disconnectTarget?.disconnect();
      exchange.stream?.onClose();
      exchange.stream = undefined;
    });
    if (!request.url?.startsWith('/')) rewriteAbsoluteForm(request);
    try {
      if (connection.exceededSetting) {
        // A process at its limit is alive: a restart would help no client. A page can
        // read its rejection only if its preflight succeeds.
        if (
          request.url !== healthPath &&
          !cors.isPreflight(request.method, new NodeHeaders(request.headers))
        )
          return reject(response, tooManyConnections(connection.exceededSetting));
        response.setHeader('connection', 'close');
      }
      if (connection.inFlight > MAX_PIPELINED_REQUESTS)
        return reject(response, TOO_MANY_PIPELINED_REQUESTS);
      const hostRejection = findHostRejection(request);
      if (hostRejection) return reject(response, hostRejection);
      const head = gateway.canHandlePlain && toRequestHead(request, connection);
      if (head && gateway.canHandlePlain?.(head) && gateway.handlePlain) {
        const nodeRequest = toNodeRequest(head, request);
        exchange.gatewayRequest = nodeRequest;
        exchange.disconnectTarget = nodeRequest;
        const gatewayResponse = await gateway.handlePlain(nodeRequest);
        if (isPlainResponse(gatewayResponse)) {
          try {
            responseWriter.writePlain(gatewayResponse, exchange);
          } finally {
            report(nodeRequest);
          }
        } else {
          report(nodeRequest);
          await responseWriter.writeFetch(gatewayResponse, exchange);
        }
      } else {
        const target = new DisconnectTarget();
        exchange.disconnectTarget = target;
        response.on('error', ignoreError);
        await responseWriter.writeFetch(
          await adapter.handleNodeRequestAndResponse(request, target.toResponse(), { exchange }),
          exchange,
        );
      }
    } catch (error) {
      // A client that has disconnected is no error, and gets no response.
      if (request.socket.destroyed) return;
      onUnexpectedError(error);
      if (response.headersSent) response.destroy();
      else reject(response, INTERNAL_ERROR);
    }
  }

  /** An error of the report, of a log for example, must not abort the response. */
  function report(request: PlainRequest): void {
    try {
      takeReport(request)?.();
    } catch (error) {
      onUnexpectedError(error);
    }
  }

  /**
   * Closes a connection without a first request after `keepAliveMs`, like a connection between two
   * requests. Clients treat both alike: they use an idle connection for as long as the `Keep-Alive`
   * header of an earlier response allowed, even if that response came on another connection. A
   * request on a connection that is being closed fails.
   */
  function disconnectIfSilent(socket: Socket): void {
    const stopTimer = startTimer(Math.max(0, keepAliveMs - headersMs), () => {
      if (socket.bytesRead === 0) disconnect(socket, 'silent');
    });
    socket.once('close', stopTimer);
  }

  function disconnect(socket: Socket | null, reason: DisconnectReason): void {
    events.onDisconnected?.(reason);
    socket?.destroy();
  }

  function reject(response: ServerResponse, rejection: Rejection): void {
    reportRejected(rejection);
    const { status, headers, body } = toRejectionResponse(rejection, toCorsHeaders(response.req));
    response.writeHead(status, headers).end(body);
  }

  /** Rejects a request for which Node creates no response object, and closes its connection. */
  function rejectSocket(
    socket: Socket,
    rejection: Rejection,
    request: IncomingMessage | undefined,
  ): void {
    reportRejected(rejection);
    socket.on('error', () => socket.destroy());
    socket.write(toRawResponse(rejection, toCorsHeaders(request)));
    socket.destroySoon();
  }

  /** @param request undefined if its headers are malformed or incomplete */
  function toCorsHeaders(request: IncomingMessage | undefined): Readonly<Record<string, string>> {
    if (!request) return cors.unknownOriginHeaders;
    const headers = new PlainHeaders({ vary: VARY });
    cors.setAllowOrigin({ headers: new NodeHeaders(request.headers) }, headers);
    return headers.toRecord();
  }

  function reportRejected([status, code, , setting]: Rejection): void {
    onRejected({ status, code, setting });
  }
}

/** `close` follows each error of a response, and ends what waits for it. */
function ignoreError(): void {}

/** What the adapter passes on to the handler. */
interface FetchContext {
  readonly exchange: ServerExchange;
}
