import { describe, expect, test } from 'vitest';
import {
  BodyTooLargeError,
  BudgetExceededError,
  ERROR_CODES,
  type GatewayError,
  OperationTooComplexError,
  TooManyErrorsError,
  toBoundedMessage,
  UnauthenticatedError,
  UserInputError,
} from '#errors/gateway-error.ts';
import {
  CredentialRejectedError,
  QueueFullError,
  RateLimitedError,
  UpstreamInvalidResponseError,
  UpstreamNotFoundError,
  UpstreamRejectedError,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
  WebPageError,
} from '#errors/upstream-error.ts';

const LINE = { method: 'GET', path: '/call/secret' } as const;
const UNAVAILABLE = 'The Revox API cannot be reached or failed. Try again later.';
const QUEUE_FULL =
  'Too many requests to the Revox API are queued. Request less in one operation, or try again later.';
const WRONG_KEY =
  'The Revox API does not accept this API key. Check the key in the Authorization header.';

interface Shown {
  readonly code: string;
  readonly message: string;
  readonly details?: object;
  /** The status of the upstream, for the log and the metrics. */
  readonly status?: number | undefined;
}

const rejected = (status: number): Shown => ({
  code: 'UPSTREAM_REJECTED',
  message: `The Revox API rejected this request with status ${status}.`,
  details: { status },
  status,
});

const ERRORS: readonly (readonly [error: GatewayError, shown: Shown])[] = [
  [new UserInputError('No.'), { code: 'BAD_USER_INPUT', message: 'No.' }],
  [new UnauthenticatedError('No.'), { code: 'UNAUTHENTICATED', message: 'No.' }],
  [
    new OperationTooComplexError('There are 4 things', { limit: 3, measured: 4, setting: 'MAX_X' }),
    {
      code: 'OPERATION_TOO_COMPLEX',
      message: 'There are 4 things; at most 3 are allowed (MAX_X).',
      details: { limit: 3, measured: 4 },
    },
  ],
  [
    new OperationTooComplexError('There are 4 things', { limit: 3, measured: 4 }),
    {
      code: 'OPERATION_TOO_COMPLEX',
      message: 'There are 4 things; at most 3 are allowed.',
      details: { limit: 3, measured: 4 },
    },
  ],
  [
    new TooManyErrorsError(3, new Error('the first')),
    {
      code: 'OPERATION_TOO_COMPLEX',
      message: 'The operation was aborted after 4 errors; at most 3 are allowed (MAX_ERRORS).',
      details: { limit: 3, measured: 4 },
    },
  ],
  [
    new BodyTooLargeError(3),
    {
      code: 'OPERATION_TOO_COMPLEX',
      message: 'The body has more than 3 bytes; at most 3 are allowed (MAX_BODY_BYTES).',
      details: { limit: 3, measured: 4 },
    },
  ],
  [
    new BodyTooLargeError(3, 9),
    {
      code: 'OPERATION_TOO_COMPLEX',
      message: 'The body has 9 bytes; at most 3 are allowed (MAX_BODY_BYTES).',
      details: { limit: 3, measured: 9 },
    },
  ],
  [
    new BudgetExceededError('requests', 3),
    {
      code: 'UPSTREAM_BUDGET_EXCEEDED',
      message:
        'This operation may send 3 upstream requests (MAX_UPSTREAM_REQUESTS) and needs more. Request fewer objects in one operation.',
    },
  ],
  [
    new BudgetExceededError('bytes', 3),
    {
      code: 'UPSTREAM_BUDGET_EXCEEDED',
      message:
        'This operation may read 3 bytes from the Revox API (MAX_UPSTREAM_BYTES) and needs more. Request fewer objects in one operation.',
    },
  ],
  [new UpstreamUnavailableError(LINE), { code: 'UPSTREAM_UNAVAILABLE', message: UNAVAILABLE }],
  [
    new UpstreamUnavailableError(LINE, { status: 503 }),
    { code: 'UPSTREAM_UNAVAILABLE', message: UNAVAILABLE, status: 503 },
  ],
  [
    new UpstreamTimeoutError(LINE),
    { code: 'UPSTREAM_TIMEOUT', message: 'The Revox API did not respond in time.' },
  ],
  [
    new UpstreamInvalidResponseError(LINE, 'not JSON', { status: 200 }),
    {
      code: 'UPSTREAM_INVALID_RESPONSE',
      message: 'The Revox API sent an unexpected response: not JSON.',
      status: 200,
    },
  ],
  ...[300, 302, 399].map(
    (status) =>
      [
        new WebPageError(LINE, status),
        { code: 'UPSTREAM_UNAVAILABLE', message: UNAVAILABLE, status },
      ] as const,
  ),
  ...[200, 299, 400, 401, 404].map(
    (status) =>
      [
        new WebPageError(LINE, status),
        {
          code: 'UPSTREAM_INVALID_RESPONSE',
          message: 'The Revox API sent an unexpected response: HTML or XML, not JSON.',
          status,
        },
      ] as const,
  ),
  [new UpstreamRejectedError(LINE, 422), rejected(422)],
  // Not sent: an earlier request got this status.
  [new UpstreamRejectedError(LINE, 401, false), { ...rejected(401), status: undefined }],
  [new UpstreamNotFoundError(LINE, 404), rejected(404)],
  [
    new CredentialRejectedError(LINE, 401),
    { code: 'UNAUTHENTICATED', message: WRONG_KEY, status: 401 },
  ],
  [new CredentialRejectedError(LINE, 401, false), { code: 'UNAUTHENTICATED', message: WRONG_KEY }],
  [
    new CredentialRejectedError(LINE, 403),
    {
      code: 'FORBIDDEN',
      message: 'The Revox API does not allow this API key to read this data.',
      status: 403,
    },
  ],
  ...(
    [
      [0, 0],
      [1, 1],
      [1_000, 1],
      [1_001, 2],
      [300_000, 300],
    ] as const
  ).flatMap(([ms, retryAfter]) => [
    [
      new RateLimitedError(LINE, ms, 429),
      {
        code: 'RATE_LIMITED',
        message: 'The rate limit of the Revox API is exceeded. Try again later.',
        details: { retryAfter },
        status: 429,
      },
    ] as const,
    [
      new QueueFullError(LINE, ms),
      { code: 'RATE_LIMITED', message: QUEUE_FULL, details: { retryAfter } },
    ] as const,
  ]),
];

