import { describe, expect, test } from 'vitest';
import { QUERY, SECOND, statuses, useWebSocketGateway } from '../support/web-socket-gateway.ts';

const sockets = useWebSocketGateway();

describe('Subscription over a WebSocket', () => {
  test('the client gets the present state, each change, and complete', async () => {
    const client = await sockets.open();
    await sockets.watch(client);
    expect(
      await sockets.metric('live_subscriptions{field="callUpdated",transport="websocket"}'),
    ).toBe(1);
    sockets.current.putCall({ id: 'c1', status: 'completed' });
    await sockets.current.passUntil(() => client.ofType('complete').length === 1);
    expect(client.texts).toEqual([
      '{"type":"connection_ack"}',
      '{"id":"1","type":"next","payload":{"data":{"callUpdated":{"status":"CALLING"}}}}',
      '{"id":"1","type":"next","payload":{"data":{"callUpdated":{"status":"COMPLETED"}}}}',
      '{"id":"1","type":"complete"}',
    ]);
    expect(sockets.current.traffic()).toEqual(['GET /call/c1', 'GET /call/c1']);
    expect(await sockets.metric('live_ends_total{transport="websocket",reason="over"}')).toBe(1);
    // The upgrade, and one line for the stream.
    expect(sockets.current.ends).toEqual(expect.arrayContaining(['101', 'over']));
    expect(sockets.current.ends.filter((end) => end !== '101' && end !== '200')).toEqual(['over']);
  });

  test('streams of a socket, of other sockets and of SSE share polls and executions', async () => {
    const clients = [await sockets.open(), await sockets.open()];
    for (const client of clients) for (const id of ['a', 'b"\\']) await sockets.watch(client, id);
    const response = await fetch(sockets.current.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: QUERY }),
    });
    expect(await sockets.metric('live_cohorts')).toBe(1);
    sockets.current.putCall({ id: 'c1', status: 'completed' });
    const text = response.text();
    await sockets.current.passUntil(() =>
      clients.every((each) => each.ofType('complete').length === 2),
    );
    expect(await text).toContain('COMPLETED');
    for (const client of clients)
      for (const id of ['a', 'b"\\'])
        expect(statuses(client, id)).toEqual(['CALLING', 'COMPLETED']);
    expect(sockets.current.traffic()).toEqual(['GET /call/c1', 'GET /call/c1']);
    expect(await sockets.metric('live_events_total{field="callUpdated",source="poll"}')).toBe(2);
  });

  test('a client that completes a subscription gets no more events of it, and its call is polled no more', async () => {
    const client = await sockets.open();
    await sockets.watch(client, '1');
    await sockets.watch(client, '2', QUERY.replace('c1', 'c2'));
    client.send({ id: '1', type: 'complete' });
    await sockets.current.until(() => sockets.current.ends.includes('client'));
    sockets.current.traffic();
    sockets.current.putCall({ id: 'c1', status: 'completed' });
    await sockets.pass(5 * SECOND);
    expect(sockets.current.traffic()).not.toContain('GET /call/c1');
    expect(client.ofType('next', '1')).toHaveLength(1);
    expect(statuses(client, '2')).toEqual(['CALLING']);
    expect(client.ofType('complete')).toEqual([]);
  });

  test('an id is free as soon as its subscription is complete, even while it is being opened', async () => {
    const client = await sockets.open();
    // In one write: the server reads them together.
    client.socket.pause();
    client.subscribe('1', QUERY.replace('c1', 'missing'));
    client.send({ id: '1', type: 'complete' });
    client.subscribe('1', QUERY);
    client.send({ id: '1', type: 'complete' });
    client.subscribe('1', QUERY);
    client.socket.resume();
    await sockets.current.until(() => client.ofType('next', '1').length > 0);
    sockets.current.putCall({ id: 'c1', status: 'completed' });
    await sockets.current.passUntil(() => client.ofType('complete').length > 0);
    await sockets.pass(3 * SECOND);
    expect(statuses(client)).toEqual(['CALLING', 'COMPLETED']);
    expect(client.ofType('complete')).toHaveLength(1);
    expect(await sockets.metric('live_cohorts')).toBe(0);
    expect(
      await sockets.metric('live_subscriptions{field="callUpdated",transport="websocket"}'),
    ).toBe(0);
  });

  test('an id has at most 256 characters', async () => {
    const client = await sockets.open();
    await sockets.watch(client, 'x'.repeat(256));
    client.subscribe('x'.repeat(257), QUERY);
    expect(await client.closed).toEqual([
      4400,
      'The id of a subscription must have at most 256 characters.',
    ]);
    expect(sockets.current.traffic()).toEqual(['GET /call/c1']);
  });

  test('a client that leaves ends its streams', async () => {
    const client = await sockets.open();
    await sockets.watch(client);
    client.socket.terminate();
    await sockets.current.until(() => sockets.current.ends.includes('client'));
    sockets.current.traffic();
    await sockets.pass(5 * SECOND);
    expect(sockets.current.traffic()).toEqual([]);
  });

  test.each([
    ['{ __typename }', 'A WebSocket carries only subscriptions', 'BAD_USER_INPUT'],
    ['mutation { x }', 'A WebSocket carries only subscriptions', 'BAD_USER_INPUT'],
    ['subscription {', 'Syntax Error', 'GRAPHQL_PARSE_FAILED'],
    [
      'subscription { callUpdated(id: "c1") { x } }',
      'Cannot query field',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['', 'query', 'BAD_USER_INPUT'],
  ])('%j gets an error, and the socket stays open', async (query, message, code) => {
    const client = await sockets.open();
    client.subscribe('1', query);
    await sockets.current.until(() => client.ofType('error').length === 1);
    const error = client.ofType('error')[0]?.payload[0];
    expect(error.message).toContain(message);
    expect(error.extensions.code).toBe(code);
    await sockets.watch(client, '2');
    expect(client.ofType('complete')).toEqual([]);
    expect(sockets.current.traffic()).toEqual(['GET /call/c1']);
  });

  test('cost, trusted documents and subscription limits are those of every other request', async () => {
    await sockets.restart({ MAX_SUBSCRIPTION_COST: '3', MAX_SUBSCRIPTIONS: '1' });
    const client = await sockets.open();
    client.subscribe('1', 'subscription { callUpdated(id: "c1") { id status direction } }');
    await sockets.current.until(() => client.ofType('error', '1').length === 1);
    expect(client.ofType('error', '1')[0]?.payload[0].extensions.code).toBe(
      'OPERATION_TOO_COMPLEX',
    );
    await sockets.watch(client, '2');
    client.subscribe('3', QUERY);
    await sockets.current.until(() => client.ofType('error', '3').length === 1);
    expect(client.ofType('error', '3')[0]?.payload[0]).toMatchObject({
      message: expect.stringContaining('MAX_SUBSCRIPTIONS'),
      extensions: { code: 'RATE_LIMITED', retryAfter: 5 },
    });
  });

  test('an operation by its hash is found, with the empty query that the protocol demands', async () => {
    const client = await sockets.open();
    const hash = Buffer.from(
      await crypto.subtle.digest('SHA-256', new TextEncoder().encode(QUERY)),
    ).toString('hex');
    const extensions = { persistedQuery: { version: 1, sha256Hash: hash } };
    client.subscribe('1', '', { extensions });
    await sockets.current.until(() => client.ofType('error', '1').length === 1);
    expect(client.ofType('error', '1')[0]?.payload[0].extensions.code).toBe(
      'PERSISTED_QUERY_NOT_FOUND',
    );
    client.subscribe('2', QUERY, { extensions });
    await sockets.current.until(() => client.ofType('next', '2').length === 1);
    client.subscribe('3', '', { extensions });
    await sockets.current.until(() => client.ofType('next', '3').length === 1);
  });
});
