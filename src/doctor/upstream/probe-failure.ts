import type { Settings } from '#config/settings.ts';
import { describeFailure } from '#errors/describe-failure.ts';
import { type FailingServer, toRevoxServer } from '#errors/failing-server.ts';
import {
  type FailureCause,
  toRequestTarget,
  toStatusCause,
  toTransportCause,
} from '#errors/failure-cause.ts';
import { parseRetryAfterMs } from '#rest/resilience/retry-after.ts';
import { isSuccess } from '#rest/transport/transport.ts';
import type { ConnectionLog } from './connection-log.ts';
import { type Probe, toEndpoint } from './probe-client.ts';

/** Why a request has no usable response, and the settings that mend it. */
export interface ProbeFailure {
  readonly cause: FailureCause;
  readonly message: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** @returns undefined for a usable response */
export function toProbeFailure(
  probe: Probe,
  settings: Settings,
  connectionLog: Pick<ConnectionLog, 'failedHosts'>,
): ProbeFailure | undefined {
  const cause =
    probe.status === undefined
      ? toConnectionCause(probe, settings, connectionLog)
      : toResponseCause(probe, probe.status, settings);
  if (!cause) return undefined;
  const { sentence, advice } = describeFailure(cause, toServer(settings));
  const newBaseUrl = toNewBaseUrl(cause, probe, settings.revox.baseUrl);
  return {
    cause,
    message: `${sentence} ${toRetryAdvice(cause, probe) ?? advice}`,
    ...(newBaseUrl !== undefined && { settings: { REVOX_BASE_URL: newBaseUrl } }),
  };
}

/** Whether undici's `host` of a connection is that of a URL: only one of them may name the port. */
export function isSameHost(host: string, url: string): boolean {
  const { hostname, port, protocol } = new URL(url);
  const defaultPort = protocol === 'https:' ? '443' : '80';
  return [hostname, `${hostname}:${port || defaultPort}`].includes(host);
}

/** The time limits have their values, too: the reader may want to change them. */
function toServer({ revox: { baseUrl, timeoutMs, timeouts } }: Settings): FailingServer {
  return toRevoxServer(baseUrl, {
    timeouts: {
      connect: `REVOX_CONNECT_TIMEOUT_MS (${timeouts.connectMs} ms)`,
      headers: `REVOX_HEADERS_TIMEOUT_MS (${timeouts.headersMs} ms)`,
      body: `REVOX_BODY_TIMEOUT_MS (${timeouts.bodyMs} ms)`,
      response: `REVOX_TIMEOUT_MS (${timeoutMs} ms)`,
    },
  });
}

function toConnectionCause(
  { error, isTimeout }: Probe,
  { revox: { baseUrl, proxies } }: Settings,
  { failedHosts }: Pick<ConnectionLog, 'failedHosts'>,
): FailureCause {
  if (isTimeout) return { kind: 'response-timeout', stage: 'response' };
  const cause = toTransportCause(error, toRequestTarget(baseUrl, [proxies?.http, proxies?.https]));
  // Not every error of a connection names its port.
  const proxy = failedHosts.find((failed) => !isSameHost(failed, baseUrl));
  return proxy === undefined ? cause : { kind: 'proxy', code: cause.code, hosts: [proxy] };
}

function toResponseCause(
  { path, header, isWebPage, json }: Probe,
  status: number,
  { revox: { baseUrl } }: Settings,
): FailureCause | undefined {
  const cause = toStatusCause(status, header('location'), baseUrl);
  if (isWebPage && cause?.kind !== 'redirect') return { kind: 'web-page', status };
  if (cause) return cause.kind === 'not-found' ? { ...cause, endpoint: toEndpoint(path) } : cause;
  if (status === 401) return { kind: 'unauthorized', status };
  if (status === 403) return { kind: 'forbidden', status };
  if (!isSuccess(status)) return { kind: 'invalid-response', status, problem: `status ${status}` };
  return json === undefined ? { kind: 'invalid-response', status, problem: 'not JSON' } : undefined;
}

/** The upstream's own advice after a 429, in place of the general one. */
function toRetryAdvice({ kind }: FailureCause, { header }: Probe): string | undefined {
  const ms = parseRetryAfterMs(header, Date.parse(header('date') ?? ''));
  return kind === 'rate-limited' && ms !== undefined && Number.isFinite(ms)
    ? `Try again in ${Math.ceil(ms / 1000)} seconds.`
    : undefined;
}

function toNewBaseUrl(cause: FailureCause, probe: Probe, baseUrl: string): string | undefined {
  if (cause.kind === 'redirect') {
    const target = URL.parse(probe.header('location') ?? '', `${baseUrl}${probe.path}`);
    const newBaseUrl = target ? toBaseUrl(target, probe.path) : undefined;
    return newBaseUrl === baseUrl ? undefined : newBaseUrl;
  }
  // The documented base URL ends with `/api`, which is easily left out.
  const { origin, pathname } = new URL(baseUrl);
  const isPathLikely = cause.kind === 'not-found' || cause.kind === 'web-page';
  return isPathLikely && pathname === '/' ? `${origin}/api` : undefined;
}

/** The upstream chooses the target: a shell must not find anything to execute in it. */
const PASTABLE = /^[\w.:/[\]~-]+$/;

/** The base URL that leads to the target of a redirect; undefined if the target is another page. */
function toBaseUrl({ protocol, origin, pathname, search, hash }: URL, path: string) {
  const isSamePage = pathname.endsWith(path) && search === '' && hash === '';
  const baseUrl = origin + pathname.slice(0, -path.length);
  return isSamePage && /^https?:$/.test(protocol) && PASTABLE.test(baseUrl) ? baseUrl : undefined;
}
