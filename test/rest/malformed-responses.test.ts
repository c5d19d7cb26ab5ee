import { describe, expect, test } from 'vitest';
import { CALL, createConnectedGateway, failure } from './connected-gateway.ts';
import { listen, listenTcp, sendJson } from './real-server.ts';

describe('Malformed upstream responses', () => {
  const INVALID = [
    { name: 'JSON that ends early', body: '{"call":{"id":"c"' },
    { name: 'HTML', body: '<!doctype html><title>Login</title>', type: 'text/html' },
    { name: 'an empty body', body: '' },
    { name: 'another envelope', body: '{"data":{"id":"c"}}' },
    { name: 'no envelope', body: '{"id":"c"}' },
    { name: 'a list', body: '[{"id":"c"}]' },
    { name: 'null', body: 'null' },
    { name: 'null within', body: '{"call":null}' },
    { name: 'a call without an id', body: '{"call":{}}' },
    { name: 'a call with an empty id', body: '{"call":{"id":""}}' },
    { name: 'a list of calls', body: '{"call":[{"id":"c"}]}' },
    { name: 'two documents', body: '{"call":{"id":"c"}}{}' },
    { name: 'another encoding', body: Buffer.from('{"call":{"id":"c"}}', 'utf16le') },
  ];

  test.each(INVALID)(
    'a 200 response with $name is UPSTREAM_INVALID_RESPONSE',
    async ({ body, type = 'application/json' }) => {
      await using server = await listen((response) =>
        response.writeHead(200, { 'content-type': type }).end(body),
      );
      expect(await createConnectedGateway(server.origin)(CALL)).toEqual(
        failure('UPSTREAM_INVALID_RESPONSE'),
      );
      expect(server.requests).toHaveLength(1);
    },
  );

  test('a 204 response is UPSTREAM_INVALID_RESPONSE', async () => {
    await using server = await listen((response) => response.writeHead(204).end());
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual(
      failure('UPSTREAM_INVALID_RESPONSE'),
    );
  });

  test.each([
    { field: 'callAttempts { nodes { id } }', path: 'callAttempts' },
    { field: 'assistants { nodes { id } }', path: 'assistants' },
    { field: 'campaigns { nodes { id } }', path: 'campaigns' },
  ])('a malformed list costs its own field only: $path', async ({ field, path }) => {
    await using server = await listen((response, { url }) =>
      sendJson(
        response,
        url === '/api/call/c' ? { call: { id: 'c' } } : { calls: {}, assistants: null },
      ),
    );
    const { data, errors } = await createConnectedGateway(server.origin)(
      `{ call(id: "c") { id } ${field} }`,
    );
    expect(data).toEqual({ call: { id: 'c' }, [path]: null });
    expect(errors).toMatchObject([
      { path: [path], extensions: { code: 'UPSTREAM_INVALID_RESPONSE' } },
    ]);
  });

  test('JSON with a byte order mark or with another content type is accepted', async () => {
    await using server = await listen((response) =>
      response.writeHead(200, { 'content-type': 'text/plain' }).end('\ufeff{"call":{"id":"c"}}'),
    );
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual({
      data: { call: { id: 'c' } },
    });
  });

  test.each([
    { name: 'bare', body: { id: 'a', name: 'Ana' } },
    { name: 'wrapped', body: { assistant: { id: 'a', name: 'Ana' } } },
  ])('the gateway accepts an assistant that comes $name', async ({ body }) => {
    await using server = await listen((response) => sendJson(response, body));
    expect(
      await createConnectedGateway(server.origin)('{ assistant(id: "a") { id name } }'),
    ).toEqual({
      data: { assistant: { id: 'a', name: 'Ana' } },
    });
  });
});

describe('Size limit of upstream bodies', () => {
  test('the gateway stops reading a body at the size limit and closes the connection, even if the upstream keeps sending', async () => {
    const disconnected = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.on('close', disconnected.resolve);
      const chunk = Buffer.alloc(64 * 1024, ' ');
      const write = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', write);
      write();
    });
    const execute = createConnectedGateway(server.origin, { REVOX_MAX_RESPONSE_BYTES: '65536' });

    expect(await execute(CALL)).toEqual(failure('UPSTREAM_INVALID_RESPONSE'));
    await disconnected.promise;
  });

  test('a body of exactly the size limit is read, and one of one byte more is rejected', async () => {
    let bytes = 2048;
    await using server = await listen((response) =>
      response.end(JSON.stringify({ call: { id: 'c' } }).padEnd(bytes)),
    );
    const execute = createConnectedGateway(server.origin, { REVOX_MAX_RESPONSE_BYTES: '2048' });
    expect(await execute(CALL)).toEqual({ data: { call: { id: 'c' } } });
    bytes += 1;
    expect(await execute(CALL)).toEqual(failure('UPSTREAM_INVALID_RESPONSE'));
  });
});

