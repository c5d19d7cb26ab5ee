/** The causes without a response: any response ends them, whatever its status. */
export const CAUSES_WITHOUT_RESPONSE = [
  'connection-refused',
  'unreachable',
  'name-not-found',
  'certificate',
  'tls',
  'connect-timeout',
  'response-timeout',
  'connection-closed',
  'proxy',
  'header-overflow',
] as const;

/**
 * Why a request to another server fails. A closed set: the kinds are labels of metrics, and the log
 * has a sentence for each. `rate-limited` is the only kind that is no fault.
 */
export const FAILURE_CAUSE_KINDS = [
  ...CAUSES_WITHOUT_RESPONSE,
  'redirect',
  'web-page',
  'unauthorized',
  'forbidden',
  'not-found',
  'invalid-response',
  'server-error',
  'rate-limited',
  'other',
] as const;

export type FailureCauseKind = (typeof FAILURE_CAUSE_KINDS)[number];

/** Contains nothing of a URL but a host, nothing of a body, and no key. */
export interface FailureCause {
  readonly kind: FailureCauseKind;
  /**
   * The code of the error, of the system, of OpenSSL or of undici: `ECONNREFUSED`. For an error
   * without a code, its name.
   */
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  /**
   * `redirect`: the host of the new address; absent if it has none. `certificate`: the names that
   * the certificate is for, if they do not match. `proxy`: the proxy that cannot be reached.
   */
  readonly hosts?: readonly string[] | undefined;
  /** `response-timeout`: the stage that took too long. */
  readonly stage?: TimeoutStage | undefined;
  /** `invalid-response`: what is wrong, in the gateway's own words. */
  readonly problem?: string | undefined;
  /** `not-found`: the path of the list, below the URL; absent if the URL itself does not exist. */
  readonly endpoint?: string | undefined;
}

/** `headers`: no response headers. `body`: a pause within the body. `response`: the whole request. */
export type TimeoutStage = 'headers' | 'body' | 'response';

/** A server address, without credentials. */
export interface ServerAddress {
  readonly hostname: string;
  readonly port: number;
}

/** The server that a request is sent to, and the proxies that may stand between. */
export interface RequestTarget extends ServerAddress {
  readonly proxies: readonly ServerAddress[];
}

const DEFAULT_PORTS: { readonly [protocol: string]: number } = { 'http:': 80, 'https:': 443 };
const DEFAULT_PROXY_PORT = 1080;

export function toRequestTarget(
  url: string,
  proxyUrls: readonly (string | undefined)[] = [],
): RequestTarget {
  return {
    ...toServerAddress(url),
    proxies: proxyUrls.filter((proxyUrl) => proxyUrl !== undefined).map(toServerAddress),
  };
}

function toServerAddress(url: string): ServerAddress {
  const { hostname, port, protocol } = new URL(url);
  return { hostname, port: Number(port || (DEFAULT_PORTS[protocol] ?? DEFAULT_PROXY_PORT)) };
}

/**
 * The code of an error, of its cause (`fetch`), or of the first attempt of several (a name with
 * several addresses). Empty without one.
 */
export function toErrorCode(error: unknown): string {
  return toCoded(error)?.code ?? '';
}

/** Classifies the error of a request that got no response, or whose response broke off. */
export function toTransportCause(error: unknown, target?: RequestTarget): FailureCause {
  const coded = toCoded(error);
  const code = toSafeCode(coded?.code) ?? toSafeName(error);
  const proxyStatus = toProxyStatus(coded ?? error);
  if (proxyStatus !== undefined) return { kind: 'proxy', status: proxyStatus };
  const proxy = coded && target && findProxy(coded, target);
  if (proxy) return { kind: 'proxy', code, hosts: [`${proxy.hostname}:${proxy.port}`] };
  const stage = TIMEOUT_STAGES[code ?? ''];
  if (stage) return { kind: 'response-timeout', stage };
  if (code === undefined) return { kind: 'other' };
  const kind = toKind(code, coded);
  const hosts = kind === 'certificate' ? toCertificateHosts(coded) : undefined;
  return { kind, code, ...(hosts && { hosts }) };
}

/** Classifies an error by its code or its name alone. */
export function toFailureCauseKind(code: string): FailureCauseKind {
  if (TIMEOUT_STAGES[code]) return 'response-timeout';
  return KINDS.find(([codes]) => codes.test(code))?.[1] ?? 'other';
}

/** Classifies a status that says something about the server, and not only about one request. */
export function toStatusCause(
  status: number,
  location: string | undefined,
  baseUrl: string,
): FailureCause | undefined {
  if (status >= 300 && status <= 399) return toRedirectCause(status, location, baseUrl);
  if (status === 404 || status === 410) return { kind: 'not-found', status };
  if (status === 429) return { kind: 'rate-limited', status };
  return status >= 500 ? { kind: 'server-error', status } : undefined;
}

/** Classifies a redirect. Of the new address only the host is kept: its query may have a token. */
export function toRedirectCause(
  status: number,
  location: string | undefined,
  baseUrl: string,
): FailureCause {
  const host = location === undefined ? undefined : URL.parse(location, baseUrl)?.host;
  const isHost = host !== undefined && HOST.test(host);
  return { kind: 'redirect', status, ...(isHost && { hosts: [host] }) };
}

