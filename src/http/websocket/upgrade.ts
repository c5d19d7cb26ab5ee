import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { UnauthenticatedError } from '#errors/gateway-error.ts';
import { hasLoopbackHost } from '#http/auth/host-check.ts';
import { toErrorResponse } from '#http/error-response.ts';
import { createOriginMatcher } from '#http/headers/allowed-origins.ts';
import { isSameOrigin } from '#http/headers/cors.ts';
import { setSecurityHeaders } from '#http/headers/security-headers.ts';
import { type HeaderReader, ownerOf, type RequestHead } from '#http/message.ts';
import { toRefusal } from '#http/streams/open-stream.ts';
import type { LiveSubscriptions } from '#live/subscriptions.ts';
import type { ObserveRequest } from '#observability/request-observer.ts';
import { hasCredential, toSocketHeaders } from './connection-credential.ts';
import type { HandleUpgrade } from './handle-upgrade.ts';
import { findHandshakeError } from './handshake.ts';
import { reportResponse } from './report-response.ts';
import { openIdentity, type SocketIdentity } from './socket-identity.ts';
import type { SocketServer, SocketServerOptions } from './socket-server.ts';

export interface UpgradeOptions extends Omit<SocketServerOptions, 'subscriptions' | 'observe'> {
  /** Absent: subscriptions are rejected. */
  readonly subscriptions: LiveSubscriptions | undefined;
  /** Whether only requests to `localhost`, `127.0.0.1` and `[::1]` are accepted. */
  readonly isLoopbackOnly: boolean;
  /** Origins whose pages may open sockets, besides the gateway's own. */
  readonly corsOrigins: readonly string[];
  readonly onOriginRefused: (origin: string) => void;
  readonly observeRequest: ObserveRequest;
  /** The route of subscriptions, for the observer. */
  readonly route: string;
  /** The response to a path without subscriptions. Undefined if the path has subscriptions. */
  readonly findPathError: (url: URL, headers: HeaderReader) => Response | undefined;
  /** The route of every other path, for the observer. */
  readonly unknownRoute: string;
}

export function createHandleUpgrade(options: UpgradeOptions): HandleUpgrade {
  const { subscriptions, observeRequest, onUnexpectedError } = options;
  const isAllowedOrigin = createOriginMatcher(options.corsOrigins);
  let socketServer: Promise<SocketServer> | undefined;

  return async (request, connection, firstBytes) => {
    // A client may disconnect at any time. `ws` listens only after the handshake.
    connection.on('error', () => connection.destroy());
    const head = toHead(request);
    const pathError = head && options.findPathError(new URL(head.url), head.headers);
    const observer = observeRequest(
      head ?? { method: request.method ?? '', headers: toHeaderReader(request) },
      head && !pathError ? options.route : options.unknownRoute,
    );
    try {
      const checked = head ? (pathError ?? (await check(head))) : invalidUrl();
      const { requestId } = observer;
      if (checked instanceof Response) {
        checked.headers.set('x-request-id', requestId);
        reportResponse(checked, observer);
        await sendRefusal(checked, connection);
        return undefined;
      }
      const server = await loadSocketServer(checked.subscriptions);
      const upgraded = server.accept(request, connection, firstBytes, {
        head: checked.head,
        requestId,
        identity: checked.identity,
      });
      if (upgraded) observer.onResponse(101);
      else observer.onClientDisconnect();
      return upgraded;
    } catch (error) {
      onUnexpectedError(error);
      observer.onError('INTERNAL_SERVER_ERROR');
      observer.onResponse(500);
      await sendRefusal(internalError(), connection);
      return undefined;
    }
  };

  /** Everything that is known before the handshake. Returns what the socket needs, or a refusal. */
  async function check(head: RequestHead): Promise<CheckedUpgrade | Response> {
    const { headers } = head;
    if (options.isLoopbackOnly && !hasLoopbackHost(new URL(head.url), headers)) return otherHost();
    const handshakeError = findHandshakeError(head);
    if (handshakeError) return handshakeError;
    if (!subscriptions) return noSubscriptions();
    if (!isFromAllowedPage(head)) return otherOrigin();
    try {
      subscriptions.check(undefined);
      const identity = hasCredential(headers) ? await openUpgrade(head) : undefined;
      if (identity) subscriptions.check(ownerOf(identity.session));
      return { head, subscriptions, identity };
    } catch (error) {
      return toRefusal(error, head);
    }
  }

  /**
   * Undefined if the upgrade has the secret of a router, and lacks the API key: the router forwards
   * the one that its client has sent in `connection_init`.
   */
  async function openUpgrade(head: RequestHead): Promise<SocketIdentity | undefined> {
    const { headers } = head;
    try {
      return await openIdentity(options, { ...head, headers: toSocketHeaders(headers) });
    } catch (error) {
      const isKeyMissing = options.isRouter(headers) && !headers.has('authorization');
      if (isKeyMissing && error instanceof UnauthenticatedError) return undefined;
      throw error;
    }
  }

  /**
   * Browsers do not restrict WebSockets by CORS: every page can open one, and read what it receives.
   * Clients other than browsers send no `Origin`.
   */
  function isFromAllowedPage({ url, headers }: RequestHead): boolean {
    const origin = headers.get('origin');
    if (origin === null || isAllowedOrigin(origin) || isSameOrigin(origin, url, headers))
      return true;
    options.onOriginRefused(origin);
    return false;
  }

  function loadSocketServer(liveSubscriptions: LiveSubscriptions): Promise<SocketServer> {
    // Only gateways whose clients use WebSockets load them. A failed load may succeed the next time.
    socketServer ??= import('./socket-server.ts')
      .then(({ createSocketServer }) =>
        createSocketServer({
          ...options,
          subscriptions: liveSubscriptions,
          observe: (request) => observeRequest(request, options.route),
        }),
      )
      .catch((error: unknown) => {
        socketServer = undefined;
        throw error;
      });
    return socketServer;
  }
}

