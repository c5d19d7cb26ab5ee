import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Attack, Observed, Target } from '../attack.ts';
import { OPCODES, toFrame, toHandshake } from '../raw-web-socket.ts';
import { createSocketReader, openConnection, outcomeOf } from '../stream-client.ts';
import { createOutcomeTally, KNOWN_KEY, type OutcomeTally, pause, repeat } from './requests.ts';
import { MAX_POLLS, respondLive, watch } from './streams.ts';

const CREDENTIAL = `Authorization: Bearer ${KNOWN_KEY}`;

const toMessage = (message: object) => toFrame(JSON.stringify(message));
const INIT = toMessage({ type: 'connection_init' });
const toSubscribe = (id: string, call = 'live-1') =>
  toMessage({ type: 'subscribe', id, payload: watch(call) });
const PING = toMessage({ type: 'ping', payload: { text: 'x'.repeat(1_000) } });

interface Client {
  readonly socket: Socket;
  /** The next outcome that the gateway sends: a code, `ok` for an event, `closed`. */
  next(): Promise<string>;
}

/** Opens a WebSocket. Every outcome is counted. */
function openClient(target: Target, tally: OutcomeTally, lines: readonly string[]): Client {
  const socket = openConnection(target);
  let waiting = Promise.withResolvers<string>();
  const report = (outcome: string) => {
    if (!target.signal.aborted) tally.record(outcome);
    waiting.resolve(outcome);
    waiting = Promise.withResolvers<string>();
  };
  let isReported = false;
  const read = createSocketReader((message) => {
    const outcome = outcomeOf(message);
    if (outcome?.startsWith('close')) isReported = true;
    if (outcome) report(outcome);
  });
  const opened = Promise.withResolvers<void>();
  socket.on('data', (bytes) => {
    const refusal = read(bytes, opened.resolve);
    if (refusal === undefined) return;
    isReported = true;
    report(refusal);
  });
  socket.once('close', () => {
    if (!isReported) report('closed');
    waiting.resolve('closed');
  });
  socket.write(toHandshake(lines));
  return { socket, next: () => waiting.promise };
}

interface Violation {
  /** @default the credential */
  readonly headers?: readonly string[];
  readonly frames: readonly Buffer[];
}

/** More than a message may have. */
const TOO_MANY_FRAGMENTS = 2_000;
const ONE_BYTE = toFrame('x', { opcode: OPCODES.continuation, isFinal: false });

/** Each of them closes its socket. */
const VIOLATIONS: readonly Violation[] = [
  { frames: [INIT, toFrame('{')] },
  { frames: [INIT, toFrame('[1]')] },
  { frames: [INIT, toMessage({ type: 'start' })] },
  { frames: [INIT, toMessage({ type: 'subscribe', id: '', payload: watch('live-1') })] },
  { frames: [INIT, toMessage({ type: 'subscribe', id: '1', payload: { query: 1 } })] },
  { frames: [INIT, toFrame('{"type":"ping"}', { opcode: OPCODES.binary })] },
  { frames: [INIT, INIT] },
  { frames: [INIT, toSubscribe('1'), toSubscribe('1')] },
  { frames: [toSubscribe('1'), INIT] },
  { headers: [], frames: [toMessage({ type: 'connection_init', payload: { authorization: 1 } })] },
  { headers: [], frames: [] },
  { headers: [], frames: [toFrame('x'.repeat(70_000))] },
  { frames: [INIT, toFrame('', { statedLength: 2n ** 40n })] },
  { frames: [INIT, toFrame('', { statedLength: 2n ** 63n })] },
  { frames: [INIT, toFrame('x'.repeat(2_000_000))] },
  { frames: [INIT, toFrame('{"type":"ping"}', { isMasked: false })] },
  { frames: [INIT, toFrame(Buffer.from([0xff, 0xfe]))] },
  { frames: [INIT, toFrame('x', { opcode: 3 })] },
  { frames: [INIT, toFrame('x', { opcode: OPCODES.ping, isFinal: false })] },
  { frames: [INIT, toFrame('x'.repeat(200), { opcode: OPCODES.ping })] },
  { frames: [INIT, ONE_BYTE] },
  {
    frames: [
      INIT,
      toFrame('x', { isFinal: false }),
      ...Array.from({ length: TOO_MANY_FRAGMENTS }, () => ONE_BYTE),
    ],
  },
  // Compression is never negotiated, so a frame that expands a thousandfold is invalid.
  {
    headers: [CREDENTIAL, 'Sec-WebSocket-Extensions: permessage-deflate'],
    frames: [INIT, toFrame(Buffer.alloc(1_000), { isCompressed: true })],
  },
];

