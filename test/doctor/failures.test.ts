import { describe, expect, test } from 'vitest';
import { type DiagnosisOptions, diagnose } from './doctor-scene.ts';

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
        'failure: The API refuses the key (401): check that the key is complete, and that REVOX_BASE_URL is the server that issued it.',
    },
    'forbids the key to read': {
      prepare: ({ control }) => control.fail('/assistants', { status: 403 }),
      check: 'key',
      verdict:
        'failure: The API does not allow the key to read assistants (403): check its permissions, and firewalls between.',
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
        'failure: getrevox.example redirects to https://www.getrevox.example (301), and the gateway follows no redirect, which could carry the key to another server: set REVOX_BASE_URL to the target.',
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
        'failure: www.getrevox.example redirects to https://www.getrevox.example (308), and the gateway follows no redirect, which could carry the key to another server: set REVOX_BASE_URL to the target.',
      advice: { REVOX_BASE_URL: 'https://www.getrevox.example/api' },
    },
    'redirects to a login page': {
      settings: { REVOX_BASE_URL: 'https://www.getrevox.example/api' },
      prepare: ({ control }) =>
        control.fail('', { status: 302, headers: { location: '/login?next=%2Fapi' } }),
      verdict:
        'failure: www.getrevox.example redirects to another path (302), and the gateway follows no redirect, which could carry the key to another server: set REVOX_BASE_URL to the target.',
      advice: {},
    },
    'redirects to a target with a command for a shell': {
      prepare: ({ control }) =>
        control.fail('', {
          status: 302,
          headers: { location: 'https://x.example/$(reboot);/assistants' },
        }),
      verdict:
        'failure: localhost redirects to https://x.example (302), and the gateway follows no redirect, which could carry the key to another server: set REVOX_BASE_URL to the target.',
      advice: {},
    },
    'redirects to nowhere': {
      prepare: ({ control }) => control.fail('', { status: 302, headers: { location: 'http://' } }),
      verdict: 'failure: localhost redirects (302) without a usable target.',
    },
    'serves a web page': {
      prepare: ({ control }) => control.corrupt('', '<!doctype html><title>Revox</title>', page),
      verdict:
        'failure: localhost responds with a web page (status 200), not with JSON: check the path in REVOX_BASE_URL, which usually is /api.',
      advice: {},
    },
    'serves a web page where the path of the base URL is missing': {
      settings: { REVOX_BASE_URL: 'https://www.getrevox.example' },
      prepare: ({ control }) => control.corrupt('', '<!doctype html>', { ...page, status: 404 }),
      verdict:
        'failure: www.getrevox.example responds with a web page (status 404), not with JSON: REVOX_BASE_URL lacks a path, such as /api.',
      advice: { REVOX_BASE_URL: 'https://www.getrevox.example/api' },
    },
    'has no list of assistants at its base URL': {
      settings: { REVOX_BASE_URL: 'http://localhost/api/v2' },
      verdict:
        'failure: localhost has no /assistants at this base URL (404): check the path in REVOX_BASE_URL, which usually is /api.',
      advice: {},
    },
    'is behind a firewall': {
      prepare: ({ control }) => control.corrupt('', '<html>', { ...page, status: 403 }),
      verdict:
        'failure: localhost responds with a web page and status 403: a firewall or a login page stands in front of the API.',
    },
    'fails with 503': {
      prepare: ({ control }) => control.fail('', { status: 503 }),
      verdict: 'failure: The API fails with status 503: try again later.',
    },
    'limits the rate from the first request on': {
      prepare: ({ control }) => control.fail('', { status: 429, headers: { 'retry-after': '30' } }),
      verdict: 'failure: The API limits the rate of requests (429): try again in 30 seconds.',
    },
    'rejects the request': {
      prepare: ({ control }) => control.fail('', { status: 418 }),
      verdict: 'failure: The API rejects the request with status 418.',
    },
    'sends text': {
      prepare: ({ control }) => control.corrupt('', 'It works!', { contentType: 'text/plain' }),
      verdict:
        'failure: localhost responds with status 200 and a body that is not JSON: check the path in REVOX_BASE_URL, which usually is /api.',
    },
    'resets the connection': {
      prepare: ({ control }) => control.reset(''),
      verdict:
        'failure: localhost closes the connection without a response (ECONNRESET): if it expects TLS, REVOX_BASE_URL must begin with https://.',
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
    'an upstream that %s is explained in one sentence, after one request',
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
});
