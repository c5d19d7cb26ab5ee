import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Attack, Target } from '../attack.ts';
import {
  createOutcomeTally,
  KNOWN_KEY,
  MADE_UP_KEY,
  type OutcomeTally,
  pause,
  toOutcome,
} from './requests.ts';

const CONNECTIONS = 400;
const BODY_BYTES = 900_000;

/** A new document whose body is almost as large as the limit. */
function toRequest(key: string, length: 'content-length' | 'chunked', n: number): Buffer {
  const body = JSON.stringify({ query: `{ __typename } # ${n} ${'x'.repeat(BODY_BYTES)}` });
  const head = `POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;
  if (length === 'content-length')
    return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  return Buffer.from(
    `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  );
}

/** Sends all but the last byte on each connection, and then the last bytes together. */
async function sendTogether(
  target: Target,
  tally: OutcomeTally,
  toBytes: (n: number) => Buffer,
): Promise<void> {
  const { hostname, port } = new URL(target.url);
  const bytes = Array.from({ length: CONNECTIONS }, (_, n) => toBytes(n));
  const sockets = bytes.map((request) => {
    const socket = connect(Number(port), hostname).on('error', () => {});
    socket.write(request.subarray(0, -1));
    socket.once('data', (start: Buffer) => {
      const [head = '', body = ''] = start.toString('latin1').split('\r\n\r\n');
      tally.record(toOutcome(body, Number(head.split(' ')[1])));
      socket.destroy();
    });
    return socket;
  });
  await Promise.race([
    pause(target, 1_000),
    Promise.all(sockets.map((socket) => once(socket, 'drain').catch(() => {}))),
  ]);
  for (const [n, socket] of sockets.entries())
    if (socket.writable) socket.write(bytes[n]?.subarray(-1) ?? '');
  await Promise.race([pause(target, 1_500), Promise.all(sockets.map(isClosed))]);
  for (const socket of sockets) socket.destroy();
}

function isClosed(socket: Socket): Promise<unknown> | undefined {
  return socket.destroyed ? undefined : once(socket, 'close');
}

const attack = (name: string, key: string, length: 'content-length' | 'chunked'): Attack => ({
  name,
  bound:
    '64 MiB of request bodies in progress, half of that for one caller and for all unaccepted keys',
  async run(target) {
    const tally = createOutcomeTally();
    for (let round = 0; !target.signal.aborted; round += 1) {
      await sendTogether(target, tally, (n) => toRequest(key, length, round * CONNECTIONS + n));
    }
    return tally.observed();
  },
  maxUpstreamRequests: () => 0,
  outcomes: ['ok', 'RATE_LIMITED'],
});

export const attacks: readonly Attack[] = [
  attack(
    '400 connections of an unaccepted key send bodies of 900 kB at once',
    MADE_UP_KEY,
    'content-length',
  ),
  attack(
    '400 connections of one tenant send bodies of 900 kB in chunks at once',
    KNOWN_KEY,
    'chunked',
  ),
];
