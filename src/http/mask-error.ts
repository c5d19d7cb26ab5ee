import { GraphQLError, Kind } from 'graphql';
import {
  BodyTooLargeError,
  type ErrorCode,
  GatewayError,
  MAX_MESSAGE_LENGTH,
  OperationTooComplexError,
  TooManyErrorsError,
  toBoundedMessage,
} from '#errors/gateway-error.ts';

/** The codes that Yoga gives to requests it rejects, and the gateway's codes for the same. */
const YOGA_CODES: { readonly [code: string]: ErrorCode } = {
  BAD_REQUEST: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'BAD_USER_INPUT',
};

/**
 * The status of an error that replaces the whole result, for clients that accept
 * `application/graphql-response+json`.
 */
const REJECTED_HTTP = { spec: true, status: 400 };

export interface MaskErrorOptions {
  /** Whether clients may know the schema. If not, messages suggest none of its names either. */
  readonly introspection: boolean;
  /** Called with every unexpected error. */
  readonly onUnexpectedError: (error: unknown) => void;
  /** Called for each exceeded limit, with the setting that raises it, if there is one. */
  readonly onLimitExceeded: (setting: string | undefined) => void;
}

/**
 * Turns any thrown value into an error that may be shown: the gateway's own errors with their
 * codes, graphql-js's errors about the request, and for everything else a message that reveals
 * nothing.
 */
export function maskError(error: unknown, options: MaskErrorOptions): GraphQLError {
  const { introspection, onUnexpectedError, onLimitExceeded } = options;
  const cause = unwrapCause(error);
  if (cause instanceof GatewayError) {
    if (cause instanceof OperationTooComplexError) onLimitExceeded(cause.setting);
    if (cause instanceof TooManyErrorsError) return maskTooManyErrors(cause, options);
    return sanitized(error, cause.message, {
      code: cause.code,
      ...cause.details,
      ...toHttpExtension(cause),
    });
  }
  if (error instanceof GraphQLError && error.path === undefined && cause instanceof GraphQLError) {
    return maskRequestError(introspection ? error : withoutSuggestion(error));
  }
  if (isArgumentError(cause)) {
    const { message } = introspection ? cause : withoutSuggestion(cause);
    return sanitized(error, message, { code: 'BAD_USER_INPUT' });
  }
  onUnexpectedError(cause);
  return sanitized(error, 'Something went wrong in the gateway.', {
    code: 'INTERNAL_SERVER_ERROR',
  });
}

/**
 * Converts a `TooManyErrorsError` to the one error of the response. The errors of a response usually
 * share one cause. If the first error concerns the upstream or the credential, the response has the
 * code and details of this error, because clients act on them (`UNAUTHENTICATED`, or `RATE_LIMITED`
 * with `retryAfter`).
 */
function maskTooManyErrors(error: TooManyErrorsError, options: MaskErrorOptions): GraphQLError {
  const { message, extensions } = maskError(error.cause, options);
  const { code: firstCode, http: _, ...firstDetails } = extensions;
  const isRequestOrGatewayFault =
    firstCode === 'BAD_USER_INPUT' || firstCode === 'INTERNAL_SERVER_ERROR';
  return new GraphQLError(
    toBoundedMessage(`${error.message} The first is ${firstCode}: ${message}`),
    {
      extensions: {
        ...(isRequestOrGatewayFault ? { code: error.code } : { ...firstDetails, code: firstCode }),
        ...error.details,
        first: { message, code: firstCode },
        ...toHttpExtension(error),
      },
    },
  );
}

/**
 * An error of graphql-js or Yoga about a request that is not executed: its message is for the
 * caller.
 */
function maskRequestError(error: GraphQLError): GraphQLError {
  const { http, code } = error.extensions;
  if (typeof code === 'string') {
    // `spec` means 200 for a client that accepts `application/json`. That is wrong for a request
    // that is no GraphQL request at all.
    const status = code === 'BAD_REQUEST' ? withoutSpec(http) : http;
    return sanitized(error, error.message, {
      code: YOGA_CODES[code] ?? code,
      ...(status ? { http: status } : {}),
    });
  }
  // A syntax error has a position in the text, but no node: there is no syntax tree yet.
  const isSyntaxError = error.source !== undefined && error.nodes === undefined;
  return sanitized(error, error.message, {
    code: isSyntaxError ? 'GRAPHQL_PARSE_FAILED' : 'BAD_USER_INPUT',
    http: REJECTED_HTTP,
  });
}

/**
 * The status of an error that is the whole response. A field's error never has a status, because
 * Yoga would make it the status of the whole response.
 */
function toHttpExtension(error: GatewayError): { http?: { spec?: boolean; status: number } } {
  if (error instanceof BodyTooLargeError) return { http: { status: 413 } };
  return error instanceof OperationTooComplexError ? { http: REJECTED_HTTP } : {};
}

/**
 * Removes the suggestion (`Did you mean "name"?`) from the end of a message: with enough guesses,
 * suggestions would reveal the whole schema.
 */
export function withoutSuggestion(error: GraphQLError): GraphQLError {
  const { message } = error;
  const start = message.lastIndexOf(' Did you mean ');
  // The same words elsewhere in the message come from the caller's document. A regular expression
  // would be slow on a document that repeats them for a megabyte.
  const isLast = start !== -1 && message.indexOf('?', start) === message.length - 1;
  return isLast ? sanitized(error, message.slice(0, start), error.extensions) : error;
}

/** The same error with a bounded message: names in a document may be as long as the document. */
export function toBoundedError(error: GraphQLError): GraphQLError {
  const isBounded = error.message.length <= MAX_MESSAGE_LENGTH;
  return isBounded ? error : sanitized(error, error.message, error.extensions);
}

function withoutSpec(http: unknown): unknown {
  return http ? { ...http, spec: false } : undefined;
}

function unwrapCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError
    ? unwrapCause(error.originalError)
    : error;
}

/**
 * Whether an error of the execution concerns an argument. graphql-js reports such an error if a
 * variable is null, and its argument is non-null with a default. The first node of that error is
 * the argument's value. An error about a resolver's result has the field as its first node, or has
 * no node.
 */
function isArgumentError(error: unknown): error is GraphQLError {
  return (
    error instanceof GraphQLError &&
    error.nodes?.[0] !== undefined &&
    error.nodes[0].kind !== Kind.FIELD
  );
}

/** The same error at the same position, without the error that caused it. */
function sanitized(error: unknown, text: string, extensions: GraphQLError['extensions']) {
  const message = toBoundedMessage(text);
  if (!(error instanceof GraphQLError)) return new GraphQLError(message, { extensions });
  const { nodes = null, source = null, positions = null, path = null } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}
