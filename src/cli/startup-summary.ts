import type { Settings } from '#config/settings.ts';
import { readTrustedDocuments } from '#config/trusted-documents.ts';
import type { LogFields } from '#observability/log.ts';
import type { Summary } from './summary.ts';

/**
 * What is in effect: the mode, the accepted requests, the upstream, the tools, the limits and the
 * cache. It contains no key, no password and no secret.
 * @param address the host and port that clients connect to, as in a URL
 */
export function summarizeSettings(settings: Settings, address: string): Summary {
  const documentCount = countTrustedDocuments(settings);
  const redis = describeRedis(settings.cache);
  return {
    message: 'Settings',
    lines: [
      ['mode', describeMode(settings)],
      ['access', describeAccess(settings)],
      ['upstream', describeUpstream(settings)],
      ['on', describeTools(settings)],
      ['documents', describeDocuments(settings, documentCount)],
      ['limits', describeLimits(settings)],
      ['cache', `${toSize(settings.cache.maxBytes)} in memory, ${redis?.text ?? 'no Redis'}`],
      ...describeWebhooks(settings),
      ['CORS', settings.corsOrigins.join(', ') || 'closed to pages of other origins'],
      ['metrics', `http://${address}${settings.basePath}/metrics`],
    ],
    fields: {
      mode: settings.revox.apiKey === undefined ? 'pass-through' : 'service',
      access: {
        openOnLoopback: isOpen(settings),
        routerSecrets: settings.routerSecrets.length,
        jwtIssuer: settings.jwt?.issuer,
        jwtAudience: settings.jwt?.audience,
        jwtScopes: settings.jwt?.scopes,
      },
      upstream: {
        baseUrl: settings.revox.baseUrl,
        proxy: proxyOf(settings),
        firstPage: settings.revox.firstPage,
        arrayFormat: settings.revox.arrayFormat,
        pageSize: settings.revox.pageSize,
      },
      graphiql: settings.graphiql,
      introspection: settings.introspection,
      upstreamTrace: settings.upstreamTrace,
      openTelemetry: settings.tracing.isEnabled,
      trustedDocuments: { count: documentCount, only: settings.trustedDocuments.trustedOnly },
      limits: limitsOf(settings),
      cache: { maxBytes: settings.cache.maxBytes, redis: redis?.fields ?? null },
      webhookSecrets: settings.live.webhookSecrets.length,
      corsOrigins: settings.corsOrigins,
      metrics: `${settings.basePath}/metrics`,
    },
  };
}

/** The gateway has read them, too: they are valid, and reading them again takes milliseconds. */
function countTrustedDocuments({ trustedDocuments: { path } }: Settings): number {
  return path === undefined ? 0 : readTrustedDocuments(path).length;
}

function describeMode({ revox }: Settings): string {
  return revox.apiKey === undefined
    ? 'pass-through: each request brings its own Revox API key'
    : 'service: the gateway reads with REVOX_API_KEY';
}

function isOpen({ revox, routerSecrets, jwt }: Settings): boolean {
  return revox.apiKey !== undefined && routerSecrets.length === 0 && jwt === undefined;
}

function describeAccess(settings: Settings): string {
  const { revox, routerSecrets, jwt } = settings;
  if (isOpen(settings))
    return 'open on loopback: every program on this machine, without a credential';
  const secret =
    routerSecrets.length === 1
      ? 'the router secret'
      : routerSecrets.length > 1 && `one of ${routerSecrets.length} router secrets`;
  if (revox.apiKey === undefined)
    return secret
      ? `requests with ${secret}, and with a Revox API key`
      : 'requests with a Revox API key';
  const scopes = jwt && jwt.scopes.length > 0 ? ` that grants ${jwt.scopes.join(' ')}` : '';
  const token = jwt && `a bearer token of ${jwt.issuer} for ${jwt.audience}${scopes}`;
  return `requests with ${[secret, token].filter(Boolean).join(', or with ')}`;
}