test.each(ERRORS)(
  '$name has its code, message and details',
  (error, { code, message, details = {}, status }) => {
    expect(error).toMatchObject({ name: error.constructor.name, code, message, details });
    expect('status' in error ? error.status : undefined).toBe(status);
    // The details and the message are all that a client may see.
    expect(JSON.stringify([message, details])).not.toContain('secret');
  },
);

test.each([
  ['MAX_X', 'MAX_X'],
  ['20 × MAX_TOKENS', 'MAX_TOKENS'],
  [undefined, undefined],
])('the setting of the limit "%s" is %s', (given, setting) => {
  const excess = { limit: 3, measured: 4, ...(given === undefined ? {} : { setting: given }) };
  expect(new OperationTooComplexError('There are 4 things', excess).setting).toBe(setting);
});

test('the codes of errors are those that clients rely on', () => {
  expect([...ERROR_CODES].sort()).toEqual([
    'BAD_USER_INPUT',
    'FORBIDDEN',
    'GRAPHQL_PARSE_FAILED',
    'GRAPHQL_VALIDATION_FAILED',
    'INTERNAL_SERVER_ERROR',
    'OPERATION_TOO_COMPLEX',
    'PERSISTED_QUERY_NOT_FOUND',
    'RATE_LIMITED',
    'SUBSCRIPTION_INTERRUPTED',
    'UNAUTHENTICATED',
    'UPSTREAM_BUDGET_EXCEEDED',
    'UPSTREAM_INVALID_RESPONSE',
    'UPSTREAM_REJECTED',
    'UPSTREAM_TIMEOUT',
    'UPSTREAM_UNAVAILABLE',
  ]);
});

describe('Long message of an error', () => {
  const [start, end] = ['a'.repeat(1_000), 'z'.repeat(999)];

  test.each([
    [`${start}${end}`, `${start}${end}`],
    [`${start}-${end}`, `${start}-${end}`],
    [`${start}--${end}`, `${start}…${end}`],
    [`${start}${'-'.repeat(1e6)}${end}`, `${start}…${end}`],
  ])('a message has at most 2,000 characters: its start and its end', (message, bounded) => {
    expect(toBoundedMessage(message) === bounded).toBe(true);
    expect(new UserInputError(message).message === bounded).toBe(true);
  });
});
