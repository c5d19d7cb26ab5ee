import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { listenTcp } from '../rest/real-server.ts';
import {
  ANN,
  CALL,
  createTierInstance,
  expectNoWaitForRedis,
  PATH,
  TIMEOUT_MS,
  toEntry,
  unavailableMessage,
  untilRedisIsAwaited,
} from './tier-instance.ts';

describe('Server that is not Redis', () => {
  test('a silent connection is closed and opened again, even if the server never responded on it', async () => {
    const sockets: Socket[] = [];
    await using server = await listenTcp((socket) => void sockets.push(socket.resume()));
    await using one = createTierInstance(`redis://127.0.0.1:${server.port}`);
    // Only the first read waits for the connection.
    const waiting = one.read(ANN, PATH);
    await expect.poll(() => sockets).toHaveLength(1);
    await untilRedisIsAwaited(one);
    one.timers.elapse(TIMEOUT_MS);
    expect(await waiting).toBeUndefined();
    await expectNoWaitForRedis(one);
    await once(sockets[0] as Socket, 'close');
    await expect.poll(() => sockets).toHaveLength(2);
    await expectNoWaitForRedis(one);
    expect(one.statusChanges).toEqual([unavailableMessage('SocketTimeoutError')]);
  });

  test('no read waits and nothing breaks when the server closes its connections or speaks another protocol', async () => {
    const greetings = [
      '',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      '+OK\r\n'.repeat(20),
      '*-1\r\n'.repeat(20),
      '$5\r\nab',
      '\0',
    ];
    let connections = 0;
    await using server = await listenTcp((socket) => {
      const response = greetings[connections++ % greetings.length] as string;
      socket.once('data', () => socket.end(response));
      if (response === '') socket.destroy();
    });
    await using one = createTierInstance(`redis://127.0.0.1:${server.port}`);
    await one.waitForStatusChanges(1);
    await expect.poll(() => connections).toBeGreaterThan(greetings.length);
    expect(await one.read(ANN, PATH)).toBeUndefined();
    one.revoke(ANN, true);
    expect(one.statusChanges).toHaveLength(1);
  });

  test('a server that responds OK to everything is not used as Redis', async () => {
    await using server = await listenTcp(
      (socket) =>
        void socket.on('data', (data) =>
          socket.write('+OK\r\n'.repeat(String(data).split('*').length - 1)),
        ),
    );
    await using one = createTierInstance(`redis://127.0.0.1:${server.port}`);
    await one.waitForStatusChanges(1);
    expect(one.statusChanges).toEqual([
      unavailableMessage('the server does not respond like Redis'),
    ]);
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('a server that accepts and drops connections is not contacted without delays', async () => {
    const calls: number[] = [];
    await using server = await listenTcp((socket) => {
      calls.push(performance.now());
      socket.destroy();
    });
    await using one = createTierInstance(`redis://127.0.0.1:${server.port}`);
    await expect.poll(() => calls.length).toBeGreaterThanOrEqual(5);
    expect((calls[4] as number) - (calls[0] as number)).toBeGreaterThan(400);
    expect(one.statusChanges).toHaveLength(1);
  });

  test('closing the tier closes a pending connection at once', async () => {
    const sockets: Socket[] = [];
    await using server = await listenTcp((socket) => void sockets.push(socket.resume()));
    // The client sends its name and password first, and never gets a response.
    const one = createTierInstance(`redis://user:secret@127.0.0.1:${server.port}`);
    await expect.poll(() => sockets).toHaveLength(1);
    const closed = once(sockets[0] as Socket, 'close');
    const start = performance.now();
    await one.close();
    await closed;
    // The client itself closes a silent connection after five seconds.
    expect(performance.now() - start).toBeLessThan(4_500);
    // The same holds for a connection that the client does not know to be accepted yet.
    const other = createTierInstance(`redis://127.0.0.1:${server.port}`);
    // By now the client is connecting and has no response yet.
    await import('@redis/client');
    await other.close();
    await expect.poll(() => sockets).toHaveLength(2);
    if (!sockets[1]?.closed) await once(sockets[1] as Socket, 'close');
  });

  test.each([
    ['no listening server', 'redis://127.0.0.1:1', 'ECONNREFUSED'],
    ['an unknown host', 'redis://nowhere.invalid', /^(ENOTFOUND|EAI_AGAIN)$/],
    ['an invalid database', 'redis://127.0.0.1/nonsense', 'REDIS_URL is not valid'],
    ['an invalid password', 'redis://user:%ff@127.0.0.1', 'REDIS_URL is not valid'],
  ])('a Redis URL with %s is reported and breaks nothing', async (_name, url, reason) => {
    await using one = createTierInstance(url);
    const read = one.read(ANN, PATH);
    await one.waitForStatusChanges(1);
    expect(await read).toBeUndefined();
    expect(one.statusChanges).toEqual([
      expect.stringMatching(typeof reason === 'string' ? unavailableMessage(reason) : /./),
    ]);
    for (const part of ['127.0.0.1', 'nowhere', 'user', '%ff'])
      expect(one.statusChanges[0]).not.toContain(part);
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    one.revoke(ANN, true);
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });
});
