import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

export interface DrainOptions {
  /**
   * How long the server still accepts connections, and ends each connection with its next response,
   * in ms.
   */
  readonly delayMs: number;
  /** How long requests in flight may go on after that, in ms. */
  readonly timeoutMs: number;
  /** Starts a timer, in ms; returns the function that cancels it. */
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/**
 * Drains a server without losing a request that it has accepted. Resolves to the number of requests
 * that had to be aborted all the same. To be called once for each server.
 */
export type DrainServer = () => Promise<number>;

interface DrainableConnection {
  /** Responses that are not complete, in the order of their requests; hardly ever more than one. */
  responses: ServerResponse[];
  /** Whether no request has arrived on it yet. */
  hasNoRequestYet: boolean;
  /** Whether it is a WebSocket, or its handshake has begun. The gateway closes it. */
  isUpgraded: boolean;
}

/** A connection without a request may have its first request on the way. */
const FIRST_REQUEST_TIMEOUT_MS = 1_000;

/** Maximum iterations of the event loop to wait for an idle one. */
const MAX_WAIT_ITERATIONS = 1_000;

/**
 * Prepares a server for its drain. The server must not have accepted a request before.
 *
 * If a server closes an idle connection, the next request may be on its way, and is lost: HTTP/1.1
 * can announce the end of a connection only in a response. So connections are not closed at once:
 * for `delayMs` responses say `Connection: close`. By the time that idle connections are closed,
 * every client that sent a request within that time is gone.
 */
export function createDrain(
  server: Server,
  { delayMs, timeoutMs, startTimer }: DrainOptions,
): DrainServer {
  const connections = new Map<Socket, DrainableConnection>();
  /** Whether nothing has arrived since this was set. */
  let isIterationIdle = false;
  let isDraining = false;
  let isClosed = false;
  server.on('connection', onConnection);
  for (const event of ['request', 'checkExpectation']) server.prependListener(event, onRequest);
  // A listener for `upgrade` makes Node upgrade connections, so the server must have one itself.
  if (server.listenerCount('upgrade') > 0) server.prependListener('upgrade', onUpgrade);

  return async () => {
    isDraining = true;
    for (const { responses } of connections.values()) setConnectionClose(responses);
    await new Promise<void>((resolve) => void startTimer(delayMs, resolve));
    await waitForIdleIteration();
    return close();
  };

  function onConnection(socket: Socket): void {
    isIterationIdle = false;
    connections.set(socket, { responses: [], hasNoRequestYet: true, isUpgraded: false });
    // The event comes once, and `once` would take 180 bytes for as long as the connection lasts.
    socket.on('close', () => connections.delete(socket));
  }

  function onRequest({ socket }: IncomingMessage, response: ServerResponse): void {
    isIterationIdle = false;
    const connection = connections.get(socket);
    if (!connection) return;
    connection.hasNoRequestYet = false;
    // `push` reserves memory for 17 elements at once.
    if (connection.responses.length === 0) connection.responses = [response];
    else connection.responses.push(response);
    if (isDraining) setConnectionClose(connection.responses);
    // The event comes once, and `once` would take longer.
    response.on('close', () => {
      const { responses } = connection;
      responses.splice(responses.indexOf(response), 1);
      // Its headers may have been sent before the drain, without `Connection: close`.
      if (isClosed && responses.length === 0) socket.destroySoon();
    });
  }

  function onUpgrade(_request: IncomingMessage, socket: Socket): void {
    isIterationIdle = false;
    const connection = connections.get(socket);
    if (!connection) return;
    connection.hasNoRequestYet = false;
    connection.isUpgraded = true;
  }

  /**
   * When a server stops listening, the system resets the connections that wait in its queue. So the
   * server stops right after an iteration in which the queue was emptied and nothing else was to be
   * done, if there is one soon.
   */
  async function waitForIdleIteration(): Promise<void> {
    for (let iteration = 0; iteration < MAX_WAIT_ITERATIONS; iteration += 1) {
      isIterationIdle = true;
      await new Promise((resolve) => void setImmediate(resolve));
      if (isIterationIdle) return;
    }
  }

  async function close(): Promise<number> {
    // Not the `close` of HTTP: it closes connections whose responses are complete but not yet sent.
    const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
    isClosed = true;
    for (const [socket, { responses, hasNoRequestYet, isUpgraded }] of connections) {
      if (responses.length === 0 && !hasNoRequestYet && !isUpgraded) socket.destroySoon();
    }
    let aborted = 0;
    const stopTimers = [
      startTimer(Math.min(FIRST_REQUEST_TIMEOUT_MS, timeoutMs), () => {
        for (const [socket, { hasNoRequestYet }] of connections)
          if (hasNoRequestYet) socket.destroy();
      }),
      startTimer(timeoutMs, () => {
        for (const { responses, isUpgraded } of connections.values())
          aborted += isUpgraded ? 1 : responses.length;
        for (const socket of connections.keys()) socket.destroy();
      }),
    ];
    await closed;
    for (const stopTimer of stopTimers) stopTimer();
    return aborted;
  }
}

/** Only the last response may say `close`: Node drops later requests on that connection. */
function setConnectionClose(responses: readonly ServerResponse[]): void {
  for (const response of responses) {
    if (response.headersSent) continue;
    // Set, not removed: without the header Node would close the connection.
    response.setHeader('connection', response === responses.at(-1) ? 'close' : 'keep-alive');
  }
}
