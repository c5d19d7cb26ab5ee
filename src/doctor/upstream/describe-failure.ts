import type { Settings } from '#config/settings.ts';
import { isSuccess } from '#rest/transport/transport.ts';
import type { ConnectionLog } from './connection-log.ts';
import { type Probe, toEndpoint } from './probe-client.ts';

/** The cause of a failed request in one sentence, and the settings that mend it. */
export interface Cause {
  /** The code of the error, or the status. */
  readonly code: string;
  readonly message: string;
  readonly settings?: Readonly<Record<string, string>>;
}

interface Scene {
  readonly code: string;
  readonly host: string;
  readonly settings: Settings;
  readonly error: unknown;
}

/**
 * Explains why a request has no usable response.
 * @returns undefined for a usable response
 */
export function describeFailure(
  probe: Probe,
  settings: Settings,
  { failedHosts }: Pick<ConnectionLog, 'failedHosts'>,
): Cause | undefined {
  const { host } = new URL(settings.revox.baseUrl);
  if (probe.status !== undefined) return describeResponse(probe, settings);
  const code = codeOf(probe.error, probe.isTimeout);
  // A proxy that is down fails for its own connection, and for the one through it.
  const proxy = failedHosts.find((failed) => !isSameHost(failed, settings.revox.baseUrl));
  if (proxy !== undefined) return { code, message: describeProxyError(proxy, code) };
  const scene = { code, host, settings, error: probe.error };
  return { code, message: describeConnectionError(scene) };
}

/** Whether undici's `host` of a connection is that of a URL: only one of them may name the port. */
export function isSameHost(host: string, url: string): boolean {
  const { hostname, port, protocol } = new URL(url);
  const defaultPort = protocol === 'https:' ? '443' : '80';
  return [hostname, `${hostname}:${port || defaultPort}`].includes(host);
}

function describeProxyError(host: string, code: string): string {
  return `The proxy ${host} cannot be reached (${code}): check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.`;
}

function describeConnectionError(scene: Scene): string {
  const { code, host, settings, error } = scene;
  const { timeoutMs, timeouts } = settings.revox;
  const proxyStatus = /Proxy response \((\d+)\)/.exec(messageOf(error))?.[1];
  if (proxyStatus !== undefined)
    return `The proxy refuses to connect to ${host} with status ${proxyStatus}: check the user and the password in HTTPS_PROXY, and the rules of the proxy.`;
  switch (code) {
    case 'ECONNREFUSED':
      return `No server listens on ${host} (ECONNREFUSED): check host and port in REVOX_BASE_URL.`;
    case 'ENOTFOUND':
      return `The name ${host} has no address (ENOTFOUND): check the host in REVOX_BASE_URL, and the DNS of this machine.`;
    case 'EAI_AGAIN':
      return `The name servers of this machine do not respond for ${host} (EAI_AGAIN): check its DNS.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `No route leads to ${host} (${code}): check the network, or set HTTPS_PROXY if a proxy stands between.`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `${host} closes the connection without a response (${code}): if it expects TLS, REVOX_BASE_URL must begin with https://.`;
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `${host} accepts no connection within ${timeouts.connectMs} ms (${code}): check firewalls, or set HTTPS_PROXY if a proxy stands between.`;
    case 'TIMEOUT':
      return `${host} sends no complete response within ${timeoutMs} ms: the API is down or slow; REVOX_TIMEOUT_MS is the limit.`;
    case 'UND_ERR_HEADERS_TIMEOUT':
      return `${host} sends no headers within ${timeouts.headersMs} ms: the API is down or slow; REVOX_HEADERS_TIMEOUT_MS is the limit.`;
    case 'UND_ERR_BODY_TIMEOUT':
      return `${host} stops within a body for ${timeouts.bodyMs} ms: the API is slow; REVOX_BODY_TIMEOUT_MS is the limit.`;
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'HPE_HEADER_OVERFLOW':
      return `The response headers of ${host} exceed 16 KiB (${code}): check what a proxy adds to them.`;
    default:
      return describeTlsError(scene);
  }
}

function describeTlsError({ code, host, error }: Scene): string {
  if (code === 'CERT_HAS_EXPIRED')
    return `The certificate of ${host} has expired (${code}): its operator must renew it, unless the clock of this machine is wrong.`;
  if (code === 'CERT_NOT_YET_VALID')
    return `The certificate of ${host} is not valid yet (${code}): check the clock of this machine.`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `The certificate of ${host} is for another name${certificateNamesOf(error)} (${code}): use its name in REVOX_BASE_URL.`;
  if (code === 'DEPTH_ZERO_SELF_SIGNED_CERT' || code === 'SELF_SIGNED_CERT_IN_CHAIN')
    return `The certificate of ${host} is self-signed (${code}): set NODE_EXTRA_CA_CERTS to a file with the certificate of its authority, if you trust it.`;
  if (/^(UNABLE_TO_|CERT_|.*_CERT)/.test(code))
    return `The certificate of ${host} is from an authority that Node.js does not know (${code}): set NODE_EXTRA_CA_CERTS to a file with its certificate, if you trust it.`;
  if (/^(EPROTO|ERR_SSL_|ERR_TLS_)/.test(code))
    return `${host} does not speak TLS as expected (${code}): if it expects none, REVOX_BASE_URL must begin with http://.`;
  return `The request to ${host} fails (${code}).`;
}

