import { once } from 'node:events';
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { afterEach, describe, expect, test } from 'vitest';
import { type StreamControl, toStreamedResponse } from '#http/streams/stream-body.ts';
import { createSocketServer } from '#http/websocket/socket-server.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import { openSocket, type SocketClient } from '../support/socket-client.ts';

const MAX_SUBSCRIPTIONS = 2;
const QUERY = 'subscription { stream }';

/** A subscription whose response the test decides. */
interface Opening {
  readonly request: Request;
  resolve(response: Response): void;
}

let dispose = () => {};
afterEach(() => dispose());

/** A socket whose subscriptions are opened as slowly as the test wants. */
async function openScene({ ignoresAbort = false } = {}) {
  const openings: Opening[] = [];
  const refusals: string[] = [];
  const errors: unknown[] = [];
  let disconnects = 0;
  const sockets = createSocketServer({
    schema: buildSchema('type Query { a: Int } type Subscription { stream: Int }'),
    subscriptions: {
      connectionLimits: { maxSubscriptions: MAX_SUBSCRIPTIONS, keepAliveMs: 10_000 },
      isDraining: () => false,
      onRefused: (limit: string) => void refusals.push(limit),
    } as never,
    maxMessageBytes: 65_536,
    unsentBudget: { reserve: () => () => {} } as never,
    subscribe: (request) =>
      new Promise((resolve, reject) => {
        openings.push({ request, resolve });
        if (!ignoresAbort)
          request.signal.addEventListener('abort', () => reject(request.signal.reason));
      }),
    observe: () =>
      ({
        onStreamStart() {},
        onClientDisconnect() {
          disconnects += 1;
        },
      }) as never,
    startTimer: () => () => {},
    onUnexpectedError: (error) => void errors.push(error),
    openSession: () => Promise.reject(new Error('The upgrade has a credential.')),
    isRouter: () => false,
    hasTokens: false,
    now: () => 0,
    monotonicNow: () => 0,
  });
  const server = createServer();
  server.on('upgrade', (request, connection, firstBytes) => {
    const head = { method: 'GET', url: 'http://localhost/graphql', headers: new Headers() };
    sockets.accept(request, connection, firstBytes, {
      head,
      requestId: 'r1',
      identity: { session: {} as never, headers: new Headers(), expiresAt: 1 },
    });
  });
  const port = await listenOnFreePort(async (free) => {
    server.listen(free, '127.0.0.1');
    await once(server, 'listening');
    return free;
  });
  const client = await openSocket(`http://127.0.0.1:${port}`);
  dispose = () => {
    client.socket.terminate();
    server.close();
  };
  const opened = async (count: number) => {
    await expect.poll(() => openings.length).toBe(count);
  };
  return { client, openings, opened, refusals, errors, disconnects: () => disconnects };
}

/** A stream that notes the ends of its connection. */
function createStream({ request }: Opening) {
  const closings: unknown[] = [];
  let attachments = 0;
  const control: StreamControl = {
    onDrain() {},
    onClose: (reason) => void closings.push(reason),
    keepAlive: Buffer.of(),
  };
  const stream = {
    attach() {
      attachments += 1;
      return control;
    },
  };
  const response = toStreamedResponse(stream, {}, request);
  return { response, closings, attachments: () => attachments };
}

const errorsOf = (client: SocketClient) => client.ofType('error').map(({ id }) => id);

describe('Subscriptions that are being opened', () => {
  test('a subscription that is being opened counts for MAX_SUBSCRIPTIONS_PER_CONNECTION', async () => {
    const { client, opened, openings, refusals } = await openScene();
    for (const id of ['1', '2', '3']) client.subscribe(id, QUERY);
    await expect.poll(() => errorsOf(client)).toEqual(['3']);
    await opened(2);
    expect(refusals).toEqual(['MAX_SUBSCRIPTIONS_PER_CONNECTION']);
    expect(openings).toHaveLength(2);
  });

  test('a subscription that is completed before it is open is closed, and its id stays with the next one', async () => {
    const { client, opened, openings } = await openScene();
    client.subscribe('1', QUERY);
    await opened(1);
    client.send({ type: 'complete', id: '1' });
    client.subscribe('1', QUERY);
    await opened(2);
    const [early, late] = openings.map(createStream) as [
      ReturnType<typeof createStream>,
      ReturnType<typeof createStream>,
    ];
    openings[0]?.resolve(early.response);
    await expect.poll(() => early.closings).toEqual(['client']);
    openings[1]?.resolve(late.response);
    await expect.poll(late.attachments).toBe(1);
    expect(late.closings).toEqual([]);
    // Both places are free again but that of the second one.
    client.subscribe('2', QUERY);
    await opened(3);
    expect(client.messages.filter(({ type }) => type !== 'connection_ack')).toEqual([]);
  });

  test('a client that disconnects cancels the opening, which is no error', async () => {
    const { client, opened, openings, errors, disconnects } = await openScene();
    client.subscribe('1', QUERY);
    await opened(1);
    client.socket.terminate();
    await expect.poll(() => openings[0]?.request.signal.aborted).toBe(true);
    await expect.poll(disconnects).toBe(1);
    expect(errors).toEqual([]);
  });

  test('a stream that arrives after its client has left is closed', async () => {
    const { client, opened, openings } = await openScene({ ignoresAbort: true });
    client.subscribe('1', QUERY);
    await opened(1);
    const opening = openings[0] as Opening;
    const stream = createStream(opening);
    client.socket.terminate();
    await expect.poll(() => opening.request.signal.aborted).toBe(true);
    opening.resolve(stream.response);
    await expect.poll(() => stream.closings).toEqual(['client']);
  });
});