function describeUpstream(settings: Settings): string {
  const { baseUrl, firstPage, arrayFormat, pageSize } = settings.revox;
  const proxy = proxyOf(settings);
  return [
    baseUrl,
    ...(proxy === undefined ? [] : [`through the proxy ${proxy}`]),
    `first page ${firstPage}`,
    `array format ${arrayFormat}`,
    `${pageSize} items a page`,
  ].join(', ');
}

/** Without user and password. */
function proxyOf({ revox: { baseUrl, proxies } }: Settings): string | undefined {
  const url = baseUrl.startsWith('https:') ? (proxies?.https ?? proxies?.http) : proxies?.http;
  return url === undefined ? undefined : new URL(url).host;
}

function describeTools(settings: Settings): string {
  const tools = {
    GraphiQL: settings.graphiql,
    introspection: settings.introspection,
    'upstream trace': settings.upstreamTrace,
    OpenTelemetry: settings.tracing.isEnabled,
  };
  const isOn = Object.entries(tools).flatMap(([name, on]) => (on ? [name] : []));
  const isOff = Object.entries(tools).flatMap(([name, on]) => (on ? [] : [name]));
  return [isOn.join(', ') || 'nothing', isOff.length > 0 && `off: ${isOff.join(', ')}`]
    .filter(Boolean)
    .join('; ');
}

function describeDocuments({ trustedDocuments }: Settings, count: number): string {
  if (trustedDocuments.path === undefined) return 'any; no trusted documents';
  return `${count} trusted, ${trustedDocuments.trustedOnly ? 'and no others' : 'and any others'}`;
}

function limitsOf(settings: Settings): LogFields {
  const { limits } = settings;
  return {
    requestDeadlineMs: settings.requestDeadlineMs,
    upstreamTimeoutMs: settings.revox.timeoutMs,
    maxUpstreamRequests: settings.maxUpstreamRequests,
    maxConcurrency: settings.revox.maxConcurrency,
    maxCost: limits.cost,
    maxDepth: limits.depth,
    maxBodyBytes: limits.bodyBytes,
    maxAnswerBytes: limits.responseBytes,
    maxConnections: settings.maxConnections,
  };
}

function describeLimits(settings: Settings): string {
  const { limits, revox } = settings;
  return [
    `${settings.requestDeadlineMs / 1_000} s and ${settings.maxUpstreamRequests} upstream requests an operation`,
    `${revox.maxConcurrency} upstream requests at once for a key`,
    `cost ${limits.cost}`,
    `depth ${limits.depth}`,
  ].join(', ');
}

/** Hosts and TLS. The user, the password and the number of the database are not shown. */
function describeRedis({
  redisUrl,
  redisSentinels,
  redisClusterNodes,
  redisTls,
}: Settings['cache']): { readonly text: string; readonly fields: LogFields } | undefined {
  if (redisUrl === undefined) return undefined;
  const { host, protocol } = new URL(redisUrl);
  const sentinels = redisSentinels.map((url) => new URL(url).host);
  const isTls = protocol === 'rediss:';
  const tls = isTls ? (redisTls.isVerified ? 'TLS' : 'TLS without verification') : 'no TLS';
  const clusterNodes = redisClusterNodes?.map((url) => new URL(url).host);
  const bySentinels = sentinels.length > 0 ? ` by sentinels ${sentinels.join(', ')}` : '';
  const address = clusterNodes
    ? `Cluster ${[host, ...clusterNodes].join(', ')}`
    : `${host}${bySentinels}`;
  return {
    text: `Redis ${address} (${tls})`,
    fields: {
      host,
      sentinels,
      clusterNodes,
      tls: isTls,
      tlsVerified: isTls && redisTls.isVerified,
    },
  };
}

/** The route without its secret. No line if webhooks are off. */
function describeWebhooks({ live, basePath }: Settings): [label: string, text: string][] {
  const count = live.webhookSecrets.length;
  if (count === 0) return [];
  const secrets = count === 1 ? 'the secret' : `one of ${count} secrets`;
  return [['webhooks', `POST ${basePath}/webhooks/revox/ with ${secrets} at the end`]];
}

function toSize(bytes: number): string {
  return bytes === 0 ? 'nothing' : `${Number((bytes / 2 ** 20).toFixed(1))} MiB`;
}
