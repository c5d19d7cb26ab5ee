import {
  type FailureCause,
  type FailureCauseKind,
  toFailureCauseKind,
} from '#errors/failure-cause.ts';
import {
  type ConditionLogOptions,
  type ConditionState,
  createConditionLog,
} from './condition-log.ts';
import {
  createUpstreamConditions,
  type UpstreamConditions,
  type UpstreamConditionsOptions,
} from './upstream-conditions.ts';

/** The conditions of all servers that the gateway depends on. */
export interface Conditions {
  readonly upstream: UpstreamConditions;
  /** @param reason a code or a text without addresses; undefined: the condition has ended */
  onRedisStatusChange(message: string, name: 'redis' | 'redis-writes', reason?: string): void;
  onKeysFetchFailed(cause: FailureCause, message: string): void;
  onKeysFetched(): void;
  /** The conditions that have occurred, for `/ready` and the metrics. */
  readStates(): readonly ConditionState[];
  close(): void;
}

export type ConditionsOptions = ConditionLogOptions &
  Omit<UpstreamConditionsOptions, 'conditionLog'>;

type RedisCause = FailureCauseKind | 'read-only' | 'out-of-memory' | 'not-serving';

export function createConditions(options: ConditionsOptions): Conditions {
  const conditionLog = createConditionLog(options);
  const upstream = createUpstreamConditions({ ...options, conditionLog });
  const redis = {
    redis: conditionLog.create<RedisCause>({
      name: 'redis',
      level: 'error',
      describeEnd: (duration) =>
        `Redis is available again after ${duration}. The gateway uses it as the shared cache.`,
    }),
    'redis-writes': conditionLog.create<RedisCause>({
      name: 'redis-writes',
      level: 'error',
      describeEnd: (duration) =>
        `Redis accepts writes again after ${duration}. The gateway stores new responses in Redis, too.`,
    }),
  };
  const issuer = conditionLog.create<FailureCauseKind>({
    name: 'issuer',
    level: 'error',
    describeEnd: (duration, count) =>
      `The keys of JWT_JWKS_URL can be fetched again after ${duration}; ${count} ${count === 1 ? 'fetch' : 'fetches'} failed.`,
  });

  return {
    upstream,
    onRedisStatusChange(message, name, reason) {
      if (reason === undefined) redis[name].end();
      else redis[name].report(toRedisCause(reason), { describe: () => message });
    },
    onKeysFetchFailed(cause, message) {
      issuer.report(cause.kind, {
        describe: () => message,
        fields: { code: cause.code, status: cause.status },
      });
    },
    onKeysFetched: () => issuer.end(),
    readStates() {
      upstream.refresh();
      return conditionLog.readStates();
    },
    close: conditionLog.close,
  };
}

const REDIS_CAUSES: { readonly [reason: string]: RedisCause } = {
  READONLY: 'read-only',
  OOM: 'out-of-memory',
  LOADING: 'not-serving',
  MASTERDOWN: 'not-serving',
  CLUSTERDOWN: 'not-serving',
  NOAUTH: 'unauthorized',
  WRONGPASS: 'unauthorized',
  NOPERM: 'forbidden',
};

function toRedisCause(reason: string): RedisCause {
  if (reason.startsWith('no reply')) return 'response-timeout';
  if (reason.includes('like Redis')) return 'invalid-response';
  return REDIS_CAUSES[reason] ?? toFailureCauseKind(reason);
}
