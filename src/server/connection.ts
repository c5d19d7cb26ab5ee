import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type EvictableConnection, toPeer } from '#http/limits/connection-limiter.ts';
import type { CallerRecord, PlainRequest } from '#http/message.ts';
import type { UpgradedConnection } from '#http/websocket/handle-upgrade.ts';
import type { DisconnectTarget } from './disconnect-target.ts';
import type { NodeRequest } from './node-message.ts';

/** What a stream must know of its connection. */
export interface ClosableStream {
  /** The response is sent, or the connection is closed. Called once. */
  onClose(): void;
}

/** One request and its response. */
export interface ServerExchange {
  readonly connection: Connection;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /**
   * The request as the server passes it to the gateway. Undefined before the server passes it. Only
   * its caller while the response is a stream.
   */
  gatewayRequest: PlainRequest | Request | CallerRecord | undefined;
  /**
   * What to notify when the client disconnects before the response is sent. Undefined while the
   * response is a stream.
   */
  disconnectTarget: DisconnectTarget | NodeRequest | undefined;
  /** The stream that the response is. Undefined for every other response. */
  stream: ClosableStream | undefined;
}

/** State of a connection, looked up once for each request. */
export class Connection implements EvictableConnection {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #onEvicted: () => void;
  /** The setting that the connection exceeds. */
  exceededSetting: string | undefined;
  /** The exchange of the last request. */
  lastExchange: ServerExchange | undefined;
  /** The target of the last plain request: clients send requests to one URL again and again. */
  lastTarget: { readonly host: string; readonly path: string; readonly url: string } | undefined;
  /** Exchanges whose responses are not sent, in the order of their requests. */
  readonly exchanges = new Set<ServerExchange>();
  /** When the last request began, or the last response ended, in ms. */
  lastActivityAt: number;
  /** The WebSocket that the connection is. Undefined before the handshake. */
  upgraded: UpgradedConnection | undefined;
  /** Whether the handshake of a WebSocket has begun. */
  isUpgrading = false;
  /** Functions that release the reservations of responses that are not sent. Absent: none yet. */
  pendingReleases: Set<() => void> | undefined;

  constructor(socket: Socket, openedAt: number, onEvicted: () => void) {
    this.#socket = socket;
    this.#onEvicted = onEvicted;
    this.peer = toPeer(socket.remoteAddress ?? '');
    this.lastActivityAt = openedAt;
  }

  /** Requests whose responses are not sent. */
  get inFlight(): number {
    return this.exchanges.size;
  }

  get idleSince(): number | undefined {
    if (this.isUpgrading) return this.upgraded?.idleSince;
    return this.inFlight === 0 || this.lastExchange?.request.complete === false
      ? this.lastActivityAt
      : undefined;
  }

  /**
   * Whether the last response has begun, and the response or its request is not complete: the client
   * would take an error response for a part of it.
   */
  get hasStartedResponse(): boolean {
    const { request, response } = this.lastExchange ?? {};
    const isDone = request?.complete && response?.writableFinished;
    return response?.headersSent === true && !isDone;
  }

  /** The last request, while a part of it has yet to arrive. */
  get incompleteRequest(): IncomingMessage | undefined {
    const { request } = this.lastExchange ?? {};
    return request?.complete === false ? request : undefined;
  }

  close(): void {
    this.#onEvicted();
    this.#socket.destroy();
  }
}

/**
 * Whether the response is sent or its client has disconnected: then the response and the connection
 * emit no more events.
 */
export function isFinished({ request, response }: ServerExchange): boolean {
  return request.socket.destroyed || response.closed;
}
