import { buildSchema, execute, GraphQLError, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import {
  BodyTooLargeError,
  BudgetExceededError,
  OperationTooComplexError,
  TooManyErrorsError,
  UserInputError,
} from '#errors/gateway-error.ts';
import {
  CredentialRejectedError,
  RateLimitedError,
  UpstreamRejectedError,
} from '#errors/upstream-error.ts';
import { maskError } from '#http/mask-error.ts';

const failOnUnexpectedError = {
  introspection: true,
  onLimitExceeded: () => {},
  onUnexpectedError: (error: unknown) => expect.unreachable(`${error}`),
};
const LIMIT = { limit: 3, measured: 4, setting: 'MAX_THINGS' };

describe('Masked limit errors', () => {
  test.each([
    [new OperationTooComplexError('There are 4 things', LIMIT), { spec: true, status: 400 }],
    [new BodyTooLargeError(3, 4), { status: 413 }],
  ])('a limit error has the limit and the measured value: %s', (error, http) => {
    const { message, extensions } = maskError(error, failOnUnexpectedError);
    expect(message).toBe(error.message);
    expect(message).toMatch(/; at most 3 are allowed \(MAX_\w+\)\.$/);
    expect(extensions).toEqual({ code: 'OPERATION_TOO_COMPLEX', limit: 3, measured: 4, http });
  });

  test('an error without a limit has no HTTP status', () => {
    expect(maskError(new UserInputError('No.'), failOnUnexpectedError).extensions).toEqual({
      code: 'BAD_USER_INPUT',
    });
  });
});

const REQUEST_LINE = { method: 'GET', path: '/call/c' } as const;

describe('Masked error of an exceeded error budget', () => {
  test('an exceeded error budget has the code and the message of the first error', () => {
    const { message, extensions } = maskError(
      new TooManyErrorsError(3, new UserInputError('No.')),
      failOnUnexpectedError,
    );
    expect(message).toBe(
      'The operation was aborted after 4 errors; at most 3 are allowed (MAX_ERRORS). The first is BAD_USER_INPUT: No.',
    );
    expect(extensions).toEqual({
      code: 'OPERATION_TOO_COMPLEX',
      limit: 3,
      measured: 4,
      first: { code: 'BAD_USER_INPUT', message: 'No.' },
      http: { spec: true, status: 400 },
    });
  });

  test.each([
    ['UNAUTHENTICATED', new CredentialRejectedError(REQUEST_LINE, 401), {}],
    ['RATE_LIMITED', new RateLimitedError(REQUEST_LINE, 7_000), { retryAfter: 7 }],
    ['UPSTREAM_REJECTED', new UpstreamRejectedError(REQUEST_LINE, 418), { status: 418 }],
    ['UPSTREAM_BUDGET_EXCEEDED', new BudgetExceededError('requests', 250), {}],
  ] as const)(
    'an exceeded error budget has the code %s and the details of a first error that the document did not cause',
    (code, error, details) => {
      const { message, extensions } = maskError(
        new TooManyErrorsError(3, error),
        failOnUnexpectedError,
      );
      expect(message).toContain(`(MAX_ERRORS). The first is ${code}: ${error.message}`);
      const first = { code, message: error.message };
      expect(extensions).toEqual({
        code,
        ...details,
        limit: 3,
        measured: 4,
        first,
        http: { spec: true, status: 400 },
      });
    },
  );

  test('an exceeded error budget masks a first error that is unexpected, and reports that error', () => {
    const bugs: unknown[] = [];
    const bug = new TypeError('secret');
    const { message, extensions } = maskError(new TooManyErrorsError(3, bug), {
      ...failOnUnexpectedError,
      onUnexpectedError: (error) => bugs.push(error),
    });
    expect(message).not.toContain('secret');
    expect(extensions.first).toEqual({
      code: 'INTERNAL_SERVER_ERROR',
      message: 'Something went wrong in the gateway.',
    });
    expect(bugs).toEqual([bug]);
  });
});

describe('Masked long messages', () => {
  const long = 'x'.repeat(1_000_000);

  test.each([
    ['of the gateway', new UserInputError(`"${long}" cannot be an id.`)],
    ['of GraphQL', new GraphQLError(`"${long}" cannot be an id.`)],
  ])('a long message %s is cut to 2,000 characters and keeps its end', (_, error) => {
    const { message } = maskError(error, failOnUnexpectedError);
    expect(message).toHaveLength(2_000);
    expect(message).toMatch(/^"x+…x+" cannot be an id\.$/);
  });

  test('a long message loses the suggestion at its end when introspection is disabled', () => {
    const error = new GraphQLError(`"${long}" is no field. Did you mean "name"?`);
    expect(maskError(error, { ...failOnUnexpectedError, introspection: false }).message).toMatch(
      /x" is no field\.$/,
    );
  });
});

describe('Masked execution errors of GraphQL', () => {
  const schema = buildSchema(
    'type Query { a(ids: [ID!]!): Node } interface Node { id: ID } type Thing implements Node { id: ID }',
  );

  async function errorOf(variableValues: { ids: unknown }): Promise<GraphQLError> {
    const { errors } = await execute({
      schema,
      document: parse('query ($ids: [ID!] = []) { a(ids: $ids) { id } }'),
      variableValues,
      rootValue: { a: { __typename: 'Nothing' } },
    });
    return errors![0]!;
  }

  test('an execution error of an argument is BAD_USER_INPUT with its message', async () => {
    const masked = maskError(await errorOf({ ids: null }), failOnUnexpectedError);
    expect([masked.extensions, masked.path]).toEqual([{ code: 'BAD_USER_INPUT' }, ['a']]);
    expect(masked.message).toContain('Argument "ids" of non-null type "[ID!]!" must not be null');
  });

  test('an execution error of a resolved value is masked and reported as unexpected', async () => {
    const bugs: unknown[] = [];
    const masked = maskError(await errorOf({ ids: [] }), {
      ...failOnUnexpectedError,
      onUnexpectedError: (error) => bugs.push(error),
    });
    expect(masked).toMatchObject({
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
      message: 'Something went wrong in the gateway.',
    });
    expect(bugs).toHaveLength(1);
  });
});
