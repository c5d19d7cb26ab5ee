import { DEFAULT_CONNECTIONS, LOOPBACK_HOSTS } from '#config/groups/listening.ts';
import { MAX_CONNECTION_SHARE } from '#config/groups/live.ts';
import {
  COLLECTOR_ENDPOINTS,
  isCollectorEndpoint,
  isTracingEnabled,
} from '#config/groups/observability.ts';

/** Environment variables by name. */
export type Environment = { readonly [name: string]: string | undefined };

/** A condition between several variables. Documentation and error message are the same words. */
export interface Condition {
  /** When the condition applies, in Markdown. */
  readonly when: string;
  /** What must hold then. */
  readonly problem: string;
  /** Replaces `problem` in the demo, which has a key of its own. */
  readonly demoProblem?: string;
  /** @param provided the variables that are not empty */
  isBroken(provided: Environment): boolean;
}

/**
 * The three variables without which no token can be checked: with half of them the gateway would
 * accept tokens that were issued for another service.
 */
const REQUIRED_FOR_JWT = ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'];

const isJwtConfigured = (provided: Environment) =>
  [...REQUIRED_FOR_JWT, 'JWT_SCOPE'].some((name) => provided[name] !== undefined);

export const conditions: readonly Condition[] = [
  {
    when: '`REVOX_API_KEY` is set, and neither `ROUTER_SECRETS` nor `JWT_JWKS_URL`',
    problem:
      'HOST must be 127.0.0.1, ::1 or localhost: with REVOX_API_KEY set, every client that reaches the gateway ' +
      'reads with your key. Set ROUTER_SECRETS or JWT_JWKS_URL to accept only authenticated clients.',
    demoProblem:
      'HOST must be 127.0.0.1, ::1 or localhost: the demo uses its own key for every request. Set ROUTER_SECRETS to accept only requests with a secret.',
    isBroken: ({ REVOX_API_KEY, ROUTER_SECRETS, JWT_JWKS_URL, HOST }) =>
      REVOX_API_KEY !== undefined &&
      ROUTER_SECRETS === undefined &&
      JWT_JWKS_URL === undefined &&
      HOST !== undefined &&
      !LOOPBACK_HOSTS.has(HOST),
  },
  ...REQUIRED_FOR_JWT.map((name) => ({
    when: 'a `JWT_…` variable is set',
    problem: `${name} must be set: tokens are checked against keys, issuer and audience together.`,
    isBroken: (provided: Environment) => isJwtConfigured(provided) && provided[name] === undefined,
  })),
  {
    when: 'a `JWT_…` variable is set',
    problem:
      'REVOX_API_KEY must be set with JWT_JWKS_URL: in pass-through mode `Authorization` carries the Revox key.',
    isBroken: (provided) => isJwtConfigured(provided) && provided.REVOX_API_KEY === undefined,
  },
  ...COLLECTOR_ENDPOINTS.map((name) => ({
    when: `traces are enabled, and \`${name}\` is set`,
    problem: `${name} must be an http or https URL, for example http://collector.example.com:4318.`,
    isBroken: (provided: Environment) =>
      isTracingEnabled(provided) &&
      provided[name] !== undefined &&
      !isCollectorEndpoint(
        provided[name],
        provided.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? provided.OTEL_EXPORTER_OTLP_PROTOCOL,
      ),
  })),
  {
    when: '`MAX_SUBSCRIPTIONS` is set',
    problem:
      'MAX_SUBSCRIPTIONS must be at most three quarters of MAX_CONNECTIONS, so that connections are left for queries.',
    isBroken: ({ MAX_SUBSCRIPTIONS, MAX_CONNECTIONS = DEFAULT_CONNECTIONS }) =>
      MAX_SUBSCRIPTIONS !== undefined &&
      Number(MAX_SUBSCRIPTIONS) > Number(MAX_CONNECTIONS) * MAX_CONNECTION_SHARE,
  },
  {
    when: '`SUBSCRIPTION_CALLBACK_URLS` is set',
    problem:
      'ROUTER_SECRETS must be set: only a router with a secret may have events sent to a callback URL.',
    isBroken: ({ SUBSCRIPTION_CALLBACK_URLS, ROUTER_SECRETS }) =>
      SUBSCRIPTION_CALLBACK_URLS !== undefined && ROUTER_SECRETS === undefined,
  },
  {
    when: '`WEBHOOK_SECRETS` is set',
    problem:
      'SUBSCRIPTIONS must be on: a webhook only makes the polls of subscriptions due, and there are none.',
    isBroken: ({ WEBHOOK_SECRETS, SUBSCRIPTIONS }) =>
      WEBHOOK_SECRETS !== undefined && SUBSCRIPTIONS === 'off',
  },
  {
    when: '`REDIS_SENTINELS` is set',
    problem:
      'REDIS_URL must be set: its host is the name of the master, for example redis://mymaster.',
    isBroken: ({ REDIS_SENTINELS, REDIS_URL }) =>
      REDIS_SENTINELS !== undefined && REDIS_URL === undefined,
  },
  {
    when: '`REDIS_CLUSTER` is `on`',
    problem:
      'REDIS_URL must be set: it names a node of the cluster, for example redis://10.0.0.1:6379.',
    isBroken: ({ REDIS_CLUSTER, REDIS_URL }) => REDIS_CLUSTER === 'on' && REDIS_URL === undefined,
  },
  {
    when: '`REDIS_CLUSTER` is `on`',
    problem: 'REDIS_URL must name no database but 0, because a cluster has no other.',
    isBroken: ({ REDIS_CLUSTER, REDIS_URL = '' }) =>
      REDIS_CLUSTER === 'on' &&
      URL.canParse(REDIS_URL) &&
      !/^\/?0*$/.test(new URL(REDIS_URL).pathname),
  },
  {
    when: '`REDIS_CLUSTER` is `on`',
    problem:
      'REDIS_SENTINELS must not be set: a cluster replaces failed masters itself, without Sentinels.',
    isBroken: ({ REDIS_CLUSTER, REDIS_SENTINELS }) =>
      REDIS_CLUSTER === 'on' && REDIS_SENTINELS !== undefined,
  },
  {
    when: '`REDIS_CLUSTER_NODES` is set',
    problem: 'REDIS_CLUSTER must be on: only a cluster has further nodes.',
    isBroken: ({ REDIS_CLUSTER, REDIS_CLUSTER_NODES }) =>
      REDIS_CLUSTER_NODES !== undefined && REDIS_CLUSTER !== 'on',
  },
  {
    when: '`REDIS_TLS_CA_FILE` is set, or `REDIS_TLS_VERIFY` is `off`',
    problem:
      'REDIS_URL must begin with rediss://, because the settings of TLS apply to no other URL.',
    isBroken: ({ REDIS_TLS_CA_FILE, REDIS_TLS_VERIFY, REDIS_URL = '' }) =>
      (REDIS_TLS_CA_FILE !== undefined || REDIS_TLS_VERIFY === 'off') &&
      !/^rediss:/i.test(REDIS_URL),
  },
  {
    when: '`REDIS_TLS_CA_FILE` is set',
    problem: 'REDIS_TLS_VERIFY must be on: without verification, REDIS_TLS_CA_FILE has no effect.',
    isBroken: ({ REDIS_TLS_CA_FILE, REDIS_TLS_VERIFY }) =>
      REDIS_TLS_CA_FILE !== undefined && REDIS_TLS_VERIFY === 'off',
  },
  {
    when: '`TRUSTED_DOCUMENTS_ONLY` is `on`',
    problem:
      'TRUSTED_DOCUMENTS must name a file or a directory: with TRUSTED_DOCUMENTS_ONLY=on, the gateway executes no other documents.',
    isBroken: ({ TRUSTED_DOCUMENTS_ONLY, TRUSTED_DOCUMENTS }) =>
      TRUSTED_DOCUMENTS_ONLY === 'on' && TRUSTED_DOCUMENTS === undefined,
  },
];
