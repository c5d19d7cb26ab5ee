import type { FailureCause, FailureCauseKind } from './failure-cause.ts';

/** The server whose failures are described, and the names of its settings. */
export interface FailingServer {
  /** The URL, of which only the host is shown. */
  readonly url: string;
  /** The setting that has the URL: `REVOX_BASE_URL`. */
  readonly urlSetting: string;
  /** The setting that has the key of the gateway itself. */
  readonly keySetting?: string | undefined;
  /** The time limit of a request: a setting or a time. @default `REVOX_TIMEOUT_MS` */
  readonly timeout?: string | undefined;
}

/** A failure in plain words: both are complete sentences without URL, key and response content. */
export interface FailureDescription {
  readonly sentence: string;
  /** What to check or to change. */
  readonly advice: string;
}

/** Describes a failure to the operator of the gateway. */
export function describeFailure(cause: FailureCause, server: FailingServer): FailureDescription {
  const { host, hostname } = new URL(server.url);
  return DESCRIPTIONS[cause.kind](cause, { ...server, host, hostname });
}

interface Subject extends FailingServer {
  /** With the port, if the URL has one. */
  readonly host: string;
  readonly hostname: string;
}

type Describe = (cause: FailureCause, subject: Subject) => FailureDescription;

const DESCRIPTIONS: Readonly<Record<FailureCauseKind, Describe>> = {
  'connection-refused': (cause, { host, urlSetting }) => ({
    sentence: `${host} refuses connections${withCode(cause)}.`,
    advice: `Check the host and the port of ${urlSetting}, and whether the server runs.`,
  }),
  unreachable: (cause, { host }) => ({
    sentence: `No route leads to ${host}${withCode(cause)}.`,
    advice: 'Check the network of the gateway.',
  }),
  'name-not-found': (cause, { hostname, urlSetting }) =>
    cause.code === 'ENOTFOUND'
      ? {
          sentence: `The name ${hostname} does not exist${withCode(cause)}.`,
          advice: `Check the host of ${urlSetting}.`,
        }
      : {
          sentence: `The name ${hostname} cannot be resolved${withCode(cause)}.`,
          advice: 'Check the DNS server of the gateway.',
        },
  certificate: describeCertificate,
  tls: (cause, { host, urlSetting }) => ({
    sentence: `The TLS handshake with ${host} fails${withCode(cause)}.`,
    advice: `Check whether the port of ${urlSetting} speaks TLS; the URL of a server without TLS begins with http://.`,
  }),
  'connect-timeout': (_cause, { host, urlSetting }) => ({
    sentence: `No connection to ${host} could be made within REVOX_CONNECT_TIMEOUT_MS.`,
    advice: `Check the host and the port of ${urlSetting}, and whether a firewall drops the packets.`,
  }),
  'response-timeout': ({ stage = 'response' }, { host, timeout = 'REVOX_TIMEOUT_MS' }) => ({
    sentence: `${host} ${TIMEOUTS[stage](timeout)}.`,
    advice: 'The server is slow, overloaded, or not reachable through its load balancer.',
  }),
  'connection-closed': (cause, { host }) => ({
    sentence: `${host} closes connections before the response is complete${withCode(cause)}.`,
    advice: 'The server or a proxy in front of it fails.',
  }),
  proxy: (cause, { host }) => ({
    sentence:
      cause.status === undefined
        ? `The proxy for requests to ${host} cannot be used${withCode(cause)}.`
        : `The proxy refuses requests to ${host} with status ${cause.status}.`,
    advice:
      cause.status === 407
        ? 'Check the user and the password in HTTPS_PROXY or HTTP_PROXY.'
        : 'Check HTTPS_PROXY and HTTP_PROXY, or add the host to NO_PROXY.',
  }),
  redirect: (cause, { host, urlSetting }) => describeRedirect(cause, host, urlSetting),
  'web-page': (cause, { host, urlSetting }) => ({
    sentence: `${host} sends HTML or XML instead of JSON${withStatus(cause)}.`,
    advice: `Another server, a login page, a firewall or a maintenance page responds. Check the host and the path of ${urlSetting}.`,
  }),
  unauthorized: (cause, { host, keySetting = 'the key' }) => ({
    sentence: `${host} rejects ${keySetting}${withStatus(cause)}.`,
    advice: 'Check that the key is complete, belongs to this API, and was not revoked.',
  }),
  forbidden: (cause, { host, keySetting = 'the key' }) => ({
    sentence: `${host} does not allow ${keySetting} to read its data${withStatus(cause)}.`,
    advice: 'Check the permissions of the key.',
  }),
  'not-found': describeNotFound,
  'header-overflow': (cause, { host }) => ({
    sentence: `The response headers of ${host} are too large${withCode(cause)}.`,
    advice:
      'Node.js accepts 16 KiB. Start the gateway with NODE_OPTIONS=--max-http-header-size=65536 if the server needs more.',
  }),
  'invalid-response': (cause, { host, urlSetting }) => ({
    sentence: `${host} sends unexpected responses: ${cause.problem ?? 'no valid HTTP'}${withCode(cause)}.`,
    advice: `Check the host and the path of ${urlSetting}; if they are right, the server has changed.`,
  }),
  'server-error': (cause, { host }) => ({
    sentence: `${host} responds with an error of its own${withStatus(cause)}.`,
    advice: 'The fault is in the server. The gateway needs no restart.',
  }),
  'rate-limited': (cause, { host, keySetting = 'the key' }) => ({
    sentence: `${host} limits the rate of ${keySetting}${withStatus(cause)}.`,
    advice:
      'Ask for a higher limit, lower REVOX_MAX_CONCURRENCY, or raise the FRESHNESS_… settings.',
  }),
  other: (cause, { host }) => ({
    sentence: `Requests to ${host} fail${withCode(cause)}.`,
    advice: 'Nothing more is known.',
  }),
};

