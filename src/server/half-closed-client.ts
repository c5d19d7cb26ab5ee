import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';

/**
 * Interval between two probes of a client that has closed its side, in ms. Most responses are ready
 * before the first one. The operation of a client that has gone lasts two intervals longer: its
 * system sends a reset after the first probe, and the second one fails.
 */
const PROBE_INTERVAL_MS = 500;

/** Clients must expect interim responses (RFC 9110, 15.2), and need not act on this one. */
const PROBE = 'HTTP/1.1 102 Processing\r\n\r\n';

/**
 * Watches a client that has closed its side of the connection while its request is in flight. Most
 * of these clients have gone, and their operation must end; some (`nc`, `shutdown(SHUT_WR)`) wait
 * for the response. Nothing distinguishes them until the server sends something: the system of a
 * client that has gone then resets the connection.
 */
export function watchHalfClosedClient(
  socket: Socket,
  connection: Connection,
  startTimer: (ms: number, onTime: () => void) => () => void,
): void {
  if (socket.destroyed || connection.inFlight === 0) return;
  let stopTimer = startTimer(PROBE_INTERVAL_MS, probe);
  socket.once('close', () => stopTimer());

  function probe(): void {
    if (canProbe(connection)) socket.write(PROBE);
    stopTimer = startTimer(PROBE_INTERVAL_MS, probe);
  }
}

/**
 * HTTP/1.0 has no interim responses. Once a response has begun, its own bytes find out whether the
 * client has gone.
 */
function canProbe({ exchanges }: Connection): boolean {
  const [first] = exchanges;
  return first?.request.httpVersion === '1.1' && !first.response.headersSent;
}
