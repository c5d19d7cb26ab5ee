import { describe, expect, test } from 'vitest';
import {
  createTestSandbox,
  type DiagnosisOptions,
  diagnose,
  runAsText,
  STARTED_AT,
} from './doctor-scene.ts';

interface Failure extends DiagnosisOptions {
  readonly check?: string;
  readonly verdict: string;
  readonly advice?: Readonly<Record<string, string>>;
  readonly exitCode?: 0 | 1 | 2;
  readonly traffic?: readonly string[];
}

const page = { contentType: 'text/html', status: 200 };

describe('Doctor and an upstream that does not work', () => {
  const failures: Readonly<Record<string, Failure>> = {
    'refuses the key': {
      settings: { REVOX_API_KEY: 'sk_unknown' },
      check: 'key',
      verdict:
        'failure: localhost rejects the key (status 401). Check that the key is complete, belongs to this API, and was not revoked.',
    },
    'forbids the key to read': {
      prepare: ({ control }) => control.fail('/assistants', { status: 403 }),
      check: 'key',
      verdict:
        'failure: localhost does not allow the key to read its data (status 403). Check the permissions of the key, and the firewalls in front of the server.',
    },
    'needs a key, and gets none': {
      settings: { REVOX_API_KEY: undefined },
      check: 'key',
      verdict:
        'finding: There is no key, so nothing else was checked (a made-up key gets 401): set REVOX_API_KEY, or use --api-key-stdin.',
      exitCode: 2,
    },
    'accepts a made-up key where none is set': {
      settings: { REVOX_API_KEY: undefined },
      sandbox: { acceptsAnyKey: true },
      check: 'key',
      verdict:
        'finding: There is no key, so nothing else was checked, and the API accepts a made-up one: set REVOX_API_KEY, or use --api-key-stdin.',
      exitCode: 2,
    },
    'redirects the apex domain': {
      settings: { REVOX_BASE_URL: 'https://getrevox.example/api' },
      prepare: ({ control }) =>
        control.fail('', {
          status: 301,
          headers: { location: 'https://www.getrevox.example/api/assistants' },
        }),
      verdict:
        'failure: getrevox.example redirects to www.getrevox.example (status 301), and the gateway follows no redirect. If www.getrevox.example is the right server, set REVOX_BASE_URL to its address.',
      advice: { REVOX_BASE_URL: 'https://www.getrevox.example/api' },
    },
    'redirects http to https': {
      settings: { REVOX_BASE_URL: 'http://www.getrevox.example/api' },
      prepare: ({ control }) =>
        control.fail('', {
          status: 308,
          headers: { location: 'https://www.getrevox.example/api/assistants' },
        }),
      verdict:
        'failure: www.getrevox.example redirects to another address of its own (status 308), and the gateway follows no redirect. Check the scheme, the host and the path of REVOX_BASE_URL.',
      advice: { REVOX_BASE_URL: 'https://www.getrevox.example/api' },
    },
    'redirects to a login page': {
      settings: { REVOX_BASE_URL: 'https://www.getrevox.example/api' },
      prepare: ({ control }) =>
        control.fail('', { status: 302, headers: { location: '/login?next=%2Fapi' } }),
      verdict:
        'failure: www.getrevox.example redirects to another address of its own (status 302), and the gateway follows no redirect. Check the scheme, the host and the path of REVOX_BASE_URL.',
      advice: {},
    },
    'redirects to a target with a command for a shell': {
      prepare: ({ control }) =>
        control.fail('', {
          status: 302,
          headers: { location: 'https://x.example/$(reboot);/assistants' },
        }),
      verdict:
        'failure: localhost redirects to x.example (status 302), and the gateway follows no redirect. If x.example is the right server, set REVOX_BASE_URL to its address.',
      advice: {},
    },
    'redirects to nowhere': {
      prepare: ({ control }) => control.fail('', { status: 302, headers: { location: 'http://' } }),
      verdict:
        'failure: localhost redirects (status 302), and the gateway follows no redirect. Check the scheme, the host and the path of REVOX_BASE_URL.',
    },
    'serves a web page': {
      prepare: ({ control }) => control.corrupt('', '<!doctype html><title>Revox</title>', page),
      verdict:
        'failure: localhost sends HTML or XML instead of JSON (status 200). Another server, a login page, a firewall or a maintenance page responds. Check the host and the path of REVOX_BASE_URL.',
      advice: {},
    },
    'serves a web page where the path of the base URL is missing': {
      settings: { REVOX_BASE_URL: 'https://www.getrevox.example' },
      prepare: ({ control }) => control.corrupt('', '<!doctype html>', { ...page, status: 404 }),
      verdict:
        'failure: www.getrevox.example sends HTML or XML instead of JSON (status 404). Another server, a login page, a firewall or a maintenance page responds. REVOX_BASE_URL has no path. The path of the Revox API ends with /api.',
      advice: { REVOX_BASE_URL: 'https://www.getrevox.example/api' },
    },
    'has no list of assistants at its base URL': {
      settings: { REVOX_BASE_URL: 'http://localhost/api/v2' },
      verdict:
        'failure: localhost has no /assistants (status 404). Check the path of REVOX_BASE_URL: the gateway adds /assistants to it. The path of the Revox API ends with /api.',
      advice: {},
    },
    'is behind a firewall': {
      prepare: ({ control }) => control.corrupt('', '<html>', { ...page, status: 403 }),
      verdict:
        'failure: localhost sends HTML or XML instead of JSON (status 403). Another server, a login page, a firewall or a maintenance page responds. Check the host and the path of REVOX_BASE_URL.',
    },
    'fails with 503': {
      prepare: ({ control }) => control.fail('', { status: 503 }),
      verdict:
        'failure: localhost responds with an error of its own (status 503). The fault is in the server. The gateway needs no restart.',
    },
    'limits the rate from the first request on': {
      prepare: ({ control }) => control.fail('', { status: 429, headers: { 'retry-after': '30' } }),
      verdict:
        'failure: localhost limits the rate of requests (status 429). Try again in 30 seconds.',
    },
    'limits the rate until a date of its own clock': {
      prepare: ({ control }) =>
        control.fail('', {
          status: 429,
          headers: { 'retry-after': new Date(STARTED_AT + 90_000).toUTCString() },
        }),
      verdict:
        'failure: localhost limits the rate of requests (status 429). Try again in 90 seconds.',
    },
    'limits the rate without an end': {
      prepare: ({ control }) => control.fail('', { status: 429 }),
      verdict:
        'failure: localhost limits the rate of requests (status 429). Try again later, or ask for a higher limit.',
    },
    'rejects the request': {
      prepare: ({ control }) => control.fail('', { status: 418 }),
      verdict:
        'failure: localhost sends unexpected responses: status 418. Check the host and the path of REVOX_BASE_URL; if they are right, the server has changed.',
    },
    'sends text': {
      prepare: ({ control }) => control.corrupt('', 'It works!', { contentType: 'text/plain' }),
      verdict:
        'failure: localhost sends unexpected responses: not JSON. Check the host and the path of REVOX_BASE_URL; if they are right, the server has changed.',
    },
    'resets the connection': {
      prepare: ({ control }) => control.reset(''),
      verdict:
        'failure: localhost closes connections before the response is complete (ECONNRESET). The server or a proxy in front of it fails, or it expects TLS: then the URL must begin with https://.',
    },
    'is another API': {
      prepare: ({ control }) => {
        control.corrupt('/assistants', '{"data":[]}');
        control.fail('/call', { status: 404 });
      },
      check: 'endpoints',
      verdict:
        'failure: Neither GET /assistants nor GET /call responds as documented: check REVOX_BASE_URL.',
      traffic: ['/assistants', '/assistants', '/call?page=0&page_size=50'],
    },
  };

  test.each(Object.entries(failures))(
    'an upstream that %s is explained after one request',
    async (_, failure) => {
      const diagnosis = await diagnose(failure);

      expect(diagnosis.verdictOf(failure.check ?? 'connection')).toBe(failure.verdict);
      expect(diagnosis.exitCode).toBe(failure.exitCode ?? 1);
      if (failure.advice) expect(diagnosis.settings).toEqual(failure.advice);
      expect(diagnosis.traffic).toHaveLength(diagnosis.requests);
      if (failure.traffic) expect(diagnosis.traffic).toEqual(failure.traffic);
      else expect(diagnosis.requests).toBe(1);
    },
  );

  test('without a key, the result makes no statement about the rest of the API', async () => {
    const sandbox = createTestSandbox({});
    const { lines, exitCode } = await runAsText(
      { fetch: sandbox.fetch },
      { REVOX_API_KEY: undefined },
    );
    expect(exitCode).toBe(2);
    expect(lines.at(-1)).toBe(
      'The API responds; without a key, nothing more is known of it (1 request).',
    );
    expect(sandbox.log).toHaveLength(1);
  });
});
