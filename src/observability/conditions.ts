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
  /** @param code of the reason; undefined: the condition has ended */
  onRedisStatusChange(message: string, name: 'redis' | 'redis-writes', code?: string): void;
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
    onRedisStatusChange(message, name, code) {
      if (code === undefined) redis[name].end();
      else redis[name].report(toRedisCause(code), { describe: () => message });
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

/** By the kind of an error reply, the class of an error, or a code of the gateway. */
const REDIS_CAUSES: { readonly [code: string]: RedisCause } = {
  READONLY: 'read-only',
  OOM: 'out-of-memory',
  LOADING: 'not-serving',
  MASTERDOWN: 'not-serving',
  CLUSTERDOWN: 'not-serving',
  TRYAGAIN: 'not-serving',
  UNSERVED_SLOTS: 'not-serving',
  NoSlotsError: 'not-serving',
  NoMasterError: 'not-serving',
  // A node of a cluster names another node, and REDIS_CLUSTER is off.
  MOVED: 'redirect',
  NotClusterError: 'invalid-response',
  NotRedisError: 'invalid-response',
  NOAUTH: 'unauthorized',
  WRONGPASS: 'unauthorized',
  NOPERM: 'forbidden',
};

function toRedisCause(code: string): RedisCause {
  if (code.startsWith('no reply')) return 'response-timeout';
  return REDIS_CAUSES[code] ?? toFailureCauseKind(code);
}
