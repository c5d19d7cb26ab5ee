import { describe, expect, test } from 'vitest';
import { type ErrorCode, GatewayError } from '#errors/gateway-error.ts';
import { InvalidTokenError } from '#http/auth/invalid-token-error.ts';
import { toGatewayErrorResponse } from '#http/auth/session.ts';

function respond(error: unknown, accept?: string): Response {
  const headers = new Headers(accept === undefined ? {} : { accept });
  return toGatewayErrorResponse(error, {
    method: 'POST',
    url: 'http://localhost/graphql',
    headers,
  });
}

describe('Response to a request that gets no session', () => {
  test.each<[ErrorCode, number, string | null]>([
    ['UNAUTHENTICATED', 401, 'Bearer'],
    ['FORBIDDEN', 403, null],
    ['RATE_LIMITED', 429, null],
    ['UPSTREAM_UNAVAILABLE', 503, null],
    ['BAD_USER_INPUT', 400, null],
    ['OPERATION_TOO_COMPLEX', 400, null],
    ['UPSTREAM_TIMEOUT', 400, null],
    ['UPSTREAM_REJECTED', 400, null],
  ])('the code %s has the status %i and the challenge %s', async (code, status, challenge) => {
    const response = respond(new GatewayError(code, 'Why.'));
    expect(response.status).toBe(status);
    expect(response.headers.get('www-authenticate')).toBe(challenge);
    expect(response.headers.get('retry-after')).toBeNull();
    expect(await response.json()).toEqual({ errors: [{ message: 'Why.', extensions: { code } }] });
  });

  test.each([1, 17])(
    'a rejection with retryAfter %i has it in its header, too',
    async (retryAfter) => {
      const response = respond(new GatewayError('RATE_LIMITED', 'Why.', { retryAfter }));
      expect(response.headers.get('retry-after')).toBe(String(retryAfter));
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { retryAfter } }] });
    },
  );

  test.each<[InvalidTokenError, number, string]>([
    [new InvalidTokenError('UNAUTHENTICATED', 'Why.'), 401, 'Bearer'],
    [
      new InvalidTokenError('UNAUTHENTICATED', 'Why.', 'invalid_token'),
      401,
      'Bearer error="invalid_token"',
    ],
    [
      new InvalidTokenError('FORBIDDEN', 'Why.', 'insufficient_scope'),
      403,
      'Bearer error="insufficient_scope"',
    ],
  ])(
    'the rejection of a token has a challenge: %j has the status %i and %s',
    (error, status, challenge) => {
      const response = respond(error);
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([
        status,
        challenge,
      ]);
    },
  );

  test.each([
    [undefined, 'application/json'],
    ['application/json', 'application/json'],
    ['text/event-stream', 'application/json'],
    ['application/graphql-response+json', 'application/graphql-response+json'],
    ['application/json, application/graphql-response+json', 'application/graphql-response+json'],
  ])('a client that accepts %s gets %s', (accept, type) => {
    const response = respond(new GatewayError('FORBIDDEN', 'Why.'), accept);
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
  });

  test('an unexpected error is thrown, and not shown', () => {
    const error = new Error('at db.internal');
    expect(() => respond(error)).toThrow(error);
  });
});
