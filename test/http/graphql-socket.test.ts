import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '#errors/gateway-error.ts';
import { GraphQLSocket } from '#http/websocket/graphql-socket.ts';
import { createClock } from '../support/clock.ts';

const KEEP_ALIVE_MS = 10_000;

/** What a part of a message counts besides its bytes. */
const OVERHEAD = 256;

class FakeWebSocket extends EventEmitter {
  readonly protocol = 'graphql-transport-ws';
  readonly sent: string[] = [];
  readonly closings: unknown[] = [];
  pings = 0;
  isTerminated = false;
  bufferedAmount = 0;
  send(data: Buffer, { binary }: { binary: boolean }) {
    this.sent.push(`${data} ${binary}`);
  }
  ping() {
    this.pings += 1;
  }
  terminate() {
    this.isTerminated = true;
  }
  close(code: number, reason: string) {
    this.closings.push([code, reason]);
  }
}

/** A socket whose connection the test controls. */
function createScene() {
  const clock = createClock(0);
  const webSocket = new FakeWebSocket();
  const connection = Object.assign(new EventEmitter(), { writableNeedDrain: false });
  const errors: unknown[] = [];
  const unsent: (readonly [string, number])[] = [];
  const bodies: (number | 'release')[] = [];
  const scene = {
    releases: 0,
    closed: 0,
    reservations: 0,
    unsentRefusal: undefined as string | undefined,
    bodyRefusal: undefined as GatewayError | undefined,
  };
  const socket = new GraphQLSocket(webSocket as never, connection as never, {
    keepAliveMs: KEEP_ALIVE_MS,
    unsentBudget: {
      reserve(owner, bytes) {
        unsent.push([owner, bytes]);
        return (
          (scene.unsentRefusal as never) ??
          (() => {
            scene.releases += 1;
          })
        );
      },
    },
    monotonicNow: clock.now,
    onUnexpectedError: (error) => errors.push(error),
    onClose: () => {
      scene.closed += 1;
    },
  });
  const identity = {
    expiresAt: Number.POSITIVE_INFINITY,
    headers: new Headers(),
    session: {
      callerKey: 'a',
      isCredentialAccepted: () => true,
      reserveBody() {
        scene.reservations += 1;
        return {
          add(bytes: number) {
            if (scene.bodyRefusal) throw scene.bodyRefusal;
            bodies.push(bytes);
          },
          release: () => bodies.push('release'),
        };
      },
    },
  };
  const ends: string[] = [];
  const subscription = {
    drains: 0,
    close(reason: string) {
      ends.push(reason);
      socket.onSubscriptionEnd(subscription as never);
    },
    onDrain() {
      subscription.drains += 1;
    },
  };
  return Object.assign(scene, {
    socket,
    webSocket,
    connection,
    errors,
    unsent,
    bodies,
    ends,
    subscription,
    authenticate: (expiresAt = identity.expiresAt) => {
      socket.identity = { ...identity, expiresAt } as never;
    },
    subscribe: () => socket.add(subscription as never),
    receive: (bytes: number) => connection.emit('data', Buffer.alloc(bytes)),
    /** Moves the clock to a time. */
    tickAt(at: number, isDraining = false) {
      clock.pass(at - clock.now());
      socket.tick(at, isDraining);
    },
  });
}

