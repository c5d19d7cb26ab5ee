import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { explainListenError } from '#config/listen-error.ts';
import { holdPort } from '../sockets/demo-process.ts';

/** The error of a server that cannot listen. */
function listenError(port: number, host: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => reject(new Error('The server listens.'))));
  });
}

test('a port in use is explained by the settings that name a port', async () => {
  const held = await holdPort();

  const error = await listenError(held.port, '127.0.0.1');

  expect(explainListenError(error, 'PORT')).toBe(
    `The address 127.0.0.1:${held.port} is in use (EADDRINUSE). Set PORT to another port.`,
  );
  await held.release();
});

test('an address of another machine is explained by HOST', async () => {
  // TEST-NET-1 (RFC 5737): no machine has this address.
  const error = await listenError(0, '192.0.2.1');

  expect(explainListenError(error, 'PORT')).toBe(
    'HOST must be an address of this machine, and 192.0.2.1 is not (EADDRNOTAVAIL).',
  );
});

test('a host name without an address is explained by HOST', async () => {
  const error = await listenError(0, 'nowhere.invalid');

  expect(explainListenError(error, 'PORT')).toMatch(
    /^HOST must be an address or a name with an address, and nowhere\.invalid has none \((ENOTFOUND|EAI_AGAIN)\)\.$/,
  );
});

test('a port that the process may not use is explained by the settings that name a port', () => {
  const error = Object.assign(new Error('listen EACCES'), { code: 'EACCES', port: 80 });

  expect(explainListenError(error, 'PORT or SANDBOX_PORT')).toBe(
    'The process is not allowed to listen on port 80 (EACCES). Set PORT or SANDBOX_PORT to another port, for example from 1024 on.',
  );
});

test.each([
  ['::1', 'The address [::1]:80 is in use (EADDRINUSE). Set PORT to another port.'],
  ['127.0.0.1', 'The address 127.0.0.1:80 is in use (EADDRINUSE). Set PORT to another port.'],
])('the address %s of a port in use is written as in a URL', (address, message) => {
  const error = Object.assign(new Error('in use'), { code: 'EADDRINUSE', port: 80, address });
  expect(explainListenError(error, 'PORT')).toBe(message);
});

test.each(['ENOTFOUND', 'EAI_AGAIN'])(
  'the error %s of a host name is explained by HOST',
  (code) => {
    const error = Object.assign(new Error('getaddrinfo'), { code, hostname: 'nowhere.invalid' });
    expect(explainListenError(error, 'PORT')).toBe(
      `HOST must be an address or a name with an address, and nowhere.invalid has none (${code}).`,
    );
  },
);

test.each(['EMFILE', 'ENOENT', 'EADDRINUSED', 'EAI_FAIL', 'EPERM', ''])(
  'the error %s is not explained, because no setting causes it',
  (code) => {
    const error = Object.assign(new Error('listen'), { code, port: 80, hostname: 'a.test' });
    expect(explainListenError(error, 'PORT')).toBeUndefined();
  },
);

test('a file that the process may not open is no matter of the port', () => {
  const error = Object.assign(new Error('open'), { code: 'EACCES' });
  expect(explainListenError(error, 'PORT')).toBeUndefined();
});

test('an error that no setting causes is not explained', () => {
  expect(explainListenError(new Error('unexpected'), 'PORT')).toBeUndefined();
  expect(explainListenError('unexpected', 'PORT')).toBeUndefined();
});
