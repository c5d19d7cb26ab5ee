import { type Duplex, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { GatewayError, UnauthenticatedError } from '#errors/gateway-error.ts';
import type { GraphQLSocket } from '#http/websocket/graphql-socket.ts';
import { createHandleUpgrade, type UpgradeOptions } from '#http/websocket/upgrade.ts';

const HANDSHAKE = {
  host: 'gateway.test',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAA+/==',
  'sec-websocket-protocol': 'graphql-transport-ws',
};
const KEY = { authorization: 'Bearer key' };
const SECRET = { 'router-authorization': 'secret' };

interface Scene extends Partial<UpgradeOptions> {
  /** Owners whose subscriptions are over a limit. */
  readonly refusedOwners?: readonly (string | undefined)[];
  /** Errors of the sessions, by the value of `authorization`. */
  readonly sessionErrors?: Readonly<Record<string, Error>>;
}

/** A gateway without a server. Everything that it does for an upgrade is an event, in order. */
function createScene({ refusedOwners = [], sessionErrors = {}, ...options }: Scene = {}) {
  const events: string[] = [];
  const handleUpgrade = createHandleUpgrade({
    subscriptions: {
      check(owner: string | undefined) {
        events.push(`check ${owner}`);
        if (refusedOwners.includes(owner))
          throw new GatewayError('RATE_LIMITED', 'Too many.', { retryAfter: 5 });
      },
      isDraining: () => false,
      connectionLimits: { maxSubscriptions: 5, keepAliveMs: 10_000 },
    } as never,
    isLoopbackOnly: false,
    corsOrigins: ['https://page.test'],
    onOriginRefused: (origin) => events.push(`origin ${origin}`),
    observeRequest: (_request, route) =>
      ({
        requestId: 'r1',
        onResponse: (status: number) => events.push(`${status} ${route}`),
        onError: (code: string) => events.push(code),
        onClientDisconnect: () => events.push('disconnect'),
      }) as never,
    route: '/graphql',
    unknownRoute: 'unknown',
    findPathError: ({ pathname }) =>
      pathname === '/graphql' ? undefined : new Response('nothing', { status: 404 }),
    async openSession({ headers }) {
      const key = headers.get('authorization') ?? 'none';
      events.push(`session ${key}`);
      const error = sessionErrors[key];
      if (error) throw error;
      return { callerKey: key, isCredentialAccepted: () => key === KEY.authorization } as never;
    },
    isRouter: (headers) => headers.get('router-authorization') === 'secret',
    hasTokens: false,
    now: () => 0,
    monotonicNow: () => 0,
    schema: undefined as never,
    maxMessageBytes: 1_000,
    unsentBudget: { reserve: () => () => {} },
    subscribe: () => Promise.reject(new Error('not expected')),
    startTimer: () => () => {},
    onUnexpectedError: (error) => events.push(String(error)),
    ...options,
  });

  function upgradeOn(server: Duplex, headers: Record<string, string>, url = '/graphql') {
    const request = { method: 'GET', url, headers: { ...HANDSHAKE, ...headers }, socket: server };
    return handleUpgrade(request as never, server, Buffer.alloc(0));
  }

  return {
    events,
    upgradeOn,
    /** @param properties of the connection */
    async upgrade(headers: Record<string, string> = {}, url = '/graphql', properties: object = {}) {
      const [client, server] = duplexPair();
      const response = text(client);
      const connection = Object.assign(server, properties);
      const opened = (await upgradeOn(connection, headers, url)) as GraphQLSocket | undefined;
      if (opened) server.end();
      const [head = '', body = ''] = (await response).split('\r\n\r\n');
      const isDestroyed = server.destroyed;
      server.destroy();
      return { opened, head, body, isDestroyed, status: Number(head.split(' ')[1]) };
    },
  };
}

describe('Origin of an upgrade', () => {
  test.each<[Record<string, string>, object]>([
    [{}, {}],
    [{ origin: 'https://page.test' }, {}],
    [{ origin: 'http://gateway.test' }, {}],
    [{ origin: 'http://gateway.test', host: 'gateway.test:80' }, {}],
    [{ origin: 'https://gateway.test', host: 'gateway.test:443' }, { encrypted: true }],
  ])('with %j it is accepted', async (headers, socket) => {
    const { upgrade, events } = createScene();
    const { status, opened } = await upgrade(headers, '/graphql', socket);
    expect([status, opened?.identity]).toEqual([101, undefined]);
    expect(events).toEqual(['check undefined', '101 /graphql']);
  });

  test.each([
    'https://evil.test',
    'http://page.test',
    'https://page.test.evil.test',
    'http://gateway.test:8080',
    'null',
    '',
  ])('the page %j is refused before its credential is read', async (origin) => {
    const { upgrade, events } = createScene();
    const { status, body } = await upgrade({ ...KEY, origin });
    expect([status, JSON.parse(body).errors[0].extensions.code]).toEqual([403, 'FORBIDDEN']);
    expect(events).toEqual([`origin ${origin}`, 'FORBIDDEN', '403 /graphql']);
  });
});

describe('Host of an upgrade', () => {
  test.each([
    ['gateway.test', 403],
    ['localhost:4000', 101],
    ['127.0.0.1', 101],
  ])('in local mode %s gets %i', async (host, expected) => {
    const { upgrade } = createScene({ isLoopbackOnly: true });
    expect((await upgrade({ host })).status).toBe(expected);
  });

  test('a host that is none gets 400', async () => {
    const { upgrade, events } = createScene();
    const { status, body } = await upgrade({ ...KEY, host: 'a b' });
    expect([status, body]).toEqual([400, expect.stringContaining('do not form a valid URL')]);
    expect(events).toEqual(['BAD_USER_INPUT', '400 unknown']);
  });
});

describe('Credential of an upgrade', () => {
  const missing = new UnauthenticatedError('No key.');

  test('its owner must have a free subscription', async () => {
    const accepted = createScene();
    const { status, opened } = await accepted.upgrade(KEY);
    expect([status, opened?.identity?.session.callerKey]).toEqual([101, 'Bearer key']);
    expect(opened?.identity?.headers.get('authorization')).toBe('Bearer key');
    const checks = ['check undefined', 'session Bearer key', 'check Bearer key'];
    expect(accepted.events).toEqual([...checks, '101 /graphql']);
    const refused = createScene({ refusedOwners: ['Bearer key'] });
    expect((await refused.upgrade(KEY)).status).toBe(429);
    expect(refused.events).toEqual([...checks, 'RATE_LIMITED', '429 /graphql']);
  });

  test('a full gateway refuses before the credential is read', async () => {
    const { upgrade, events } = createScene({ refusedOwners: [undefined] });
    const { status, head } = await upgrade(KEY);
    expect([status, head.includes('\r\nretry-after: 5')]).toEqual([429, true]);
    expect(events).toEqual(['check undefined', 'RATE_LIMITED', '429 /graphql']);
  });

  test('a router may leave the key to connection_init, and no other client', async () => {
    const sessionErrors = { none: missing, 'Bearer bad': missing };
    const statusOf = async (headers: Record<string, string>) => {
      const { status, opened } = await createScene({ sessionErrors }).upgrade(headers);
      return [status, opened?.identity];
    };
    expect(await statusOf(SECRET)).toEqual([101, undefined]);
    expect(await statusOf({ 'router-authorization': 'wrong' })).toEqual([401, undefined]);
    expect(await statusOf({ ...SECRET, authorization: 'Bearer bad' })).toEqual([401, undefined]);
    expect(await statusOf({ authorization: 'Bearer bad' })).toEqual([401, undefined]);
  });

  test('a router whose session is refused for another reason than the key is refused', async () => {
    const sessionErrors = { none: new GatewayError('RATE_LIMITED', 'Too many.') };
    expect((await createScene({ sessionErrors }).upgrade(SECRET)).status).toBe(429);
  });
});

describe('Refused upgrade', () => {
  test('is a whole response, and its connection is closed', async () => {
    const { upgrade } = createScene({ subscriptions: undefined });
    const { head, body, isDestroyed, opened } = await upgrade(KEY);
    const [statusLine, ...headers] = head.split('\r\n');
    expect(statusLine).toBe('HTTP/1.1 400 Bad Request');
    expect(Object.fromEntries(headers.map((line) => line.split(': ')))).toMatchObject({
      connection: 'close',
      'content-length': String(Buffer.byteLength(body)),
      'x-content-type-options': 'nosniff',
      'x-request-id': 'r1',
    });
    expect(JSON.parse(body).errors[0].message).toContain('SUBSCRIPTIONS');
    expect([isDestroyed, opened]).toEqual([true, undefined]);
  });

  test('a path without subscriptions is observed as one', async () => {
    const { upgrade, events } = createScene();
    const { status, body } = await upgrade(KEY, '/other');
    expect([status, body]).toEqual([404, 'nothing']);
    expect(events).toEqual(['404 unknown']);
  });

  test('a bug is a 500 without details', async () => {
    const sessionErrors = { 'Bearer key': new Error('a detail') };
    const { upgrade, events } = createScene({ sessionErrors });
    const { status, body } = await upgrade(KEY);
    expect([status, body.includes('detail')]).toEqual([500, false]);
    expect(JSON.parse(body).errors[0].extensions.code).toBe('INTERNAL_SERVER_ERROR');
    expect(events.slice(2)).toEqual(['Error: a detail', 'INTERNAL_SERVER_ERROR', '500 /graphql']);
  });

  test('a client that disconnects during the checks gets nothing', async () => {
    const [client, server] = duplexPair();
    const opening = Promise.withResolvers<never>();
    const scene = createScene({
      async openSession() {
        server.destroy(new Error('reset'));
        return await opening.promise;
      },
    });
    const upgraded = scene.upgradeOn(server, KEY);
    client.resume();
    await new Promise(setImmediate);
    opening.resolve({ callerKey: 'a', isCredentialAccepted: () => false } as never);
    expect(await upgraded).toBeUndefined();
    expect(scene.events.at(-1)).toBe('disconnect');
  });
});
