import {
  milliseconds,
  type Values,
  type VariableGroup,
  variable,
  wholeNumber,
} from '#config/variable.ts';

/** The variables below state each meaning. */
export interface ResilienceSettings {
  readonly timeoutMs: number;
  /** Of the stages of one request; `timeoutMs` bounds all of them together. */
  readonly timeouts: {
    readonly connectMs: number;
    readonly headersMs: number;
    readonly bodyMs: number;
  };
  readonly retries: number;
  readonly breaker: {
    readonly failures: number;
    readonly openMs: number;
  };
  readonly maxConcurrency: number;
  readonly maxConcurrencyTotal: number;
  readonly maxQueued: number;
}

const variables = {
  REQUEST_DEADLINE_MS: variable(milliseconds(1), 30_000, 'Deadline of one operation.'),
  REVOX_TIMEOUT_MS: variable(
    milliseconds(1),
    10_000,
    'Timeout of one upstream request, from connecting to the last byte.',
  ),
  REVOX_CONNECT_TIMEOUT_MS: variable(
    milliseconds(1),
    3_000,
    'Timeout of the first stage of an upstream request: connecting.',
  ),
  REVOX_HEADERS_TIMEOUT_MS: variable(
    milliseconds(1),
    10_000,
    'Timeout of the second stage: waiting for the headers of the response.',
  ),
  REVOX_BODY_TIMEOUT_MS: variable(
    milliseconds(1),
    5_000,
    'Timeout of the third stage: waiting for the next part of the body.',
  ),
  REVOX_RETRIES: variable(
    wholeNumber(0, 10, 'retries'),
    2,
    'Maximum [retries](../guides/resilience.md#retries) of a failed request.',
  ),
  REVOX_BREAKER_FAILURES: variable(
    wholeNumber(1, 1_000_000, 'failures'),
    10,
    'Failures within ten to twenty seconds that open the [circuit breaker](../guides/resilience.md#circuit-breakers), if they are half of all requests.',
  ),
  REVOX_BREAKER_OPEN_MS: variable(
    milliseconds(1, 30_000),
    1_000,
    'How long the circuit breaker stays open at first. Each failed probe doubles it, up to 30 s.',
  ),
  REVOX_MAX_CONCURRENCY: variable(
    wholeNumber(1, 10_000, 'requests'),
    20,
    'Maximum upstream requests in flight for one credential; further requests queue. With `REDIS_URL`, this is an approximate limit over [all instances](../guides/resilience.md#several-instances).',
  ),
  REVOX_MAX_CONCURRENCY_TOTAL: variable(
    wholeNumber(1, 100_000, 'requests'),
    200,
    'Maximum upstream requests in flight for all credentials together, in one instance; further requests queue.',
  ),
  REVOX_MAX_QUEUE: variable(
    wholeNumber(1, 1_000_000, 'requests'),
    2_000,
    'Maximum queued upstream requests of one caller; further ones get `RATE_LIMITED` (as do requests beyond ten times that number for all callers together, except of a caller with fewer than ten).',
  ),
};

export const resilience = {
  title: 'Upstream failures',
  introduction: '[Resilience](../guides/resilience.md) explains the behaviour.',
  variables,
} satisfies VariableGroup;

export function toResilienceSettings(values: Values<typeof variables>): ResilienceSettings {
  return {
    timeoutMs: values.REVOX_TIMEOUT_MS,
    timeouts: {
      connectMs: values.REVOX_CONNECT_TIMEOUT_MS,
      headersMs: values.REVOX_HEADERS_TIMEOUT_MS,
      bodyMs: values.REVOX_BODY_TIMEOUT_MS,
    },
    retries: values.REVOX_RETRIES,
    breaker: { failures: values.REVOX_BREAKER_FAILURES, openMs: values.REVOX_BREAKER_OPEN_MS },
    maxConcurrency: values.REVOX_MAX_CONCURRENCY,
    maxConcurrencyTotal: values.REVOX_MAX_CONCURRENCY_TOTAL,
    maxQueued: values.REVOX_MAX_QUEUE,
  };
}