/** The names in a certificate for another host, at most three. */
function certificateNamesOf(error: unknown): string {
  const { cert } = error as { cert?: { subjectaltname?: string } };
  const names = (cert?.subjectaltname ?? '').split(', ').map((name) => name.replace(/^.*?:/, ''));
  const shown = names.filter((name) => /^[\w.*:-]{1,100}$/.test(name)).slice(0, 3);
  return shown.length === 0 ? '' : `, ${shown.join(', ')}`;
}

function describeResponse(probe: Probe, settings: Settings): Cause | undefined {
  const { status = 0, isWebPage, json } = probe;
  const { host } = new URL(settings.revox.baseUrl);
  const code = String(status);
  if (status >= 300 && status <= 399) return describeRedirect(probe, settings);
  if (isWebPage && (status === 401 || status === 403))
    return {
      code,
      message: `${host} responds with a web page and status ${code}: a firewall or a login page stands in front of the API.`,
    };
  if (isWebPage)
    return {
      code,
      message: `${host} responds with a web page (status ${code}), not with JSON: ${pathAdvice(settings)}.`,
      ...suggestPath(settings),
    };
  if (status === 401)
    return {
      code,
      message:
        'The API refuses the key (401): check REVOX_API_KEY, and that REVOX_BASE_URL is the server that issued it.',
    };
  if (status === 403)
    return {
      code,
      message:
        'The API does not allow the key to read this data (403): check the permissions of the key, and firewalls between.',
    };
  if (status === 404 || status === 410)
    return {
      code,
      message: `${host} has no ${toEndpoint(probe.path)} at this base URL (${code}): ${pathAdvice(settings)}.`,
      ...suggestPath(settings),
    };
  if (status === 429)
    return { code, message: `The API limits the rate of requests (429)${retryAdvice(probe)}.` };
  if (status >= 500)
    return { code, message: `The API fails with status ${code}: try again later.` };
  if (!isSuccess(status))
    return { code, message: `The API rejects the request with status ${code}.` };
  if (json === undefined)
    return {
      code,
      message: `${host} responds with status ${code} and a body that is not JSON: ${pathAdvice(settings)}.`,
    };
  return undefined;
}

function retryAdvice({ header }: Probe): string {
  const seconds = header('retry-after');
  return seconds !== undefined && /^\d{1,9}$/.test(seconds)
    ? `: try again in ${seconds} seconds`
    : ': try again later';
}

function describeRedirect(probe: Probe, settings: Settings): Cause {
  const { baseUrl } = settings.revox;
  const { host } = new URL(baseUrl);
  const code = String(probe.status);
  const target = toTarget(probe, baseUrl);
  if (!target) return { code, message: `${host} redirects (${code}) without a usable target.` };
  const newBaseUrl = toBaseUrl(target, probe.path);
  const to = target.origin === new URL(baseUrl).origin ? 'another path' : target.origin;
  const message = `${host} redirects to ${to} (${code}), and the gateway follows no redirect, which could carry the key to another server: set REVOX_BASE_URL to the target.`;
  return newBaseUrl === undefined || newBaseUrl === baseUrl
    ? { code, message }
    : { code, message, settings: { REVOX_BASE_URL: newBaseUrl } };
}

function toTarget(probe: Probe, baseUrl: string): URL | undefined {
  const location = probe.header('location') ?? '';
  const base = `${baseUrl}${probe.path}`;
  return location !== '' && URL.canParse(location, base) ? new URL(location, base) : undefined;
}

/** The upstream chooses the target: a shell must not find anything to execute in it. */
const PASTABLE = /^[\w.:/[\]~-]+$/;

/** The base URL that leads to the target of a redirect; undefined if the target is another page. */
function toBaseUrl({ protocol, origin, pathname, search, hash }: URL, path: string) {
  const isSamePage = pathname.endsWith(path) && search === '' && hash === '';
  const baseUrl = origin + pathname.slice(0, -path.length);
  return isSamePage && /^https?:$/.test(protocol) && PASTABLE.test(baseUrl) ? baseUrl : undefined;
}

/** The documented base URL ends with `/api`, which is easily left out. */
function suggestPath({ revox: { baseUrl } }: Settings): Pick<Cause, 'settings'> {
  const { origin, pathname } = new URL(baseUrl);
  return pathname === '/' ? { settings: { REVOX_BASE_URL: `${origin}/api` } } : {};
}

function pathAdvice({ revox: { baseUrl } }: Settings): string {
  return new URL(baseUrl).pathname === '/'
    ? 'REVOX_BASE_URL lacks a path, such as /api'
    : 'check the path in REVOX_BASE_URL, which usually is /api';
}

function codeOf(error: unknown, isTimeout: boolean): string {
  if (isTimeout) return 'TIMEOUT';
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return cause.code;
  }
  return 'no code';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
