import { describe, expect, test } from 'vitest';
import type { SocketClient } from '../support/socket-client.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { QUERY, SECOND, useWebSocketGateway } from '../support/web-socket-gateway.ts';

const sockets = useWebSocketGateway();

describe('Protocol violations', () => {
  test.each<[string, number, (client: SocketClient) => void]>([
    ['invalid JSON', 4400, ({ send }) => send('{')],
    ['JSON that is no message', 4400, ({ send }) => send('[1]')],
    ['an unknown type', 4400, ({ send }) => send({ type: 'start' })],
    [
      'a subscribe without id',
      4400,
      ({ send }) => send({ type: 'subscribe', payload: { query: '' } }),
    ],
    [
      'a binary message',
      4400,
      ({ socket }) => socket.send(Buffer.from('{"type":"ping"}'), { binary: true }),
    ],
    ['a second connection_init', 4429, ({ send }) => send({ type: 'connection_init' })],
    ['a message over MAX_BODY_BYTES', 1009, ({ send }) => send('x'.repeat(2_000_000))],
  ])('%s: %i', async (_name, code, violate) => {
    const client = await sockets.open();
    violate(client);
    expect((await client.closed)[0]).toBe(code);
    expect(sockets.current.traffic()).toEqual([]);
    await sockets.current.until(() => sockets.current.ends.length > 0);
  });

  test('the id of an open subscription: 4409', async () => {
    const client = await sockets.open();
    await sockets.watch(client);
    client.subscribe('1', QUERY);
    expect((await client.closed)[0]).toBe(4409);
    await sockets.current.until(() => sockets.current.ends.includes('client'));
  });

  test('a subscription before connection_init: 4401', async () => {
    const client = await sockets.open({ init: false });
    client.subscribe('1', QUERY);
    expect((await client.closed)[0]).toBe(4401);
    expect(sockets.current.traffic()).toEqual([]);
  });

  test('no connection_init for 3 s: 4408', async () => {
    const client = await sockets.open({ init: false });
    expect((await client.closed)[0]).toBe(4408);
  });

  test('text that is not UTF-8: 1007', async () => {
    const client = await sockets.open();
    client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect((await client.closed)[0]).toBe(1007);
  });

  test('a message in many fragments is one message', async () => {
    const client = await sockets.open();
    const text = JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } });
    for (const [index, character] of [...text].entries())
      client.socket.send(character, { fin: index === text.length - 1 });
    await sockets.current.until(() => client.ofType('next').length > 0);
  });

  test('pings of the protocol are answered with their payload', async () => {
    const client = await sockets.open();
    client.send({ type: 'ping', payload: { x: 1 } });
    client.send({ type: 'ping' });
    client.send({ type: 'pong' });
    await sockets.current.until(() => client.ofType('pong').length === 2);
    expect(client.ofType('pong')).toEqual([{ type: 'pong', payload: { x: 1 } }, { type: 'pong' }]);
  });
});

describe('Hostile clients', () => {
  test('megabytes of messages before connection_init: 1009, and other clients are served', async () => {
    const client = await sockets.open({ init: false });
    for (let index = 0; index < 10_000; index += 1) client.send({ type: 'ping' });
    const other = await sockets.open();
    await sockets.watch(other);
    expect((await client.closed)[0]).toBe(1009);
    expect(client.messages.length).toBeLessThan(5_000);
  });

  test('parts of one byte count as more: 1009 before connection_init', async () => {
    const client = await sockets.open({ init: false });
    let sent = 0;
    const isClosed = () => client.isClosed() || client.socket.readyState !== client.socket.OPEN;
    for (; sent < 20_000 && !isClosed(); sent += 1) {
      client.socket.send(sent === 0 ? '{' : ' ', { fin: false });
      await new Promise(setImmediate);
    }
    expect((await client.closed)[0]).toBe(1009);
    expect(7 * sent).toBeLessThan(65_536);
    expect(sockets.current.traffic()).toEqual([]);
  });

  test('a message in more than a thousand fragments: 1008', async () => {
    const client = await sockets.open();
    for (let index = 0; index < 2_000; index += 1) client.socket.send(' ', { fin: false });
    expect((await client.closed)[0]).toBe(1008);
    expect(sockets.current.traffic()).toEqual([]);
  });

  test('a flood of pings does not keep out other clients', async () => {
    const flood = await sockets.open();
    for (let index = 0; index < 20_000; index += 1) flood.send({ type: 'ping' });
    const other = await sockets.open();
    await sockets.watch(other);
    expect(flood.ofType('pong').length).toBeLessThan(20_000);
    await sockets.current.until(() => flood.ofType('pong').length === 20_000);
  });

  test('a flood of pings whose answers are not read: 1013', async () => {
    const flood = await sockets.open();
    await sockets.watch(flood);
    flood.socket.pause();
    const payload = { x: 'x'.repeat(10_000) };
    for (let index = 0; index < 3_000; index += 1) flood.send({ type: 'ping', payload });
    await sockets.watch(await sockets.open());
    await sockets.current.until(() => sockets.current.ends.includes('slow'));
    flood.socket.resume();
    expect((await flood.closed)[0]).toBe(1013);
  });

  test('a thousand subscriptions at once: the limit holds, and one poll serves all', async () => {
    const client = await sockets.open();
    for (let index = 0; index < 1_000; index += 1) client.subscribe(String(index), QUERY);
    await sockets.current.until(
      () => client.ofType('next').length + client.ofType('error').length >= 1_000,
    );
    expect(client.ofType('next')).toHaveLength(100);
    expect(sockets.current.traffic()).toEqual(['GET /call/c1']);
    client.socket.terminate();
    await sockets.current.until(
      () => sockets.current.ends.filter((end) => end === 'client').length === 100,
    );
  });

  test('a storm of reconnects leaves nothing behind', async () => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => sockets.open()));
    for (const [index, client] of clients.entries()) {
      client.subscribe('1', QUERY);
      if (index % 2) client.socket.terminate();
      else client.socket.close();
    }
    await Promise.all(clients.map(({ closed }) => closed));
    await sockets.pass(5 * SECOND);
    sockets.current.traffic();
    await sockets.pass(10 * SECOND);
    expect(sockets.current.traffic()).toEqual([]);
    expect(
      await sockets.metric('live_subscriptions{field="callUpdated",transport="websocket"}'),
    ).toBe(0);
    expect(await sockets.metric('live_cohorts')).toBe(0);
  });

  test('parts of a large message count for its sender, and are given back', async () => {
    await sockets.restart({ REVOX_API_KEY: '', MAX_BODY_BYTES: '1048576' });
    const init = { authorization: 'Bearer made-up' };
    // Callers that Revox has not accepted share half of 64 MiB.
    const clients = await Promise.all(Array.from({ length: 40 }, () => sockets.open({ init })));
    for (const { socket } of clients) socket.send('x'.repeat(1_000_000), { fin: false });
    await sockets.current.until(() => clients.some((client) => client.isClosed()));
    const closed = clients.filter((client) => client.isClosed());
    expect((await closed[0]!.closed)[0]).toBe(1013);
    const good = await sockets.open({ init: { authorization: `Bearer ${KEY_A}` } });
    await sockets.watch(good);
    for (const { socket } of clients) socket.terminate();
    const [first] = clients;
    if (first) await first.closed;
    const other = await sockets.open({ init });
    other.subscribe('1', `# ${'x'.repeat(100_000)}\n${QUERY}`);
    await sockets.current.passUntil(() => other.messages.length > 1 || other.isClosed());
    expect(other.ofType('error')[0]?.payload[0].extensions.code).not.toBe('RATE_LIMITED');
  });
});
