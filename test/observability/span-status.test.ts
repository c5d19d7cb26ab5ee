import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { createTracing } from '#observability/tracing.ts';
import type { FailureKind } from '#rest/upstream-events.ts';

const { ERROR, UNSET } = SpanStatusCode;

function createScene(baseUrl = 'https://revox.test/api') {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracing = createTracing({ provider, baseUrl });
  return {
    /** The span of a request to the gateway. */
    request(method: string, status: number, code: string) {
      tracing
        .onRequest(method, '/graphql', new Headers())
        .onEnd({ status, code, operation: undefined });
      return exporter.getFinishedSpans().at(-1);
    },
    /** The span of an upstream request. */
    send(status: number | null, failure: FailureKind | undefined) {
      tracing
        .onSend({ endpoint: '/call', retryCount: 0, trace: undefined })
        .onEnd({ status, failure, ms: 1 });
      return exporter.getFinishedSpans().at(-1);
    },
  };
}

describe('Span of a request', () => {
  test.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    'the method %s is in the name and in an attribute',
    (method) => {
      expect(createScene().request(method, 200, 'OK')).toMatchObject({
        kind: SpanKind.SERVER,
        name: `${method} /graphql`,
        attributes: { 'http.request.method': method },
      });
    },
  );

  test.each(['get', 'TRACE', 'CONNECT', 'QUERY', 'PROPFIND', 'X'.repeat(1_000), ''])(
    'the method %s is _OTHER, because callers choose it',
    (method) => {
      expect(createScene().request(method, 405, 'BAD_USER_INPUT')).toMatchObject({
        name: '_OTHER /graphql',
        attributes: { 'http.request.method': '_OTHER' },
      });
    },
  );

  test.each([
    ['INTERNAL_SERVER_ERROR', ERROR],
    ['UPSTREAM_UNAVAILABLE', ERROR],
    ['UPSTREAM_TIMEOUT', ERROR],
    ['UPSTREAM_INVALID_RESPONSE', ERROR],
    ['UPSTREAM_REJECTED', ERROR],
    ['UPSTREAM_BUDGET_EXCEEDED', ERROR],
    ['BAD_USER_INPUT', UNSET],
    ['GRAPHQL_PARSE_FAILED', UNSET],
    ['GRAPHQL_VALIDATION_FAILED', UNSET],
    ['OPERATION_TOO_COMPLEX', UNSET],
    ['PERSISTED_QUERY_NOT_FOUND', UNSET],
    ['UNAUTHENTICATED', UNSET],
    ['FORBIDDEN', UNSET],
    ['RATE_LIMITED', UNSET],
    ['CLIENT_CLOSED_REQUEST', UNSET],
  ])('the code %s is the error type, with the status %i', (code, status) => {
    const span = createScene().request('POST', 200, code);
    expect(span?.status.code).toBe(status);
    expect(span?.attributes).toMatchObject({
      'error.type': code,
      'http.response.status_code': 200,
    });
  });

  test('a request without an error has no error type', () => {
    const span = createScene().request('POST', 200, 'OK');
    expect([span?.status.code, span?.attributes]).toEqual([
      UNSET,
      {
        'http.request.method': 'POST',
        'http.route': '/graphql',
        'http.response.status_code': 200,
      },
    ]);
  });
});

describe('Span of an upstream request', () => {
  test.each<[failure: FailureKind, httpStatus: number | null, status: SpanStatusCode]>([
    ['unreachable', null, ERROR],
    ['connection', null, ERROR],
    ['connect-timeout', null, ERROR],
    ['timeout', null, ERROR],
    ['invalid', 200, ERROR],
    ['rate-limited', 429, ERROR],
    ['server-error', 503, ERROR],
    ['credential', 401, ERROR],
    ['rejected', 422, ERROR],
    ['aborted', null, UNSET],
    ['missing', 404, UNSET],
  ])('the failure %s with the HTTP status %s has the status %i', (failure, httpStatus, status) => {
    const span = createScene().send(httpStatus, failure);
    expect(span?.status.code).toBe(status);
    expect(span?.attributes).toEqual({
      'server.address': 'revox.test',
      'server.port': 443,
      'http.request.method': 'GET',
      'url.template': '/call',
      'error.type': failure,
      ...(httpStatus === null ? {} : { 'http.response.status_code': httpStatus }),
    });
  });

  test.each([
    ['https://revox.test/api', 443],
    ['http://revox.test', 80],
    ['http://revox.test:8080/api', 8_080],
    ['https://revox.test:8443', 8_443],
  ])('the server of %s has the port %i', (baseUrl, port) => {
    const span = createScene(baseUrl).send(200, undefined);
    expect([span?.status.code, span?.attributes]).toEqual([
      UNSET,
      {
        'server.address': 'revox.test',
        'server.port': port,
        'http.request.method': 'GET',
        'url.template': '/call',
        'http.response.status_code': 200,
      },
    ]);
  });
});
