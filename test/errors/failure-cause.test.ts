import { describe, expect, test } from 'vitest';
import { describeFailure } from '#errors/describe-failure.ts';
import {
  FAILURE_CAUSE_KINDS,
  type FailureCause,
  toRedirectCause,
  toRequestTarget,
  toTransportCause,
} from '#errors/failure-cause.ts';

const SERVER = {
  url: 'https://api.test:8443/path-of-a-tenant',
  urlSetting: 'REVOX_BASE_URL',
  keySetting: 'REVOX_API_KEY',
};
const TARGET = toRequestTarget(SERVER.url, ['http://user:password@proxy.test:3128', undefined]);

const coded = (code: string, details: object = {}) =>
  Object.assign(new Error('at https://user:password@db.internal'), { code, ...details });
const sentenceOf = (cause: FailureCause) => describeFailure(cause, SERVER).sentence;

/** The Redis client names its errors by their class only. */
class SocketClosedUnexpectedlyError extends Error {}

describe('Cause of a transport error', () => {
  test.each([
    [coded('ECONNREFUSED'), 'api.test:8443 refuses connections (ECONNREFUSED).'],
    [coded('EHOSTUNREACH'), 'No route leads to api.test:8443 (EHOSTUNREACH).'],
    [coded('EAI_AGAIN'), 'The name api.test cannot be resolved (EAI_AGAIN).'],
    [
      coded('UND_ERR_CONNECT_TIMEOUT'),
      'No connection to api.test:8443 could be made within REVOX_CONNECT_TIMEOUT_MS.',
    ],
    [
      coded('ETIMEDOUT', { syscall: 'connect' }),
      'No connection to api.test:8443 could be made within REVOX_CONNECT_TIMEOUT_MS.',
    ],
    [
      coded('UND_ERR_HEADERS_TIMEOUT'),
      'api.test:8443 sends no response headers within REVOX_HEADERS_TIMEOUT_MS.',
    ],
    [
      coded('UND_ERR_BODY_TIMEOUT'),
      'api.test:8443 pauses within a response for longer than REVOX_BODY_TIMEOUT_MS.',
    ],
    [
      coded('CERT_NOT_YET_VALID'),
      'The certificate of api.test:8443 is not valid yet (CERT_NOT_YET_VALID).',
    ],
    [
      coded('SELF_SIGNED_CERT_IN_CHAIN'),
      'The certificate of api.test:8443 is self-signed, or signed by an authority of its own (SELF_SIGNED_CERT_IN_CHAIN).',
    ],
    [
      coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      'The certificate of api.test:8443 is signed by an authority that Node.js does not know (UNABLE_TO_VERIFY_LEAF_SIGNATURE).',
    ],
    [coded('CERT_REVOKED'), 'The certificate of api.test:8443 is not trusted (CERT_REVOKED).'],
    [
      AbortSignal.abort(new DOMException('', 'TimeoutError')).reason,
      'api.test:8443 sends no complete response within REVOX_TIMEOUT_MS.',
    ],
    [
      Object.assign(
        new Error(
          'Client network socket disconnected before secure TLS connection was established',
        ),
        { code: 'ECONNRESET' },
      ),
      'The TLS handshake with api.test:8443 fails (ECONNRESET).',
    ],
    [
      coded('ECONNRESET'),
      'api.test:8443 closes connections before the response is complete (ECONNRESET).',
    ],
    [
      coded('HPE_INVALID_CONSTANT'),
      'api.test:8443 sends a response that is not HTTP/1.1 (HPE_INVALID_CONSTANT).',
    ],
    [
      coded('ENOTFOUND', { hostname: 'proxy.test' }),
      'The proxy proxy.test:3128 for requests to api.test:8443 cannot be reached (ENOTFOUND).',
    ],
    [
      coded('ECONNREFUSED', { port: 3128 }),
      'The proxy proxy.test:3128 for requests to api.test:8443 cannot be reached (ECONNREFUSED).',
    ],
    [
      coded('UND_ERR_SOCKS5_REPLY_2'),
      'The SOCKS5 proxy makes no connection to api.test:8443 (UND_ERR_SOCKS5_REPLY_2).',
    ],
    [coded('ENOTFOUND', { hostname: 'api.test' }), 'The name api.test does not exist (ENOTFOUND).'],
    [
      new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }),
      'api.test:8443 refuses connections (ECONNREFUSED).',
    ],
    [
      new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')]),
      'api.test:8443 refuses connections (ECONNREFUSED).',
    ],
    [
      new SocketClosedUnexpectedlyError(),
      'api.test:8443 closes connections before the response is complete (SocketClosedUnexpectedlyError).',
    ],
    [new Error('at db.internal'), 'Requests to api.test:8443 fail (Error).'],
    [coded('secret text'), 'Requests to api.test:8443 fail (Error).'],
    ['at db.internal', 'Requests to api.test:8443 fail.'],
  ])('the sentence of %o is %j', (error, sentence) => {
    expect(sentenceOf(toTransportCause(error, TARGET))).toBe(sentence);
  });
});

describe('Cause of a redirect', () => {
  test.each([
    ['https://user:password@www.api.test/?token=secret', ' to www.api.test'],
    ['//www.api.test:99/', ' to www.api.test:99'],
    ['/login?token=secret', ' to another address of its own'],
    ['mailto:person@example.com', ''],
    ['http://[', ''],
    [undefined, ''],
  ])('of the location %j only the host is described', (location, place) => {
    expect(sentenceOf(toRedirectCause(307, location, SERVER.url))).toBe(
      `api.test:8443 redirects${place} (status 307), and the gateway follows no redirect.`,
    );
  });
});

test('each kind of cause has a sentence and an advice, which show nothing of the URL but its host', () => {
  for (const kind of FAILURE_CAUSE_KINDS) {
    const { sentence, advice } = describeFailure({ kind, status: 400 }, SERVER);
    for (const text of [sentence, advice]) {
      expect(text, kind).toMatch(/^\S.*\.$/);
      expect(text, kind).not.toMatch(/undefined|path-of-a-tenant| {2}/);
    }
    expect(sentence, kind).toContain('api.test');
  }
});
