import { describeFailure, explainFailure } from '#errors/describe-failure.ts';
import { toRevoxServer } from '#errors/failing-server.ts';
import {
  CAUSES_WITHOUT_RESPONSE,
  type FailureCause,
  type FailureCauseKind,
} from '#errors/failure-cause.ts';
import { plural } from '#plural.ts';
import type {
  CircuitChange,
  CircuitScope,
  RequestOutcome,
  UpstreamState,
} from '#rest/upstream-events.ts';
import type { Condition, ConditionLog } from './condition-log.ts';

export interface UpstreamConditionsOptions {
  readonly conditionLog: Pick<ConditionLog, 'create'>;
  /** The URL of the API; only its host is logged. */
  readonly baseUrl: string;
  /** Who owns the API key. */
  readonly keyHolder: 'gateway' | 'caller';
  readonly upstreamState: () => Pick<UpstreamState, 'circuits' | 'coolingDown'>;
  /** A monotonic clock, in ms. */
  readonly monotonicNow: () => number;
}

/** The conditions of the upstream: it fails, it limits the rate, or a circuit breaker is open. */
export interface UpstreamConditions {
  /** An upstream request has ended. */
  onOutcome(outcome: RequestOutcome): void;
  onCircuitChange(change: CircuitChange, scope: CircuitScope): void;
  /** @param ms the cooldown, in ms */
  onRateLimited(ms: number): void;
  /** Ends conditions that have ended without an event. */
  refresh(): void;
}

/**
 * Failures in a row that begin the condition once a request has succeeded: a single failure may
 * concern one object only, or be over with its retry. Before the first success, one failure does.
 */
const MIN_FAILURES = 3;

/** How often a success checks for conditions that have ended, in ms. */
const REFRESH_INTERVAL_MS = 1_000;

const WITHOUT_RESPONSE = new Set<string | undefined>(CAUSES_WITHOUT_RESPONSE);

const CIRCUITS = {
  connection: 'The circuit breaker of all connections to the Revox API',
  endpoint: 'A circuit breaker of one caller and endpoint of the Revox API',
} as const;

export function createUpstreamConditions({
  conditionLog,
  baseUrl,
  keyHolder,
  upstreamState,
  monotonicNow,
}: UpstreamConditionsOptions): UpstreamConditions {
  const server = toRevoxServer(baseUrl, {
    keySetting: keyHolder === 'gateway' ? 'REVOX_API_KEY' : 'the key of a caller',
  });
  const failing: Condition<FailureCauseKind> = conditionLog.create({
    name: 'upstream',
    level: 'error',
    describeEnd: (duration, count) =>
      `The Revox API works again after ${duration}; ${plural(count, 'upstream request')} failed.`,
  });
  const rateLimit: Condition<FailureCauseKind> = conditionLog.create({
    name: 'rate-limit',
    level: 'warn',
    describeEnd: (duration, count) =>
      `The rate limit of the Revox API is over after ${duration}; ${plural(count, 'response')} had status 429.`,
  });
  const circuits: Readonly<Record<CircuitScope, Condition<CircuitChange>>> = {
    connection: conditionLog.create(toCircuitOptions('connection')),
    endpoint: conditionLog.create(toCircuitOptions('endpoint')),
  };
  const conditions = [failing, rateLimit, circuits.connection, circuits.endpoint];
  /** Failures since the last success. */
  let failures = { count: 0, startedAt: 0 };
  let hasSucceeded = false;
  /** Whether a success changes nothing: the common case, checked for each request. */
  let isCalm = false;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  /** When the last cooldown is over: no request may follow for hours. */
  let cooldownEndsAt = Number.NEGATIVE_INFINITY;

  return {
    onOutcome(outcome) {
      if (outcome.failure === undefined) {
        if (!isCalm) onSuccess();
      } else if (outcome.cause && outcome.cause.kind !== 'rate-limited') onFailure(outcome.cause);
      else if (outcome.status !== null && WITHOUT_RESPONSE.has(failing.cause)) failing.end();
    },
    onCircuitChange(change, scope) {
      isCalm = false;
      if (change === 'closed') endCircuits();
      else if (change === 'opened' || circuits[scope].isActive)
        circuits[scope].report(change, { describe: () => describeCircuit(change, scope) });
    },
    onRateLimited(ms) {
      isCalm = false;
      cooldownEndsAt = Math.max(cooldownEndsAt, monotonicNow() + ms);
      rateLimit.report('rate-limited', {
        describe() {
          const { sentence, advice } = describeFailure(
            { kind: 'rate-limited', status: 429 },
            server,
          );
          return `${sentence} The gateway sends no request with that key for ${Math.ceil(ms / 1_000)} s. ${advice}`;
        },
        fields: { cooldownMs: Math.round(ms) },
      });
    },
    refresh,
  };

  function onSuccess(): void {
    hasSucceeded = true;
    failures.count = 0;
    failing.end();
    if (monotonicNow() - refreshedAt >= REFRESH_INTERVAL_MS) refresh();
    isCalm = !conditions.some(({ isActive }) => isActive);
  }

  function onFailure(cause: FailureCause): void {
    isCalm = false;
    const earlier = failures.count === 0 ? { count: 0, startedAt: monotonicNow() } : failures;
    failures = { ...earlier, count: earlier.count + 1 };
    if (!failing.isActive && hasSucceeded && failures.count < MIN_FAILURES) return;
    failing.report(cause.kind, {
      describe(isFirst) {
        return `The Revox API ${isFirst ? 'fails' : 'still fails'}: ${explainFailure(cause, server)}`;
      },
      fields: { code: cause.code, status: cause.status },
      earlier,
    });
  }

  function refresh(): void {
    refreshedAt = monotonicNow();
    if (rateLimit.isActive && upstreamState().coolingDown === 0)
      rateLimit.end(Math.min(cooldownEndsAt, refreshedAt));
    endCircuits();
  }

  /** Ends the conditions whose circuits are all closed: a circuit that is not used expires. */
  function endCircuits(): void {
    if (!circuits.connection.isActive && !circuits.endpoint.isActive) return;
    const state = upstreamState().circuits;
    if (state.connection.openCount === 0) circuits.connection.end();
    if (state.endpoint.openCount === 0) circuits.endpoint.end();
  }
}

function toCircuitOptions(scope: CircuitScope) {
  return {
    name: `circuit-${scope}`,
    level: 'warn',
    describeEnd: (duration: string) =>
      scope === 'connection'
        ? `${CIRCUITS.connection} is closed again after ${duration}.`
        : `All circuit breakers of the Revox API are closed again after ${duration}.`,
  } as const;
}

function describeCircuit(change: CircuitChange, scope: CircuitScope): string {
  return change === 'half-open'
    ? `${CIRCUITS[scope]} is half-open: the gateway sends a probe.`
    : `${CIRCUITS[scope]} is open: the gateway sends no request until a probe succeeds.`;
}