describe('Keepalive of a WebSocket', () => {
  test('pings come at their interval, while the client answers', () => {
    const { webSocket, subscribe, tickAt } = createScene();
    subscribe();
    tickAt(KEEP_ALIVE_MS - 1);
    expect(webSocket.pings).toBe(0);
    for (let count = 1; count <= 5; count += 1) {
      tickAt(count * KEEP_ALIVE_MS);
      tickAt(count * KEEP_ALIVE_MS + 1);
      expect(webSocket.pings).toBe(count);
      webSocket.emit('pong', Buffer.alloc(0));
    }
    expect([webSocket.isTerminated, webSocket.closings]).toEqual([false, []]);
  });

  test('a client that answers neither of two pings is disconnected without a close frame', () => {
    const { webSocket, subscribe, tickAt } = createScene();
    subscribe();
    for (const count of [1, 2]) tickAt(count * KEEP_ALIVE_MS);
    expect(webSocket.isTerminated).toBe(false);
    tickAt(3 * KEEP_ALIVE_MS);
    expect([webSocket.pings, webSocket.isTerminated, webSocket.closings]).toEqual([2, true, []]);
  });

  test('an answer counts for all pings before it', () => {
    const { webSocket, subscribe, tickAt } = createScene();
    subscribe();
    for (const count of [1, 2]) tickAt(count * KEEP_ALIVE_MS);
    webSocket.emit('pong', Buffer.alloc(0));
    for (const count of [3, 4]) tickAt(count * KEEP_ALIVE_MS);
    expect([webSocket.pings, webSocket.isTerminated]).toEqual([4, false]);
    tickAt(5 * KEEP_ALIVE_MS);
    expect(webSocket.isTerminated).toBe(true);
  });

  test('a client that does not read gets 1013', () => {
    const { webSocket, connection, subscribe, tickAt, ends } = createScene();
    subscribe();
    connection.writableNeedDrain = true;
    for (const count of [1, 2, 3]) tickAt(count * KEEP_ALIVE_MS);
    expect(webSocket.closings).toEqual([
      [1013, 'The client does not read its events fast enough.'],
    ]);
    expect([webSocket.isTerminated, ends]).toEqual([false, ['slow']]);
    // The close frame is on its way.
    connection.writableNeedDrain = false;
    tickAt(4 * KEEP_ALIVE_MS);
    expect([webSocket.closings.length, webSocket.pings, webSocket.isTerminated]).toEqual([
      1,
      2,
      false,
    ]);
  });
});

describe('Time limits of a WebSocket', () => {
  test('without a subscription it is closed after a minute', () => {
    const { webSocket, tickAt } = createScene();
    tickAt(59_999);
    expect(webSocket.closings).toEqual([]);
    tickAt(60_000);
    expect(webSocket.closings).toEqual([[1001, 'The socket has no subscription.']]);
  });

  test('the minute begins with the end of the last subscription, or of its opening', () => {
    const { socket, webSocket, subscription, subscribe, tickAt } = createScene();
    socket.startOpening();
    tickAt(70_000);
    expect(socket.idleSince).toBeUndefined();
    subscribe();
    socket.endOpening();
    expect(socket.idleSince).toBeUndefined();
    webSocket.emit('pong', Buffer.alloc(0));
    tickAt(80_000);
    subscription.close('client');
    expect(socket.idleSince).toBe(80_000);
    socket.startOpening();
    subscribe();
    subscription.close('client');
    expect(socket.idleSince).toBeUndefined();
    tickAt(81_000);
    socket.endOpening();
    expect(socket.idleSince).toBe(81_000);
    webSocket.emit('pong', Buffer.alloc(0));
    tickAt(140_999);
    expect(webSocket.closings).toEqual([]);
    tickAt(141_000);
    expect(webSocket.closings).toHaveLength(1);
  });

  test('a drain closes a socket without a subscription, and leaves others to their streams', () => {
    const idle = createScene();
    idle.tickAt(1, true);
    expect(idle.webSocket.closings).toEqual([
      [1012, 'This instance of the gateway is stopping: reconnect.'],
    ]);
    const busy = createScene();
    busy.subscribe();
    busy.tickAt(1, true);
    expect(busy.webSocket.closings).toEqual([]);
  });

  test('an expired token closes it, whatever it carries', () => {
    const { webSocket, authenticate, subscribe, tickAt, ends } = createScene();
    authenticate(5_000);
    subscribe();
    tickAt(4_999);
    expect(webSocket.closings).toEqual([]);
    tickAt(5_000, true);
    expect([webSocket.closings, ends]).toEqual([
      [[4403, 'The bearer token has expired: reconnect with a new one.']],
      ['expired'],
    ]);
  });
});