async function violate(target: Target): Promise<Observed> {
  const tally = createOutcomeTally();
  await repeat(target, VIOLATIONS.length, async (worker) => {
    const { headers = [CREDENTIAL], frames = [] } = VIOLATIONS[worker] ?? {};
    const { socket, next } = openClient(target, tally, headers);
    socket.write(Buffer.concat(frames));
    let outcome = await next();
    while (outcome === 'ok') outcome = await next();
    socket.destroy();
    await pause(target, 10);
  });
  return tally.observed();
}

/** Sends frames as fast as the gateway reads them, until the socket is closed. */
async function flood(
  { socket }: Client,
  target: Target,
  toFrames: (round: number) => Buffer,
): Promise<void> {
  for (let round = 0; !target.signal.aborted && !socket.destroyed; round += 1) {
    if (!socket.write(toFrames(round)))
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {});
    // Attacker and gateway share two cores.
    await pause(target, 1);
  }
}

const join = (length: number, toPart: (n: number) => Buffer) =>
  Buffer.concat(Array.from({ length }, (_, n) => toPart(n)));

/** A message of one megabyte that never ends, byte by byte. */
const ENDLESS = toFrame('', { statedLength: 1_000_000n });

const FLOODS: readonly {
  readonly toFrames: (round: number) => Buffer;
  /** Whether the client reads nothing. @default false */
  readonly isStalled?: boolean;
}[] = [
  { toFrames: (round) => join(100, (n) => toSubscribe(`${round} ${n}`, `live-${n % 20}`)) },
  {
    toFrames: () =>
      join(50, () => Buffer.concat([toSubscribe('1'), toMessage({ type: 'complete', id: '1' })])),
  },
  { toFrames: () => join(50, () => PING) },
  { toFrames: () => join(50, () => PING), isStalled: true },
  { toFrames: () => join(500, () => toFrame('x', { opcode: OPCODES.ping })) },
  { toFrames: () => join(500, () => toFrame('x', { opcode: OPCODES.ping })), isStalled: true },
  { toFrames: (round) => (round === 0 ? toFrame('x', { isFinal: false }) : ONE_BYTE) },
  { toFrames: (round) => (round === 0 ? ENDLESS : Buffer.from('x')) },
];

async function floodSockets(target: Target): Promise<Observed> {
  const tally = createOutcomeTally();
  await repeat(target, FLOODS.length, async (worker) => {
    const { toFrames, isStalled } = FLOODS[worker] ?? FLOODS[0]!;
    const client = openClient(target, tally, [CREDENTIAL]);
    client.socket.setNoDelay(true);
    client.socket.write(Buffer.concat([INIT, toSubscribe('first')]));
    if ((await client.next()) === 'ok') {
      if (isStalled) client.socket.pause();
      await flood(client, target, toFrames);
    } else await pause(target, 10);
    client.socket.destroy();
  });
  return tally.observed();
}

export const attacks: readonly Attack[] = [
  {
    name: '23 clients violate the protocol of WebSockets repeatedly, each in another way',
    bound:
      'the socket is closed; 64 KiB before `connection_init`, 3 s until then; `MAX_BODY_BYTES` (1 MiB) and 1,024 fragments of a message; no compression',
    respond: respondLive,
    run: violate,
    maxUpstreamRequests: () => MAX_POLLS,
    outcomes: [
      'ok',
      'closed',
      ...[1002, 1007, 1008, 1009, 4400, 4401, 4408, 4409, 4429].map((code) => `close ${code}`),
    ],
  },
  {
    name: 'Eight WebSockets of one tenant are flooded with subscriptions, pings, or messages in parts of one byte',
    bound:
      '`MAX_SUBSCRIPTIONS_PER_CONNECTION` (100); one message of a socket in each iteration of the event loop; 1 MiB of answers that the client does not read',
    respond: respondLive,
    run: floodSockets,
    maxUpstreamRequests: () => MAX_POLLS,
    outcomes: ['ok', 'RATE_LIMITED', 'closed', 'close 1008', 'close 1013'],
  },
];
