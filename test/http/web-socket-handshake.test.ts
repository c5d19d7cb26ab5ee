import { describe, expect, test } from 'vitest';
import { GatewayError, UnauthenticatedError } from '#errors/gateway-error.ts';
import { BUG, toBoundedReason, toClosing } from '#http/websocket/close-codes.ts';
import {
  hasCredential,
  toInitHeaders,
  toSocketHeaders,
} from '#http/websocket/connection-credential.ts';
import { findHandshakeError } from '#http/websocket/handshake.ts';

const HANDSHAKE = {
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAA+/==',
  'sec-websocket-protocol': 'graphql-transport-ws',
};

async function refusalOf(headers: Record<string, string | undefined>, method = 'GET') {
  const present = Object.entries({ ...HANDSHAKE, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const response = findHandshakeError({
    method,
    url: 'http://localhost/graphql',
    headers: new Headers(present),
  });
  if (!response) return undefined;
  const { errors } = (await response.json()) as {
    errors: [{ message: string; extensions: object }];
  };
  expect(errors[0].extensions).toEqual({ code: 'BAD_USER_INPUT' });
  expect(response.headers.get('allow')).toBe(response.status === 405 ? 'GET' : null);
  return [response.status, errors[0].message];
}

describe('Handshake of a WebSocket', () => {
  test.each([
    {},
    { upgrade: 'WebSocket' },
    { 'sec-websocket-protocol': 'other, graphql-transport-ws' },
    { 'sec-websocket-protocol': "graphql-transport-ws,a!#$%&'*+.^_`|~-9" },
  ])('with %j succeeds', async (headers) => {
    expect(await refusalOf(headers)).toBeUndefined();
  });

  test.each([
    [{ upgrade: undefined }, 400, 'upgrade to is `websocket`'],
    [{ upgrade: 'h2c' }, 400, 'upgrade to is `websocket`'],
    [{ 'sec-websocket-version': '8' }, 426, 'Sec-WebSocket-Version must be 13'],
    [{ 'sec-websocket-version': undefined }, 426, 'Sec-WebSocket-Version must be 13'],
    [{ 'sec-websocket-key': undefined }, 400, 'Sec-WebSocket-Key'],
    [{ 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA=' }, 400, 'Sec-WebSocket-Key'],
    [{ 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAAA==' }, 400, 'Sec-WebSocket-Key'],
    [{ 'sec-websocket-protocol': undefined }, 400, 'graphql-transport-ws'],
    [{ 'sec-websocket-protocol': 'graphql-ws' }, 400, 'graphql-transport-ws'],
    [{ 'sec-websocket-protocol': 'graphql-transport-ws,a b' }, 400, 'graphql-transport-ws'],
    [{ 'sec-websocket-protocol': 'graphql-transport-ws,' }, 400, 'graphql-transport-ws'],
    [{ 'sec-websocket-protocol': 'graphql-transport-ws,x,x' }, 400, 'graphql-transport-ws'],
  ])('with %j gets %i', async (headers, status, message) => {
    expect(await refusalOf(headers)).toEqual([status, expect.stringContaining(message)]);
  });

  test('by another method than GET gets 405', async () => {
    expect(await refusalOf({}, 'POST')).toEqual([405, 'A WebSocket is opened by GET.']);
  });
});

describe('Credential of a WebSocket', () => {
  const init = (params: unknown, upgrade: Record<string, string> = {}) =>
    Object.fromEntries(toInitHeaders(new Headers(upgrade), params));

  test.each<[unknown, Record<string, string>]>([
    [{ authorization: 'Bearer a' }, { authorization: 'Bearer a' }],
    [{ Authorization: 'Bearer a' }, { authorization: 'Bearer a' }],
    [{ headers: { AUTHORIZATION: 'Bearer a' } }, { authorization: 'Bearer a' }],
    [{ connectionParams: { token: 'Bearer a' } }, { authorization: 'Bearer a' }],
    [
      {
        authorization: 'Bearer a',
        headers: { authorization: 'Bearer b' },
        connectionParams: { token: 'c' },
      },
      { authorization: 'Bearer a' },
    ],
    [
      {
        authorization: null,
        headers: { authorization: 'Bearer b' },
        connectionParams: { token: 'c' },
      },
      { authorization: 'Bearer b' },
    ],
    [{ 'router-authorization': 's' }, { 'router-authorization': 's' }],
    [
      { authorization: 'Bearer a', headers: { 'Router-Authorization': 's' } },
      { authorization: 'Bearer a', 'router-authorization': 's' },
    ],
    [{ authorization: 'x'.repeat(16_384) }, { authorization: 'x'.repeat(16_384) }],
    [{ authorization: '' }, { authorization: '' }],
    [{ token: 'Bearer a', headers: 'authorization', cookie: 'c' }, {}],
    [['Bearer a'], {}],
    ['Bearer a', {}],
    [null, {}],
    [undefined, {}],
  ])('connection_init with %j', (params, headers) => {
    expect(init(params)).toEqual(headers);
  });

  test.each([
    ['a number', 1],
    ['an object', {}],
    ['an array', ['Bearer a']],
    ['more than 16 KiB', 'x'.repeat(16_385)],
    ['a line break', 'Bearer a\r\nx: y'],
    ['a letter that no header has', 'Bearer é'],
    ['a control character', 'Bearer \u0007'],
  ])('%s is no credential', (_, authorization) => {
    expect(() => init({ authorization })).toThrow(
      new UnauthenticatedError(
        'The authorization of connection_init must be text, as in the header.',
      ),
    );
    expect(() => init({ 'router-authorization': authorization })).toThrow(UnauthenticatedError);
  });

  test('the headers of the upgrade that identify it are kept, and no others', () => {
    const kept = {
      'x-request-id': 'r',
      'x-revox-trace': '1',
      traceparent: 't',
      tracestate: 's',
    };
    const upgrade = { ...kept, cookie: 'c', 'last-event-id': 'over', accept: '*/*' };
    expect(init({ authorization: 'Bearer a' }, upgrade)).toEqual({
      ...kept,
      authorization: 'Bearer a',
    });
    const credential = { authorization: 'Bearer a', 'router-authorization': 's' };
    expect(Object.fromEntries(toSocketHeaders(new Headers({ ...upgrade, ...credential })))).toEqual(
      { ...kept, ...credential },
    );
  });

  test.each([
    ['router-authorization', 'authorization'],
    ['authorization', 'router-authorization'],
  ])('connection_init never replaces the %s of the upgrade', (ofUpgrade, ofInit) => {
    const params = { [ofUpgrade]: 'forged', headers: { [ofUpgrade]: 'forged', [ofInit]: 'i' } };
    expect(init(params, { [ofUpgrade]: 'u' })).toEqual({ [ofUpgrade]: 'u', [ofInit]: 'i' });
  });

  test.each([
    [{}, false],
    [{ cookie: 'c' }, false],
    [{ authorization: 'Bearer a' }, true],
    [{ 'router-authorization': 's' }, true],
  ])('an upgrade with %j carries one: %s', (headers, expected) => {
    expect(hasCredential(new Headers(headers as Record<string, string>))).toBe(expected);
  });
});

describe('Close frame', () => {
  test.each([
    ['x'.repeat(123), 'x'.repeat(123)],
    ['x'.repeat(124), `${'x'.repeat(120)}…`],
    ['é'.repeat(61), 'é'.repeat(61)],
    ['é'.repeat(62), `${'é'.repeat(60)}…`],
    ['', ''],
  ])('a reason has at most 123 bytes: %s', (reason, bounded) => {
    expect(toBoundedReason(reason)).toBe(bounded);
  });

  test.each([
    [new UnauthenticatedError('No key.'), { code: 4401, reason: 'No key.' }],
    [new GatewayError('FORBIDDEN', 'No page.'), { code: 4403, reason: 'No page.' }],
    [new GatewayError('RATE_LIMITED', 'Too many.'), { code: 1013, reason: 'Too many.' }],
    [new Error('secret'), BUG],
  ])('%s', (error, closing) => {
    expect(toClosing(error)).toEqual(closing);
  });
});