describe('Bytes that a client sends', () => {
  test('before connection_init they are at most 64 KiB', () => {
    const { webSocket, receive } = createScene();
    receive(65_536 - OVERHEAD);
    expect(webSocket.closings).toEqual([]);
    for (let times = 0; times < 2; times += 1) receive(0);
    expect(webSocket.closings).toEqual([[1009, 'Too many bytes before connection_init.']]);
  });

  test('those of a message count from 4 KiB on, until it is complete', () => {
    const scene = createScene();
    const { socket, webSocket, authenticate, receive, bodies } = scene;
    socket.toServerSocket().onMessage(() => Promise.resolve());
    authenticate();
    receive(4_096 - OVERHEAD);
    expect(bodies).toEqual([]);
    receive(1);
    receive(10);
    const counted = [4_097 + OVERHEAD, 10 + OVERHEAD];
    expect(bodies).toEqual(counted);
    webSocket.emit('message', Buffer.from('{}'), false);
    expect(bodies).toEqual([...counted, 'release']);
    // The next message begins at 0.
    receive(4_096 - OVERHEAD);
    expect(bodies).toHaveLength(3);
    receive(1);
    expect([bodies.at(-1), scene.reservations]).toEqual([4_097 + OVERHEAD, 2]);
    webSocket.emit('close');
    expect(bodies.at(-1)).toBe('release');
  });

  test('control frames are no part of a message', () => {
    const { webSocket, authenticate, receive, bodies } = createScene();
    authenticate();
    for (const event of ['ping', 'pong'])
      for (let times = 0; times < 1_000; times += 1) {
        receive(6 + 100);
        webSocket.emit(event, Buffer.alloc(100));
      }
    receive(4_096 - OVERHEAD);
    expect(bodies).toEqual([]);
  });

  test('a message counts on, whatever control frames come between its parts', () => {
    const { webSocket, authenticate, receive, bodies } = createScene();
    authenticate();
    receive(4_096 - OVERHEAD);
    for (const event of ['ping', 'pong']) {
      receive(6 + 100);
      webSocket.emit(event, Buffer.alloc(100));
    }
    receive(1);
    const total = bodies.reduce((sum: number, bytes) => sum + Number(bytes), 0);
    expect(total).toBe(4_096 + 1 + OVERHEAD);
  });

  test('over the budget of its caller the socket is closed', () => {
    const scene = createScene();
    scene.authenticate();
    scene.subscribe();
    scene.bodyRefusal = new GatewayError('RATE_LIMITED', 'Too many bytes.');
    scene.receive(5_000);
    expect([scene.webSocket.closings, scene.ends]).toEqual([
      [[1013, 'Too many bytes.']],
      ['client'],
    ]);
  });

  test('a binary message closes it, and no later one is read', () => {
    const { socket, webSocket, subscribe, ends } = createScene();
    const messages: string[] = [];
    subscribe();
    socket.toServerSocket().onMessage(async (message) => {
      messages.push(message);
    });
    webSocket.emit('message', Buffer.from('1'), false);
    webSocket.emit('message', Buffer.from('2'), true);
    webSocket.emit('message', Buffer.from('3'), false);
    expect(messages).toEqual(['1']);
    expect(webSocket.closings).toEqual([[4400, 'Messages must be text, not binary.']]);
    expect(ends).toEqual(['client']);
  });

  test('a message whose handling fails is a bug', async () => {
    const { socket, webSocket, errors } = createScene();
    const bug = new Error('bug');
    socket.toServerSocket().onMessage(() => Promise.reject(bug));
    webSocket.emit('message', Buffer.from('1'), false);
    await new Promise(setImmediate);
    expect(errors).toEqual([bug]);
    expect(webSocket.closings).toEqual([[1011, 'Something went wrong in the gateway.']]);
  });
});