interface CheckedUpgrade {
  readonly head: RequestHead;
  readonly subscriptions: LiveSubscriptions;
  readonly identity: SocketIdentity | undefined;
}

/** Undefined if host and path form no URL. */
function toHead(request: IncomingMessage): RequestHead | undefined {
  const { method = '', url = '', headers, socket } = request;
  const scheme = 'encrypted' in socket && socket.encrypted ? 'https' : 'http';
  const parsed = URL.parse(`${scheme}://${headers.host ?? ''}${url}`);
  return parsed ? { method, url: parsed.href, headers: toHeaderReader(request) } : undefined;
}

function toHeaderReader({ headers }: IncomingMessage): HeaderReader {
  return {
    get(name) {
      const value = headers[name];
      return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value;
    },
    has: (name) => headers[name] !== undefined,
  };
}

/** Writes a response to a connection that is no WebSocket, and closes it. */
async function sendRefusal(response: Response, connection: Duplex): Promise<void> {
  const body = await response.text();
  const { status, headers } = response;
  setSecurityHeaders(headers, undefined);
  headers.set('connection', 'close');
  headers.set('content-length', String(Buffer.byteLength(body)));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
  connection.end(text, () => connection.destroy());
}

function invalidUrl(): Response {
  const message = 'The Host header and the path do not form a valid URL.';
  return toErrorResponse('BAD_USER_INPUT', message, { status: 400 });
}

function otherHost(): Response {
  const message =
    'This gateway accepts only requests to localhost, because it uses its own API key without authentication. Set ROUTER_SECRETS or JWT_JWKS_URL to accept others.';
  return toErrorResponse('FORBIDDEN', message, { status: 403 });
}

function otherOrigin(): Response {
  const message =
    'This WebSocket comes from a page of another origin: only the pages of this gateway and of CORS_ORIGINS may open one.';
  return toErrorResponse('FORBIDDEN', message, { status: 403 });
}

function noSubscriptions(): Response {
  const message = 'This gateway has no subscriptions (SUBSCRIPTIONS), and so no WebSockets.';
  return toErrorResponse('BAD_USER_INPUT', message, { status: 400 });
}

function internalError(): Response {
  const message = 'Something went wrong in the gateway.';
  return toErrorResponse('INTERNAL_SERVER_ERROR', message, { status: 500 });
}
