/** The codes that stand in `errors[].extensions.code`. Outsiders rely on them. */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'OPERATION_TOO_COMPLEX'
  | 'PERSISTED_QUERY_NOT_FOUND'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'RATE_LIMITED'
  | 'UPSTREAM_UNAVAILABLE'
  | 'UPSTREAM_TIMEOUT'
  | 'UPSTREAM_INVALID_RESPONSE'
  | 'UPSTREAM_REJECTED'
  | 'UPSTREAM_BUDGET_EXCEEDED'
  | 'INTERNAL_SERVER_ERROR';

/** What of an error may be shown beside its code. */
export type PublicDetails = {
  readonly status?: number;
  readonly retryAfter?: number;
  readonly limit?: number;
  readonly measured?: number;
};

/**
 * An error whose message and details are ours and may be shown as they are.
 * Everything else that is thrown surfaces as `INTERNAL_SERVER_ERROR` with a message that says nothing.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly details: PublicDetails;

  constructor(code: ErrorCode, message: string, details: PublicDetails = {}, options?: ErrorOptions) {
    super(toBoundedMessage(message), options);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** A message may repeat what a request brought, and that may be a megabyte. */
export const MAX_MESSAGE_LENGTH = 2_000;

/** Takes out the middle of a longer message: it begins with what is wrong, and may end with what would be right. */
export function toBoundedMessage(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  const half = MAX_MESSAGE_LENGTH / 2;
  return `${message.slice(0, half)}…${message.slice(1 - half)}`;
}

/** The caller asked for something that cannot be: the message says what was wrong and what would be right. Surfaces at the field. */
export class UserInputError extends GatewayError {
  constructor(message: string) {
    super('BAD_USER_INPUT', message);
  }
}

/** Nobody was named, or nobody we know. Surfaces as the whole answer (HTTP 401), or at the field when the upstream says so. */
export class UnauthenticatedError extends GatewayError {
  constructor(message: string, options?: ErrorOptions) {
    super('UNAUTHENTICATED', message, {}, options);
  }
}

/** Which limit a request is over, by how much, and the setting that raises it. */
export interface LimitExcess {
  readonly limit: number;
  /** Where counting stops at the limit: one more. */
  readonly measured: number;
  /** Absent: none does. */
  readonly setting?: string;
}

/** A request asks for more than one may. Surfaces as the whole answer: nothing of it is executed. */
export class OperationTooComplexError extends GatewayError {
  /** What raises the limit, or that of which the limit is a multiple. */
  readonly setting: string | undefined;

  /** @param subject says what is too much, and how much it is; the limit is added */
  constructor(subject: string, { limit, measured, setting }: LimitExcess, options?: ErrorOptions) {
    const message = `${subject}; at most ${limit} are allowed${setting === undefined ? '' : ` (${setting})`}.`;
    super('OPERATION_TOO_COMPLEX', message, { limit, measured }, options);
    this.setting = setting?.split(' ').at(-1);
  }
}

/** So many fields and items failed that the operation is given up. Surfaces as the whole answer; its cause is the first failure. */
export class TooManyErrorsError extends OperationTooComplexError {
  constructor(limit: number, firstError: unknown) {
    const limitExcess = { limit, measured: limit + 1, setting: 'MAX_ERRORS' };
    super(`The operation is given up after ${limit + 1} errors`, limitExcess, { cause: firstError });
  }
}

/** A body is larger than is taken. Surfaces as the whole answer (HTTP 413). */
export class BodyTooLargeError extends OperationTooComplexError {
  /** @param bytes absent: only that there are more of them is known */
  constructor(limit: number, bytes?: number) {
    super(`The body has ${bytes ?? `more than ${limit}`} bytes`, {
      limit,
      measured: bytes ?? limit + 1,
      setting: 'MAX_BODY_BYTES',
    });
  }
}

/** One operation needs more upstream requests, or bytes of their responses, than it may have. Surfaces at each field that is not loaded for that. */
export class BudgetExceededError extends GatewayError {
  constructor(resource: keyof typeof BUDGETS, limit: number) {
    const { toAllowance, setting } = BUDGETS[resource];
    const message = `This operation may ${toAllowance(limit)} (${setting}) and needs more. Ask for fewer objects at a time.`;
    super('UPSTREAM_BUDGET_EXCEEDED', message);
  }
}

const BUDGETS = {
  requests: { toAllowance: (limit: number) => `send ${limit} upstream requests`, setting: 'MAX_UPSTREAM_REQUESTS' },
  bytes: { toAllowance: (limit: number) => `read ${limit} bytes from the Revox API`, setting: 'MAX_UPSTREAM_BYTES' },
};
