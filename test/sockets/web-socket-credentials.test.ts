import { describe, expect, test } from 'vitest';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
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

describe('Credential of a WebSocket', () => {
  // Where it may stand is in docs/reference/access-matrix.md.
  test.each<[string, Record<string, unknown>, string]>([
    ['none', {}, 'has no API key'],
    ['another scheme', { authorization: 'Basic eDp5' }, 'must have the form `Bearer <key>`'],
    ['no text', { authorization: { x: 1 } }, 'must be text'],
    ['a line break', { authorization: 'Bearer x\r\nx: y' }, 'must be text'],
    ['20,000 characters', { authorization: `Bearer ${'x'.repeat(20_000)}` }, 'must be text'],
  ])('%s: 4401', async (_name, init, reason) => {
    await sockets.restart({ REVOX_API_KEY: '' });
    const client = await sockets.open({ init });
    expect(await client.closed).toEqual([4401, expect.stringContaining(reason)]);
    expect(sockets.current.ends).toEqual(['101', '401']);
    expect(sockets.current.traffic()).toEqual([]);
  });

  test('router secrets: a wrong or missing one is 4401, a good one is accepted', async () => {
    await sockets.restart({ ROUTER_SECRETS: SECRET });
    for (const init of [{}, { 'router-authorization': 'wrong' }])
      expect((await (await sockets.open({ init })).closed)[0]).toBe(4401);
    for (const init of [
      { 'router-authorization': SECRET },
      { headers: { 'Router-Authorization': SECRET } },
    ])
      await sockets.watch(await sockets.open({ init }));
  });

  test('a token without the scope is 4403', async () => {
    const key = await createKey('k1');
    await sockets.restart(JWT_SETTINGS, {
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    const exp = Math.floor(sockets.current.now() / 1000) + 60;
    const token = await sign(key, { ...VALID_CLAIMS, scope: 'x', sub: 'u', exp });
    const client = await sockets.open({ init: { authorization: `Bearer ${token}` } });
    expect((await client.closed)[0]).toBe(4403);
  });

  test('two sockets with two keys see their own data only', async () => {
    await sockets.restart({ REVOX_API_KEY: '' });
    sockets.current.sandbox.control.putCall(KEY_B, {
      ...sockets.current.sandbox.control.data(KEY_B).calls[0]!,
      id: 'c1',
      status: 'completed',
      call_attempts: [],
      last_call_attempt: null,
    });
    const [a, b] = [
      await sockets.open({ init: { authorization: `Bearer ${KEY_A}` } }),
      await sockets.open({ init: { authorization: `Bearer ${KEY_B}` } }),
    ];
    a.subscribe('1', QUERY);
    b.subscribe('1', QUERY);
    await sockets.current.until(
      () => b.ofType('complete').length > 0 && a.ofType('next').length > 0,
    );
    await sockets.pass(5 * SECOND);
    expect([statuses(a), statuses(b)]).toEqual([['CALLING'], ['COMPLETED']]);
    // One poll of the ended call, and one each 2 s of the other one.
    expect(sockets.current.traffic().length).toBeLessThanOrEqual(5);
  });

  test('a made-up key: error and 4401, after one upstream request', async () => {
    await sockets.restart({ REVOX_API_KEY: '' });
    const client = await sockets.open({ init: { authorization: 'Bearer made-up' } });
    client.subscribe('1', QUERY);
    await sockets.current.passUntil(client.isClosed);
    expect((await client.closed)[0]).toBe(4401);
    expect(client.ofType('error')[0]?.payload[0].extensions.code).toBe('UNAUTHENTICATED');
    expect(sockets.current.traffic()).toEqual(['GET /call/c1']);
  });
});
