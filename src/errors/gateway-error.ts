/** The values of `errors[].extensions.code`. Clients rely on them. */
export const ERROR_CODES = [
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_TOO_COMPLEX',
  'PERSISTED_QUERY_NOT_FOUND',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_INVALID_RESPONSE',
  'UPSTREAM_REJECTED',
  'UPSTREAM_BUDGET_EXCEEDED',
  'SUBSCRIPTION_INTERRUPTED',
  'INTERNAL_SERVER_ERROR',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** The details of an error that may be shown beside its code. */
export type PublicDetails = {
  readonly status?: number;
  readonly retryAfter?: number;
  readonly limit?: number;
  readonly measured?: number;
};

/**
 * An error whose message and details are the gateway's own, and may be shown unchanged. Every other
 * error surfaces as `INTERNAL_SERVER_ERROR` with a message that reveals nothing.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly details: PublicDetails;

  constructor(
    code: ErrorCode,
    message: string,
    details: PublicDetails = {},
    options?: ErrorOptions,
  ) {
    super(toBoundedMessage(message), options);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** Maximum characters of a message: a message may quote the request, which can have a megabyte. */
export const MAX_MESSAGE_LENGTH = 2_000;

/**
 * Cuts out the middle of a longer message: a message begins with what is wrong, and may end with
 * what would be right.
 */
export function toBoundedMessage(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  const half = MAX_MESSAGE_LENGTH / 2;
  return `${message.slice(0, half)}…${message.slice(1 - half)}`;
}

/**
 * The caller has requested something impossible: the message says what was wrong and what would be
 * right. Surfaces at the field.
 */
export class UserInputError extends GatewayError {
  constructor(message: string) {
    super('BAD_USER_INPUT', message);
  }
}

/**
 * The credential is missing or unknown. Surfaces as the whole response (HTTP 401), or at the field
 * when the upstream says so.
 */
export class UnauthenticatedError extends GatewayError {
  constructor(message: string, options?: ErrorOptions) {
    super('UNAUTHENTICATED', message, {}, options);
  }
}

/** The limit that a request exceeds, the measured value, and the setting that raises the limit. */
export interface LimitExcess {
  readonly limit: number;
  /** If counting stops at the limit: one more than the limit. */
  readonly measured: number;
  /** Absent: no setting raises the limit. */
  readonly setting?: string;
}

/** A request exceeds a limit. Surfaces as the whole response: nothing of it is executed. */
export class OperationTooComplexError extends GatewayError {
  /** The setting that raises the limit, or of which the limit is a multiple. */
  readonly setting: string | undefined;

  /** @param subject says what exceeds the limit, and the measured value; the limit is added */
  constructor(subject: string, { limit, measured, setting }: LimitExcess, options?: ErrorOptions) {
    const message = `${subject}; at most ${limit} are allowed${setting === undefined ? '' : ` (${setting})`}.`;
    super('OPERATION_TOO_COMPLEX', message, { limit, measured }, options);
    this.setting = setting?.split(' ').at(-1);
  }
}

/**
 * Too many fields and items failed, so the operation is aborted. Surfaces as the whole response;
 * its cause is the first failure.
 */
export class TooManyErrorsError extends OperationTooComplexError {
  constructor(limit: number, firstError: unknown) {
    const limitExcess = { limit, measured: limit + 1, setting: 'MAX_ERRORS' };
    super(`The operation was aborted after ${limit + 1} errors`, limitExcess, {
      cause: firstError,
    });
  }
}

/** The body of a request is too large. Surfaces as the whole response (HTTP 413). */
export class BodyTooLargeError extends OperationTooComplexError {
  /** @param bytes absent: only known to be more than the limit */
  constructor(limit: number, bytes?: number) {
    super(`The body has ${bytes ?? `more than ${limit}`} bytes`, {
      limit,
      measured: bytes ?? limit + 1,
      setting: 'MAX_BODY_BYTES',
    });
  }
}

/**
 * An operation needs more upstream requests, or bytes of their responses, than its budget has.
 * Surfaces at each field that is not loaded for this reason.
 */
export class BudgetExceededError extends GatewayError {
  constructor(resource: keyof typeof BUDGETS, limit: number) {
    const { toAllowance, setting } = BUDGETS[resource];
    const message = `This operation may ${toAllowance(limit)} (${setting}) and needs more. Request fewer objects in one operation.`;
    super('UPSTREAM_BUDGET_EXCEEDED', message);
  }
}

const BUDGETS = {
  requests: {
    toAllowance: (limit: number) => `send ${limit} upstream requests`,
    setting: 'MAX_UPSTREAM_REQUESTS',
  },
  bytes: {
    toAllowance: (limit: number) => `read ${limit} bytes from the Revox API`,
    setting: 'MAX_UPSTREAM_BYTES',
  },
};
