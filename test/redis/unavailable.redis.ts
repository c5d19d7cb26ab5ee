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

describe('When what answers is no Redis', () => {
  test('a connection on which nothing is heard is given up and made anew, though it was never anything else', async () => {
    const sockets: Socket[] = [];
    await using server = await listenTcp((socket) => void sockets.push(socket.resume()));
    await using one = createTierInstance(`redis://127.0.0.1:${server.port}`);
    // The first to ask waits for the connection, nobody after that.
    const waiting = one.read(ANN, PATH);
    await expect.poll(() => sockets).toHaveLength(1);
    await untilRedisIsAwaited(one);
    one.timers.elapse(TIMEOUT_MS);
    expect(await waiting).toBeUndefined();
    await expectNoWaitForRedis(one);
    await once(sockets[0] as Socket, 'close');
    await expect.poll(() => sockets, { timeout: 10_000 }).toHaveLength(2);
    await expectNoWaitForRedis(one);
    expect(one.troubles).toEqual([unavailableMessage('SocketTimeoutError')]);
  });

  test('and it closes its connections as they come, or talks of something else: nobody waits, nothing breaks', async () => {
    const answers = ['', 'HTTP/1.1 400 Bad Request\r\n\r\n', '+OK\r\n'.repeat(20), '*-1\r\n'.repeat(20), '$5\r\nab', '\0'];
    let connections = 0;
    await using server = await listenTcp((socket) => {
      const answer = answers[connections++ % answers.length] as string;
      socket.once('data', () => socket.end(answer));
      if (answer === '') socket.destroy();
    });
    await using one = createTierInstance(`redis://127.0.0.1:${server.port}`);
    await one.waitForTroubles(1);
    await expect.poll(() => connections, { timeout: 20_000 }).toBeGreaterThan(answers.length);
    expect(await one.read(ANN, PATH)).toBeUndefined();
    one.revoke(ANN, true);
    expect(one.troubles).toHaveLength(1);
  });

  test('and it says OK to everything, it is not taken for one', async () => {
    await using server = await listenTcp(
      (socket) => void socket.on('data', (data) => socket.write('+OK\r\n'.repeat(String(data).split('*').length - 1))),
    );
    await using one = createTierInstance(`redis://127.0.0.1:${server.port}`);
    await one.waitForTroubles(1);
    expect(one.troubles).toEqual([unavailableMessage('NotRedisError')]);
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('what takes connections and drops them is not called without a pause', async () => {
    const calls: number[] = [];
    await using server = await listenTcp((socket) => {
      calls.push(performance.now());
      socket.destroy();
    });
    await using one = createTierInstance(`redis://127.0.0.1:${server.port}`);
    await expect.poll(() => calls.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(5);
    expect((calls[4] as number) - (calls[0] as number)).toBeGreaterThan(400);
    expect(one.troubles).toHaveLength(1);
  });

  test('closing closes a connection that is still being made, at once', { timeout: 3_000 }, async () => {
    const sockets: Socket[] = [];
    await using server = await listenTcp((socket) => void sockets.push(socket.resume()));
    // The name and password are sent first, and never answered.
    const one = createTierInstance(`redis://somebody:secret@127.0.0.1:${server.port}`);
    await expect.poll(() => sockets).toHaveLength(1);
    const closed = once(sockets[0] as Socket, 'close');
    await one.close();
    await closed;
    // And one of which it does not know yet that it has been taken.
    const other = createTierInstance(`redis://127.0.0.1:${server.port}`);
    // By now it has called, and has no answer yet.
    await import('@redis/client');
    await other.close();
    await expect.poll(() => sockets).toHaveLength(2);
    if (!sockets[1]?.closed) await once(sockets[1] as Socket, 'close');
  });

  test.each([
    ['nobody listens', 'redis://127.0.0.1:1', 'ECONNREFUSED'],
    ['there is no such host', 'redis://nowhere.invalid', /^(ENOTFOUND|EAI_AGAIN)$/],
    ['there is no such database', 'redis://127.0.0.1/nonsense', 'its URL cannot be read'],
    ['the password cannot be read', 'redis://user:%ff@127.0.0.1', 'its URL cannot be read'],
  ])('%s: that is told, and nothing breaks', async (_name, url, reason) => {
    await using one = createTierInstance(url);
    const read = one.read(ANN, PATH);
    await one.waitForTroubles(1);
    expect(await read).toBeUndefined();
    expect(one.troubles).toEqual([expect.stringMatching(typeof reason === 'string' ? unavailableMessage(reason) : /./)]);
    for (const part of ['127.0.0.1', 'nowhere', 'user', '%ff']) expect(one.troubles[0]).not.toContain(part);
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    one.revoke(ANN, true);
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });
});