describe('Bytes that a client does not read', () => {
  test('count for the owner of the socket until it reads', () => {
    const scene = createScene();
    const { socket, webSocket, connection, subscription } = scene;
    scene.authenticate();
    scene.subscribe();
    expect(socket.sendNext(Buffer.from('1'))).toBe(true);
    expect([webSocket.sent, scene.unsent]).toEqual([['1 false'], []]);
    connection.writableNeedDrain = true;
    webSocket.bufferedAmount = 1_000;
    expect([socket.sendNext(Buffer.from('2')), socket.isBlocked()]).toEqual([false, true]);
    webSocket.bufferedAmount = 2 ** 20;
    socket.sendNext(Buffer.from('3'));
    expect(scene.unsent).toEqual([
      ['a', 1_000],
      ['a', 2 ** 20],
    ]);
    // The second count replaces the first.
    expect(scene.releases).toBe(1);
    expect(webSocket.closings).toEqual([]);
    connection.writableNeedDrain = false;
    connection.emit('drain');
    expect([scene.releases, subscription.drains]).toEqual([2, 1]);
  });

  test('more than 1 MiB closes the socket, and counts until the connection is closed', () => {
    const scene = createScene();
    scene.authenticate();
    scene.subscribe();
    scene.connection.writableNeedDrain = true;
    scene.webSocket.bufferedAmount = 2 ** 20 + 1;
    expect(scene.socket.sendNext(Buffer.from('1'))).toBe(false);
    expect(scene.webSocket.closings.map((closing) => (closing as [number])[0])).toEqual([1013]);
    expect([scene.ends, scene.releases]).toEqual([['slow'], 0]);
    scene.webSocket.emit('close');
    expect([scene.releases, scene.closed]).toEqual([1, 1]);
  });

  test('over the budget of their owner the socket is closed', () => {
    const scene = createScene();
    scene.authenticate();
    scene.unsentRefusal = 'MAX_UNSENT_BYTES_PER_CALLER';
    scene.connection.writableNeedDrain = true;
    scene.socket.sendNext(Buffer.from('1'));
    expect(scene.webSocket.closings).toHaveLength(1);
    // Nothing is written to a socket that is being closed.
    expect(scene.socket.sendNext(Buffer.from('2'))).toBe(true);
    expect(scene.webSocket.sent).toEqual(['1 false']);
    scene.webSocket.emit('close');
    expect([scene.releases, scene.closed]).toEqual([0, 1]);
  });

  test('those before connection_init have no owner', () => {
    const scene = createScene();
    scene.connection.writableNeedDrain = true;
    scene.socket.sendNext(Buffer.from('1'));
    expect([scene.unsent, scene.webSocket.closings]).toEqual([[], []]);
  });
});

describe('End of a WebSocket', () => {
  test('a client that leaves ends its streams, and aborts what is being opened', () => {
    const { socket, webSocket, subscribe, ends } = createScene();
    subscribe();
    webSocket.emit('error', new Error('reset'));
    webSocket.emit('close');
    expect([ends, socket.abort.signal.aborted, socket.subscriptions.size]).toEqual([
      ['client'],
      true,
      0,
    ]);
    socket.close({ code: 1000, reason: '' }, 'client');
    expect(webSocket.closings).toEqual([]);
  });

  test('a rejected key closes it after the error of the subscription', async () => {
    const { socket, webSocket, subscribe, ends } = createScene();
    subscribe();
    socket.reject();
    expect(webSocket.closings).toEqual([]);
    await new Promise(setImmediate);
    expect(webSocket.closings).toEqual([[4401, 'The Revox API rejected the API key.']]);
    expect(ends).toEqual(['rejected']);
  });

  test('the library closes it with a code of its own, once', () => {
    const { socket, webSocket, ends, subscribe } = createScene();
    subscribe();
    const server = socket.toServerSocket();
    expect(server.protocol).toBe('graphql-transport-ws');
    server.send('{"type":"pong"}');
    server.close(4408, 'Connection initialisation timeout');
    server.close();
    server.send('late');
    expect(webSocket.sent).toEqual(['{"type":"pong"} false']);
    expect(webSocket.closings).toEqual([[4408, 'Connection initialisation timeout']]);
    expect(ends).toEqual(['client']);
  });

  test.each([
    ['lifetime', 1012, 'The lifetime of a stream is over: reconnect.'],
    ['outage', 1012, 'The Revox API has failed for a long time: reconnect later.'],
    ['bug', 1011, 'Something went wrong in the gateway.'],
  ] as const)('a stream that ends because of %s closes it with %i', (reason, code, text) => {
    const { socket, webSocket, subscribe, ends } = createScene();
    subscribe();
    socket.interrupt(reason);
    expect([webSocket.closings, ends]).toEqual([[[code, text]], [reason]]);
  });

  test('a stream that ends for a reason of its own leaves the socket open', () => {
    const { socket, webSocket } = createScene();
    socket.interrupt('over');
    expect(webSocket.closings).toEqual([]);
  });
});