const CALL_FIELD = 'call(id: "c") { id }';

describe('Message of a malformed response', () => {
  const deep = `${'['.repeat(300)}${']'.repeat(300)}`;

  test.each<[problem: string, field: string, body: string, headers?: Record<string, string>]>([
    ['not JSON', CALL_FIELD, 'oops'],
    ['nested too deeply', CALL_FIELD, `{"call":${deep}}`],
    ['too many bytes', CALL_FIELD, ' '.repeat(3_000_001)],
    ['too many values', CALL_FIELD, `[${'{},'.repeat(900_000)}{}]`.padEnd(2_900_000, ',')],
    ['an unknown encoding', CALL_FIELD, '{}', { 'content-encoding': 'zstd' }],
    ['a damaged encoding', CALL_FIELD, '{}', { 'content-encoding': 'gzip' }],
    ['HTML or XML, not JSON', CALL_FIELD, '<html></html>'],
    ['no call with an id', CALL_FIELD, '{"call":{}}'],
    ['no assistant with an id', 'assistant(id: "a") { id }', '{"name":"Ana"}'],
    ['no campaign with an id', 'campaign(id: "c") { id }', '{"campaign":[]}'],
    ['no list of calls', 'callAttempts { nodes { id } }', '{"calls":{}}'],
    ['no list of assistants', 'assistants { nodes { id } }', '[]'],
    ['no list of campaigns', 'campaigns { nodes { id } }', 'null'],
    [
      'a list in which no item has an id',
      'callAttempts { nodes { id } }',
      '{"calls":[{"id":""},{"id":null},5]}',
    ],
  ])('the message says "%s"', async (problem, field, body, headers = {}) => {
    await using server = await listen((response) =>
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body),
    );
    const execute = createConnectedGateway(server.origin, {
      REVOX_MAX_RESPONSE_BYTES: '3000000',
    });
    const { errors } = await execute(`{ ${field} }`);
    expect(errors).toMatchObject([
      {
        message: `The Revox API sent an unexpected response: ${problem}.`,
        extensions: { code: 'UPSTREAM_INVALID_RESPONSE' },
      },
    ]);
    expect(server.requests).toHaveLength(1);
  });
});

describe('Content-Length that is not the length of the body', () => {
  const BODY = '{"call":{"id":"c"}}';
  const OTHER = `HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY.replace('"c"', '"x"')}`;
  const [INVALID, BROKEN] = ['UPSTREAM_INVALID_RESPONSE', 'UPSTREAM_UNAVAILABLE'];

  test.each<[lengths: readonly string[], code: string | undefined, rest?: string]>([
    [[String(BODY.length)], undefined],
    // Bytes after the body never become the response to the next request.
    [[String(BODY.length)], undefined, OTHER],
    [['0'], INVALID],
    [['5'], INVALID],
    [['5'], INVALID, OTHER],
    [[String(BODY.length + 1)], BROKEN],
    [['99999999'], BROKEN],
    [['-1'], BROKEN],
    [['2.5'], BROKEN],
    [['1e3'], BROKEN],
    [['0x13'], BROKEN],
    [['many'], BROKEN],
    [['19, 19'], BROKEN],
    [['99999999999999999999999999'], BROKEN],
    [['19', '20'], BROKEN],
  ])('`Content-Length: %s` is %s', async (lengths, code, rest = '') => {
    let connections = 0;
    await using server = await listenTcp((socket) => {
      connections += 1;
      const isFirst = connections === 1;
      socket.on('data', () => {
        const given = isFirst ? lengths : [String(BODY.length)];
        const head = given.map((length) => `content-length: ${length}\r\n`).join('');
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n${BODY}${isFirst ? rest : ''}`);
        if (isFirst && code === BROKEN) socket.end();
      });
    });
    const execute = createConnectedGateway(server.origin);
    expect(await execute(CALL)).toEqual(
      code === undefined ? { data: { call: { id: 'c' } } } : failure(code),
    );
    expect(connections).toBe(1);
    expect(await execute(CALL)).toEqual({ data: { call: { id: 'c' } } });
  });
});
