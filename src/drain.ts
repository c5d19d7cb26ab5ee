import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

export interface DrainOptions {
  /** For so long connections are still taken, and each client that asks is told that its connection ends with the answer, ms. */
  readonly delayMs: number;
  /** For so long after that requests under way may go on, ms. */
  readonly timeoutMs: number;
  /** Starts a timer, ms; returns what calls it off. */
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** Ends a server without losing a request that it has taken; tells how many it had to break off all the same. Once for each server. */
export type DrainServer = () => Promise<number>;

interface DrainableConnection {
  /** Those without a whole answer, in the order they came; hardly ever more than one. */
  readonly responses: ServerResponse[];
  /** It has not asked anything yet. */
  hasNoRequestYet: boolean;
}

/** A connection that was taken but has not asked anything yet may have its first request on the way. */
const FIRST_REQUEST_TIMEOUT_MS = 1_000;

/** So many turns of the event loop a quiet one is waited for. */
const MAX_WAIT_ITERATIONS = 1_000;

/**
 * Gets a server ready to be drained; it has to know the requests from the first one on.
 *
 * A connection that a server closes while it is idle may have the next request on its way, and that is lost: HTTP/1.1 has no way to say "no
 * more" but in an answer. So connections are not closed at once: for `delayMs` answers say `Connection: close`, and by the time that idle
 * connections are closed, whoever has asked within that time is gone.
 */
export function createDrain(server: Server, { delayMs, timeoutMs, startTimer }: DrainOptions): DrainServer {
  const connections = new Map<Socket, DrainableConnection>();
  /** Nothing has come since somebody looked. */
  let isIterationIdle = false;
  let isDraining = false;
  let isClosed = false;
  server.on('connection', onConnection);
  for (const event of ['request', 'checkExpectation']) server.prependListener(event, onRequest);

  return async () => {
    isDraining = true;
    for (const { responses } of connections.values()) setConnectionClose(responses);
    await new Promise<void>((resolve) => void startTimer(delayMs, resolve));
    await waitForIdleIteration();
    return close();
  };

  function onConnection(socket: Socket): void {
    isIterationIdle = false;
    connections.set(socket, { responses: [], hasNoRequestYet: true });
    socket.once('close', () => connections.delete(socket));
  }

  function onRequest({ socket }: IncomingMessage, response: ServerResponse): void {
    isIterationIdle = false;
    const connection = connections.get(socket);
    if (!connection) return;
    connection.hasNoRequestYet = false;
    const { responses } = connection;
    responses.push(response);
    if (isDraining) setConnectionClose(responses);
    // It comes once, and `once` would take longer.
    response.on('close', () => {
      responses.splice(responses.indexOf(response), 1);
      // Its headers may have been sent before there was a farewell to bid.
      if (isClosed && responses.length === 0) socket.destroySoon();
    });
  }

  /**
   * What waits in the queue of the system when the server stops to listen is reset. So that comes right after a turn in which the queue was
   * emptied and nothing else was to be done, if there is one soon.
   */
  async function waitForIdleIteration(): Promise<void> {
    for (let turn = 0; turn < MAX_WAIT_ITERATIONS; turn += 1) {
      isIterationIdle = true;
      await new Promise((resolve) => void setImmediate(resolve));
      if (isIterationIdle) return;
    }
  }

  async function close(): Promise<number> {
    // Not that of HTTP: it closes connections whose answers are all made, but not yet sent.
    const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
    isClosed = true;
    for (const [socket, { responses, hasNoRequestYet }] of connections) {
      if (responses.length === 0 && !hasNoRequestYet) socket.destroySoon();
    }
    let aborted = 0;
    const stopTimers = [
      startTimer(Math.min(FIRST_REQUEST_TIMEOUT_MS, timeoutMs), () => {
        for (const [socket, { hasNoRequestYet }] of connections) if (hasNoRequestYet) socket.destroy();
      }),
      startTimer(timeoutMs, () => {
        for (const { responses } of connections.values()) aborted += responses.length;
        for (const socket of connections.keys()) socket.destroy();
      }),
    ];
    await closed;
    for (const stopTimer of stopTimers) stopTimer();
    return aborted;
  }
}

/** Only the last answer may say it: Node drops what else was asked on that connection. */
function setConnectionClose(responses: readonly ServerResponse[]): void {
  for (const response of responses) {
    if (response.headersSent) continue;
    // Not removed: Node would close the connection then.
    response.setHeader('connection', response === responses.at(-1) ? 'close' : 'keep-alive');
  }
}
