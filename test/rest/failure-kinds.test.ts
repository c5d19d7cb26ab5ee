import { describe, expect, test } from 'vitest';
import { createCircuitBreakers } from '#rest/resilience/circuit-breakers.ts';
import { ResponseHandler } from '#rest/transport/response-handler.ts';
import type { FailureKind, RequestOutcome } from '#rest/upstream-events.ts';
import { NO_UPSTREAM_EVENTS } from '../support/upstream-context.ts';
import { createScene, found, outcomeOf, type UpstreamAct } from './client-scene.ts';

interface Failure {
  readonly kind: FailureKind;
  /** The code that the client gets without retries. */
  readonly code: 'UPSTREAM_UNAVAILABLE' | 'UPSTREAM_TIMEOUT';
  readonly isRetried: boolean;
  /** The circuit that opens. */
  readonly scope: 'connection' | 'endpoint';
}

const UNREACHABLE: Failure = {
  kind: 'unreachable',
  code: 'UPSTREAM_UNAVAILABLE',
  isRetried: true,
  scope: 'connection',
};
const CONNECT_TIMEOUT: Failure = {
  kind: 'connect-timeout',
  code: 'UPSTREAM_TIMEOUT',
  isRetried: true,
  scope: 'connection',
};
const TIMEOUT: Failure = {
  kind: 'timeout',
  code: 'UPSTREAM_TIMEOUT',
  isRetried: false,
  scope: 'endpoint',
};
const BROKEN: Failure = {
  kind: 'connection',
  code: 'UPSTREAM_UNAVAILABLE',
  isRetried: true,
  scope: 'endpoint',
};

/** The codes of Node, of OpenSSL and of undici. */
const FAILURES: readonly (readonly [code: unknown, failure: Failure])[] = [
  ['ECONNREFUSED', UNREACHABLE],
  ['ENOTFOUND', UNREACHABLE],
  ['EAI_AGAIN', UNREACHABLE],
  ['EAI_FAIL', UNREACHABLE],
  ['EHOSTUNREACH', UNREACHABLE],
  ['ENETUNREACH', UNREACHABLE],
  ['EADDRNOTAVAIL', UNREACHABLE],
  ['UND_ERR_PRX_TLS', UNREACHABLE],
  ['UND_ERR_SOCKS5', UNREACHABLE],
  ['UND_ERR_SOCKS5_AUTH_FAILED', UNREACHABLE],
  ['UND_ERR_SOCKS5_REPLY_5', UNREACHABLE],
  ['ERR_TLS_CERT_ALTNAME_INVALID', UNREACHABLE],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', UNREACHABLE],
  ['CERT_HAS_EXPIRED', UNREACHABLE],
  ['CERT_NOT_YET_VALID', UNREACHABLE],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNREACHABLE],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNREACHABLE],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNREACHABLE],
  ['UND_ERR_CONNECT_TIMEOUT', CONNECT_TIMEOUT],
  ['UND_ERR_HEADERS_TIMEOUT', TIMEOUT],
  ['UND_ERR_BODY_TIMEOUT', TIMEOUT],
  ['ECONNRESET', BROKEN],
  ['EPIPE', BROKEN],
  ['UND_ERR_SOCKET', BROKEN],
  ['UND_ERR_INFO', BROKEN],
  ['HPE_INVALID_CONSTANT', BROKEN],
  // Neighbours of the codes above.
  ['NOT_ECONNREFUSED', BROKEN],
  ['econnrefused', BROKEN],
  ['UND_ERR_CONNECT_TIMEOUTS', BROKEN],
  ['UND_ERR_SOCKS50', BROKEN],
  ['', BROKEN],
  [111, BROKEN],
  [undefined, BROKEN],
];

const throwing = (error: unknown): UpstreamAct => {
  return () => {
    throw error;
  };
};
const withCode = (code: unknown) => Object.assign(new Error('of the transport'), { code });

describe.each([
  ['of the error', (code: unknown) => withCode(code)],
  ['of its cause', (code: unknown) => new TypeError('fetch failed', { cause: withCode(code) })],
])('Failure by the code %s', (_name, toError) => {
  test.each(FAILURES)(
    'a request that fails with %s is reported, retried and counted as $kind',
    async (code, { kind, code: clientCode, isRetried, scope }) => {
      const ends: unknown[] = [];
      const retried: unknown[] = [];
      const events = {
        ...NO_UPSTREAM_EVENTS,
        onSend: () => ({
          headers: {},
          onEnd: ({ status, failure, ms }: RequestOutcome) => ends.push({ status, failure, ms }),
        }),
        onRetry: (_endpoint: string, reason: FailureKind) => retried.push(reason),
      };
      const failed = { status: null, failure: kind, ms: 0 };

      const single = createScene([throwing(toError(code))], {
        retries: 0,
        breaker: { failures: 1, openMs: 1_000 },
        events,
      });
      expect(await outcomeOf(single.send())).toBe(clientCode);
      expect(single.client.state.circuits).toEqual({
        connection: { state: 'closed', openCount: 0 },
        endpoint: { state: 'closed', openCount: 0 },
        [scope]: { state: 'open', openCount: 1 },
      });
      expect([single.sent, ends.splice(0)]).toEqual([['/call/c'], [failed]]);

      const scene = createScene([throwing(toError(code)), found], {
        retries: 1,
        random: () => 0,
        events,
      });
      expect(await outcomeOf(scene.send())).toBe(isRetried ? 'succeeded' : clientCode);
      expect(scene.sent).toEqual(Array(isRetried ? 2 : 1).fill('/call/c'));
      expect([ends[0], retried]).toEqual([failed, isRetried ? [kind] : []]);
    },
  );
});