interface CodedError extends Error {
  readonly code: string;
  readonly hostname?: unknown;
  readonly port?: unknown;
  readonly syscall?: unknown;
  readonly cert?: unknown;
}

function toCoded(error: unknown): CodedError | undefined {
  if (!(error instanceof Error)) return undefined;
  const candidates = [error, error.cause, ...toErrors(error), ...toErrors(error.cause)];
  return candidates.find(isCoded);
}

function toErrors(error: unknown): readonly unknown[] {
  return error instanceof AggregateError ? error.errors : [];
}

function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** A code as Node, OpenSSL and undici write them. Code that embeds the gateway may throw any. */
function toSafeCode(code: string | undefined): string | undefined {
  return code !== undefined && /^[A-Z][A-Z\d_]{1,60}$/.test(code) ? code : undefined;
}

/** The name of an error. The classes of the Redis client set none of their own. */
function toSafeName(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const name = error.name === 'Error' ? error.constructor.name : error.name;
  return /^[A-Z][A-Za-z]{1,60}$/.test(name) ? name : undefined;
}

const TIMEOUT_STAGES: { readonly [code: string]: TimeoutStage } = {
  UND_ERR_HEADERS_TIMEOUT: 'headers',
  UND_ERR_BODY_TIMEOUT: 'body',
  // Of `AbortSignal.timeout`, and of the Redis client.
  TimeoutError: 'response',
  SocketTimeoutError: 'response',
};

/** By the codes of Node.js, OpenSSL and undici, and by the names of errors without a code. */
const KINDS: readonly (readonly [codes: RegExp, kind: FailureCauseKind])[] = [
  [/^ECONNREFUSED$/, 'connection-refused'],
  [/^(ENOTFOUND|EAI_.*)$/, 'name-not-found'],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ENETDOWN|EHOSTDOWN)$/, 'unreachable'],
  [/^(UND_ERR_CONNECT_TIMEOUT|ConnectionTimeoutError)$/, 'connect-timeout'],
  [/^UND_ERR_(PRX_|SOCKS5(_|$))/, 'proxy'],
  [/^UND_ERR_HEADERS_OVERFLOW$|^HPE_HEADER_OVERFLOW$/, 'header-overflow'],
  [
    /^(CERT_|UNABLE_TO_|.*_CERT$|.*_CERT_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/,
    'certificate',
  ],
  [/^(EPROTO|ERR_SSL_|ERR_TLS_)/, 'tls'],
  [/^(HPE_|UND_ERR_RES_|HTTPParserError$)/, 'invalid-response'],
  [/^(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|UND_ERR_SOCKET)$/, 'connection-closed'],
  [/^(SocketClosedUnexpectedlyError|ClientClosedError)$/, 'connection-closed'],
];

/** Node's message for a connection that closes during the TLS handshake; its code is ECONNRESET. */
const HANDSHAKE_CLOSED = /before secure TLS connection was established/;

function toKind(code: string, error: CodedError | undefined): FailureCauseKind {
  if (code === 'ETIMEDOUT' && error?.syscall === 'connect') return 'connect-timeout';
  if (error && HANDSHAKE_CLOSED.test(error.message)) return 'tls';
  return toFailureCauseKind(code);
}

/** undici reports the status of a proxy only in the message. */
function toProxyStatus(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const [, refusal, authentication] =
    /^Proxy response \((\d{3})\) !== 200|^Proxy Authentication Required \((407)\)/.exec(
      error.message,
    ) ?? [];
  const status = refusal ?? authentication;
  return status === undefined ? undefined : Number(status);
}

/** The proxy, if the connection that failed was one to a proxy, and not to the server. */
function findProxy(
  { hostname, port }: CodedError,
  target: RequestTarget,
): ServerAddress | undefined {
  return target.proxies.find(
    (proxy) =>
      (hostname === proxy.hostname && hostname !== target.hostname) ||
      (port === proxy.port && port !== target.port),
  );
}

/** A host name or an address, with or without a port. */
const HOST = /^[a-z\d.*_-]{1,253}(:\d{1,5})?$|^\[[\da-f:.]{2,45}\](:\d{1,5})?$/i;
const MAX_CERTIFICATE_HOSTS = 3;

/** The names of a certificate that is for other names, without the rest of its subject. */
function toCertificateHosts(error: CodedError | undefined): readonly string[] | undefined {
  if (error?.code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return undefined;
  const { cert } = error;
  if (typeof cert !== 'object' || cert === null) return undefined;
  const { subjectaltname, subject } = cert as { subjectaltname?: unknown; subject?: unknown };
  const alternatives = String(subjectaltname ?? '')
    .split(', ')
    .map((name) => /^(?:DNS|IP Address):(.*)$/.exec(name)?.[1] ?? '');
  const commonName = String((subject as { CN?: unknown } | undefined)?.CN ?? '');
  const hosts = subjectaltname === undefined ? [commonName] : alternatives;
  const known = hosts.filter((host) => HOST.test(host)).slice(0, MAX_CERTIFICATE_HOSTS);
  return known.length > 0 ? known : undefined;
}