const TIMEOUTS = {
  headers: () => 'sends no response headers within REVOX_HEADERS_TIMEOUT_MS',
  body: () => 'pauses within a response for longer than REVOX_BODY_TIMEOUT_MS',
  response: (timeout: string) => `sends no complete response within ${timeout}`,
} as const;

function describeCertificate(
  cause: FailureCause,
  { host, urlSetting }: Subject,
): FailureDescription {
  const certificate = `The certificate of ${host}`;
  const code = withCode(cause);
  switch (cause.code) {
    case 'CERT_HAS_EXPIRED':
      return {
        sentence: `${certificate} has expired${code}.`,
        advice: 'The operator of the server must renew it. Check the clock of the gateway, too.',
      };
    case 'CERT_NOT_YET_VALID':
      return {
        sentence: `${certificate} is not valid yet${code}.`,
        advice: 'Check the clock of the gateway.',
      };
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return {
        sentence: `${certificate} is self-signed, or signed by an authority of its own${code}.`,
        advice: TRUST_ADVICE,
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        sentence: `${certificate} is for ${cause.hosts?.join(', ') ?? 'another name'}${code}.`,
        advice: `Check the host of ${urlSetting}.`,
      };
    default:
      return {
        sentence: `${certificate} is not trusted${code}.`,
        advice: TRUST_ADVICE,
      };
  }
}

const TRUST_ADVICE =
  'If you trust the server, start the gateway with NODE_EXTRA_CA_CERTS=<file of its authority>.';

function describeRedirect(
  cause: FailureCause,
  host: string,
  urlSetting: string,
): FailureDescription {
  const [target] = cause.hosts ?? [];
  const isElsewhere = target !== undefined && target !== host;
  const place = isElsewhere
    ? ` to ${target}`
    : target === host
      ? ' to another address of its own'
      : '';
  return {
    sentence: `${host} redirects${place}${withStatus(cause)}, and the gateway follows no redirect.`,
    advice: isElsewhere
      ? `If ${target} is the API, set ${urlSetting} to its address.`
      : `Check the scheme, the host and the path of ${urlSetting}.`,
  };
}

/** Names the most likely mistake in the URL without showing its path. */
function describeNotFound(
  cause: FailureCause,
  { host, url, urlSetting }: Subject,
): FailureDescription {
  const { endpoint } = cause;
  if (endpoint === undefined)
    return {
      sentence: `${host} has nothing at the path of ${urlSetting}${withStatus(cause)}.`,
      advice: `Check the path of ${urlSetting}.`,
    };
  const path = new URL(url).pathname.replace(/\/+$/, '');
  const advice =
    path === ''
      ? `${urlSetting} has no path; that of the Revox API ends with /api.`
      : path.endsWith(endpoint)
        ? `${urlSetting} must end before ${endpoint}: the gateway adds it.`
        : `Check the path of ${urlSetting}: the gateway adds ${endpoint} to it.`;
  return { sentence: `${host} has no ${endpoint}${withStatus(cause)}.`, advice };
}

function withCode({ code }: FailureCause): string {
  return code === undefined ? '' : ` (${code})`;
}

function withStatus({ status }: FailureCause): string {
  return status === undefined ? '' : ` (status ${status})`;
}