describe('Probe of an open circuit', () => {
  const KEY = { credential: { fingerprint: 'a' }, caller: undefined };

  /** The circuits after one failure opened one of them, and a probe ended with this outcome. */
  function probe(opening: FailureKind, outcome: FailureKind | undefined) {
    let now = 0;
    const breakers = createCircuitBreakers({
      failures: 1,
      openMs: 1_000,
      isAccepted: () => true,
      onChange: () => {},
      monotonicNow: () => now,
    });
    breakers.tryAcquire(KEY, '/call')?.(opening);
    now = 1_000;
    breakers.tryAcquire(KEY, '/call')?.(outcome);
    const { connection, endpoint } = breakers.state;
    return [connection.state, endpoint.state];
  }

  test.each<[outcome: FailureKind | undefined, circuits: readonly string[]]>([
    [undefined, ['closed', 'closed']],
    ['unreachable', ['open', 'closed']],
    ['connect-timeout', ['open', 'closed']],
    ['aborted', ['half-open', 'closed']],
    // The connection was made.
    ['connection', ['closed', 'open']],
    ['timeout', ['closed', 'open']],
    ['server-error', ['closed', 'open']],
    ['invalid', ['closed', 'closed']],
    ['rate-limited', ['closed', 'closed']],
    ['missing', ['closed', 'closed']],
    ['credential', ['closed', 'closed']],
    ['rejected', ['closed', 'closed']],
  ])('a probe of the connection that ends with %s leaves the circuits %j', (outcome, circuits) => {
    expect(probe('unreachable', outcome)).toEqual(circuits);
  });

  test.each<[outcome: FailureKind | undefined, circuits: readonly string[]]>([
    [undefined, ['closed', 'closed']],
    ['unreachable', ['open', 'half-open']],
    ['connect-timeout', ['open', 'half-open']],
    ['aborted', ['closed', 'half-open']],
    ['connection', ['closed', 'open']],
    ['timeout', ['closed', 'open']],
    ['server-error', ['closed', 'open']],
    ['invalid', ['closed', 'closed']],
    ['rate-limited', ['closed', 'closed']],
    ['missing', ['closed', 'closed']],
    ['credential', ['closed', 'closed']],
    ['rejected', ['closed', 'closed']],
  ])('a probe of an endpoint that ends with %s leaves the circuits %j', (outcome, circuits) => {
    expect(probe('server-error', outcome)).toEqual(circuits);
  });
});

describe('Error of a kept connection', () => {
  const toError = (code: unknown, message = 'of the connection') =>
    Object.assign(new Error(message), { code });

  test.each([
    [toError('ECONNRESET'), true],
    [toError('EPIPE'), true],
    [toError('UND_ERR_SOCKET', 'other side closed'), true],
    [toError('UND_ERR_SOCKET', 'closed'), true],
    [toError('UND_ERR_SOCKET', 'bad upgrade'), false],
    [toError('UND_ERR_SOCKET', 'not closed'), false],
    [toError('ECONNABORTED', 'other side closed'), false],
    [toError('ETIMEDOUT', 'closed'), false],
    [toError('UND_ERR_HEADERS_TIMEOUT'), false],
    [toError('HPE_INVALID_CONSTANT'), false],
    [new Error('closed'), false],
  ])(
    'whether the request is sent again on a new connection after %o: %s',
    async (error, isSent) => {
      const sentAgain: unknown[] = [];
      const request = { origin: 'http://revox.test', path: '/', headers: {}, maxBytes: 1_000 };
      const handler = new ResponseHandler(request, {
        startTimer: () => () => {},
        resend: (...again) => sentAgain.push(again),
      });
      const controller = {} as Parameters<ResponseHandler['onRequestStart']>[0];
      // One earlier response.
      handler.connection = { responses: 1, bytesRead: 100 };
      handler.onRequestStart(controller);
      handler.onResponseError(controller, error);
      expect(sentAgain).toEqual(isSent ? [[request, handler]] : []);
      if (!isSent) await expect(handler.response).rejects.toBe(error);
    },
  );
});
