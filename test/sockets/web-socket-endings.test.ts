import { describe, expect, test } from 'vitest';
import { KEY_A } from '../support/test-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';
import { QUERY, SECOND, statuses, useWebSocketGateway } from '../support/web-socket-gateway.ts';

const SECRET = 'a-router-secret-of-32-characters';
const sockets = useWebSocketGateway();

describe('Endings of a WebSocket', () => {
  test.each([
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
  ])('a key that Revox rejects with %i: error for each stream, then 4401', async (status, code) => {
    await sockets.restart({ REVOX_API_KEY: '' });
    const client = await sockets.open({ init: { authorization: `Bearer ${KEY_A}` } });
    await sockets.watch(client, '1');
    await sockets.watch(client, '2', QUERY.replace('c1', 'c2'));
    sockets.current.sandbox.control.fail('/call/c1', { status });
    await sockets.current.passUntil(client.isClosed);
    expect((await client.closed)[0]).toBe(4401);
    for (const id of ['1', '2'])
      expect(client.ofType('error', id)[0]?.payload[0].extensions.code).toBe(code);
    expect(client.ofType('complete')).toEqual([]);
    sockets.current.traffic();
    await sockets.pass(5 * SECOND);
    expect(sockets.current.traffic()).toEqual([]);
  });

  test('a token that expires: 4403, also without a subscription', async () => {
    const key = await createKey('k1');
    await sockets.restart(JWT_SETTINGS, {
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    const exp = Math.floor(sockets.current.now() / 1000) + 30;
    const authorization = `Bearer ${await sign(key, { ...VALID_CLAIMS, sub: 'u', exp })}`;
    const client = await sockets.open({ init: { authorization } });
    const idle = await sockets.open({ headers: { authorization } });
    await sockets.watch(client);
    await sockets.pass(32 * SECOND);
    expect([client.isClosed(), idle.isClosed()]).toEqual([false, false]);
    await sockets.current.passUntil(() => client.isClosed() && idle.isClosed());
    expect([(await client.closed)[0], (await idle.closed)[0]]).toEqual([4403, 4403]);
    expect(client.ofType('complete')).toEqual([]);
    expect(sockets.current.ends).toContain('expired');
  });

  test('the lifetime of a stream: 1012, and no complete', async () => {
    await sockets.restart({
      LIVE_LIFETIME_MS: '60000',
      ROUTER_SECRETS: SECRET,
      LIVE_REPEAT_MS: '20000',
    });
    const client = await sockets.open({ init: { 'Router-Authorization': SECRET } });
    await sockets.watch(client);
    await sockets.current.passUntil(client.isClosed);
    expect((await client.closed)[0]).toBe(1012);
    // A router gets the state again, and no error: it reconnects after 1012.
    expect(statuses(client)).toEqual(['CALLING', 'CALLING', 'CALLING']);
    expect(client.ofType('complete')).toEqual([]);
    expect(sockets.current.ends).toContain('lifetime');
  });

  test('a drain: 1012 for each socket, whole, and the drain counts no aborted request', async () => {
    await sockets.restart({ DRAIN_DELAY_MS: '1000', DRAIN_TIMEOUT_MS: '10000' });
    const [busy, idle] = [await sockets.open(), await sockets.open()];
    await sockets.watch(busy, '1');
    await sockets.watch(busy, '2');
    const drained = sockets.current.drain();
    await sockets.current.passUntil(() => busy.isClosed() && idle.isClosed());
    expect([(await busy.closed)[0], (await idle.closed)[0]]).toEqual([1012, 1012]);
    expect(sockets.current.ends.filter((end) => end === 'drain')).toHaveLength(2);
    expect(busy.ofType('complete')).toEqual([]);
    let aborted: number | undefined;
    void drained.then((count) => {
      aborted = count;
    });
    await sockets.current.passUntil(() => aborted !== undefined);
    expect(aborted).toBe(0);
  });

  test('a subscription that is opened during a drain: 1012, and no error that a client would keep', async () => {
    await sockets.restart({ DRAIN_DELAY_MS: '60000', DRAIN_TIMEOUT_MS: '10000' });
    const client = await sockets.open();
    await sockets.watch(client, '1');
    void sockets.current.drain();
    client.subscribe('2', QUERY);
    await sockets.current.passUntil(client.isClosed);
    expect((await client.closed)[0]).toBe(1012);
    expect([client.ofType('error'), client.ofType('complete')]).toEqual([[], []]);
  });

  test('an outage of LIVE_GIVE_UP_MS: an event with the error, then 1012', async () => {
    await sockets.restart({ LIVE_GIVE_UP_MS: '20000' });
    const client = await sockets.open();
    await sockets.watch(client);
    sockets.current.sandbox.control.fail('/call/c1', { status: 503 });
    await sockets.current.passUntil(client.isClosed);
    expect((await client.closed)[0]).toBe(1012);
    expect(client.ofType('next').at(-1)?.payload.errors[0].extensions.code).toBe(
      'UPSTREAM_UNAVAILABLE',
    );
  });

  test('a client that does not read: 1013', async () => {
    const client = await sockets.open();
    await sockets.watch(client);
    client.socket.pause();
    const text = 'x'.repeat(1_000_000);
    const fields = 'subscription { callUpdated(id: "c1") { status metadata } }';
    client.subscribe('2', fields);
    let number = 0;
    await sockets.current.passUntil(() => {
      number += 1;
      sockets.current.putCall({ id: 'c1', status: 'calling', metadata: { text: text + number } });
      return sockets.current.ends.includes('slow');
    });
    expect(await sockets.metric('live_ends_total{transport="websocket",reason="slow"}')).toBe(2);
    client.socket.resume();
    expect((await client.closed)[0]).toBe(1013);
  });

  test('a client that does not respond to two keepalives is disconnected', async () => {
    const client = await sockets.open({ autoPong: false });
    await sockets.watch(client);
    const silentSince = sockets.current.now();
    await sockets.current.passUntil(() => sockets.current.ends.includes('client'));
    expect(sockets.current.now() - silentSince).toBeLessThan(35 * SECOND);
    expect((await client.closed)[0]).toBe(1006);
    // Another one is alive as long as it likes.
    const alive = await sockets.open();
    await sockets.watch(alive);
    await sockets.pass(60 * SECOND);
    expect(alive.isClosed()).toBe(false);
  });

  test('a socket without a subscription is closed after a minute', async () => {
    const client = await sockets.open();
    await sockets.watch(client);
    client.send({ id: '1', type: 'complete' });
    await sockets.current.until(() => sockets.current.ends.includes('client'));
    await sockets.pass(55 * SECOND);
    expect(client.isClosed()).toBe(false);
    await sockets.current.passUntil(client.isClosed);
    expect(await client.closed).toEqual([1001, 'The socket has no subscription.']);
  });

  test('too many subscriptions on a socket: error for that one', async () => {
    await sockets.restart({ MAX_SUBSCRIPTIONS_PER_CONNECTION: '2' });
    const client = await sockets.open();
    for (const id of ['1', '2', '3', '4']) client.subscribe(id, QUERY);
    await sockets.current.until(() => client.ofType('error').length === 2);
    for (const id of ['3', '4'])
      expect(client.ofType('error', id)[0]?.payload[0]).toMatchObject({
        message: expect.stringContaining('MAX_SUBSCRIPTIONS_PER_CONNECTION'),
        extensions: { code: 'RATE_LIMITED' },
      });
    expect(
      await sockets.metric('live_refused_total{limit="MAX_SUBSCRIPTIONS_PER_CONNECTION"}'),
    ).toBe(2);
    client.send({ id: '1', type: 'complete' });
    await sockets.watch(client, '5');
  });
});
