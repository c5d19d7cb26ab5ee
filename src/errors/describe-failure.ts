import { type FailingServer, type TimeoutNames, UPSTREAM_TIMEOUTS } from './failing-server.ts';
import type { FailureCause, FailureCauseKind, TimeoutStage } from './failure-cause.ts';

/** A failure in plain words: both are complete sentences without URL, key and response content. */
export interface FailureDescription {
  readonly sentence: string;
  /** What to check or to change. */
  readonly advice: string;
}

/** Describes a failure to the operator of the gateway. */
export function describeFailure(cause: FailureCause, server: FailingServer): FailureDescription {
  const { host, hostname, protocol } = new URL(server.url);
  return DESCRIPTIONS[cause.kind](cause, {
    canUseProxy: true,
    format: 'JSON',
    caSetting: 'NODE_EXTRA_CA_CERTS',
    ...server,
    timeouts: { ...UPSTREAM_TIMEOUTS, ...server.timeouts },
    host: server.name ?? host,
    hostname: server.name === undefined ? `The name ${hostname}` : `The host of ${server.name}`,
    isTls: protocol === 'https:' || protocol === 'rediss:',
  });
}

/** As `describeFailure`, in one text. */
export function explainFailure(cause: FailureCause, server: FailingServer): string {
  const { sentence, advice } = describeFailure(cause, server);
  return `${sentence} ${advice}`;
}

interface Subject extends FailingServer {
  /** With the port, if the URL has one. */
  readonly host: string;
  /** The host as the subject of a sentence. */
  readonly hostname: string;
  readonly isTls: boolean;
  readonly caSetting: string;
  readonly timeouts: TimeoutNames;
  readonly format: string;
}

type Describe = (cause: FailureCause, subject: Subject) => FailureDescription;

const DESCRIPTIONS: Readonly<Record<FailureCauseKind, Describe>> = {
  'connection-refused': (cause, { host, urlSetting }) => ({
    sentence: `${host} refuses connections${withCode(cause)}.`,
    advice: `Check the host and the port of ${urlSetting}, and whether the server runs.`,
  }),
  unreachable: (cause, { host, canUseProxy }) => ({
    sentence: `No route leads to ${host}${withCode(cause)}.`,
    advice: `Check the network of the gateway, its policies and firewalls${canUseProxy ? ', or set HTTPS_PROXY if the network requires a proxy' : ''}.`,
  }),
  'name-not-found': (cause, { hostname, urlSetting }) => ({
    sentence:
      cause.code === 'ENOTFOUND'
        ? `${hostname} does not exist${withCode(cause)}.`
        : `${hostname} cannot be resolved${withCode(cause)}.`,
    advice:
      cause.code === 'ENOTFOUND'
        ? `Check the host of ${urlSetting}, and the DNS of the gateway.`
        : `Check whether the DNS server of the gateway responds, and the host of ${urlSetting}.`,
  }),
  certificate: describeCertificate,
  tls: (cause, { host, url, urlSetting }) => ({
    sentence: `The TLS handshake with ${host} fails${withCode(cause)}.`,
    advice: `Check whether the port of ${urlSetting} speaks TLS; the URL of a server without TLS begins with ${toScheme(url)}://.`,
  }),
  'connect-timeout': (_cause, { host, urlSetting, timeouts, isTls, canUseProxy }) => ({
    sentence: `No connection to ${host} could be made within ${timeouts.connect}.`,
    advice: `Check the host and the port of ${urlSetting}, ${isTls ? 'whether the server speaks TLS, ' : ''}and whether a firewall drops the packets${canUseProxy ? '; set HTTPS_PROXY if the network requires a proxy' : ''}.`,
  }),
  'response-timeout': ({ stage = 'response' }, { host, timeouts }) => ({
    sentence: `${host} ${TIMEOUTS[stage]} ${timeouts[stage]}.`,
    advice: 'The server is slow, overloaded, or not reachable through its load balancer.',
  }),
  'connection-closed': (cause, { host, url, isTls }) => ({
    sentence: `${host} closes connections before the response is complete${withCode(cause)}.`,
    advice: `The server or a proxy in front of it fails${isTls ? '' : `, or it expects TLS: then the URL must begin with ${toScheme(url)}s://`}.`,
  }),
  proxy: describeProxy,
  redirect: (cause, { host, urlSetting }) => describeRedirect(cause, host, urlSetting),
  'web-page': (cause, { host, format, ...server }) => ({
    sentence: `${host} sends HTML or XML instead of ${format}${withStatus(cause)}.`,
    advice: `Another server, a login page, a firewall or a maintenance page responds. ${toPathAdvice(server, 'the host and the path')}`,
  }),
  unauthorized: (cause, { host, keySetting = 'the key' }) => ({
    sentence: `${host} rejects ${keySetting}${withStatus(cause)}.`,
    advice: 'Check that the key is complete, belongs to this API, and was not revoked.',
  }),
  forbidden: (cause, { host, keySetting = 'the key' }) => ({
    sentence: `${host} does not allow ${keySetting} to read its data${withStatus(cause)}.`,
    advice: 'Check the permissions of the key, and the firewalls in front of the server.',
  }),
  'not-found': describeNotFound,
  'header-overflow': (cause, { host }) => ({
    sentence: `The response headers of ${host} are too large${withCode(cause)}.`,
    advice:
      'Node.js accepts 16 KiB. Start the gateway with NODE_OPTIONS=--max-http-header-size=65536 if the server needs more.',
  }),
  'invalid-response': (cause, { host, urlSetting }) =>
    cause.problem === undefined
      ? {
          sentence: `${host} sends a response that is not HTTP/1.1${withCode(cause)}.`,
          advice: `Check the scheme, the host and the port of ${urlSetting}.`,
        }
      : {
          sentence: `${host} sends unexpected responses: ${cause.problem}${withCode(cause)}.`,
          advice: `Check the host and the path of ${urlSetting}; if they are right, the server has changed.`,
        },
  'server-error': (cause, { host }) => ({
    sentence: `${host} responds with an error of its own${withStatus(cause)}.`,
    advice: 'The fault is in the server. The gateway needs no restart.',
  }),
  'rate-limited': (cause, { host, keySetting }) => ({
    sentence: `${host} limits the rate of ${keySetting ?? 'requests'}${withStatus(cause)}.`,
    advice:
      keySetting === undefined
        ? 'Try again later, or ask for a higher limit.'
        : 'Ask for a higher limit, lower REVOX_MAX_CONCURRENCY, or raise the FRESHNESS_… settings.',
  }),
  other: (cause, { host }) => ({
    sentence: `Requests to ${host} fail${withCode(cause)}.`,
    advice: 'Nothing more is known.',
  }),
};

const TIMEOUTS: Readonly<Record<TimeoutStage, string>> = {
  headers: 'sends no response headers within',
  body: 'pauses within a response for longer than',
  response: 'sends no complete response within',
};

function describeProxy(cause: FailureCause, { host }: Subject): FailureDescription {
  const { status, code = '', hosts: [proxy] = [] } = cause;
  // The proxy responds, and opens no tunnel: the last part of the code says why.
  if (code.startsWith('UND_ERR_SOCKS5'))
    return {
      sentence: `The SOCKS5 proxy makes no connection to ${host}${withCode(cause)}.`,
      advice: code.startsWith('UND_ERR_SOCKS5_AUTH_')
        ? 'Check the user and the password in HTTPS_PROXY or HTTP_PROXY.'
        : 'Check HTTPS_PROXY, HTTP_PROXY and the rules of the proxy, or add the host to NO_PROXY.',
    };
  if (status === undefined)
    return {
      sentence: `The proxy ${proxy === undefined ? '' : `${proxy} `}for requests to ${host} cannot be reached${withCode(cause)}.`,
      advice: 'Check HTTPS_PROXY and HTTP_PROXY, or add the host to NO_PROXY.',
    };
  return {
    sentence: `The proxy refuses requests to ${host} with status ${status}.`,
    advice:
      status === 407
        ? 'Check the user and the password in HTTPS_PROXY or HTTP_PROXY.'
        : 'Check HTTPS_PROXY, HTTP_PROXY and the rules of the proxy, or add the host to NO_PROXY.',
  };
}

function describeCertificate(
  cause: FailureCause,
  { host, urlSetting, caSetting }: Subject,
): FailureDescription {
  const certificate = `The certificate of ${host}`;
  const code = withCode(cause);
  const trustAdvice = `If you trust the server, set ${caSetting} to a file with the certificate of its authority.`;
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
        advice: trustAdvice,
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        sentence: `${certificate} is for ${cause.hosts?.join(', ') ?? 'another name'}${code}.`,
        advice: `${urlSetting} must contain a name of the certificate.`,
      };
    default:
      return {
        sentence: /^UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)/.test(cause.code ?? '')
          ? `${certificate} is signed by an authority that Node.js does not know${code}.`
          : `${certificate} is not trusted${code}.`,
        advice: trustAdvice,
      };
  }
}

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
      ? `If ${target} is the right server, set ${urlSetting} to its address.`
      : `Check the scheme, the host and the path of ${urlSetting}.`,
  };
}

/** The paths that the gateway adds to the URL: a URL may be copied from the documentation of one. */
const LIST_PATHS = ['/call', '/assistants', '/campaigns'];

/** Names the most likely mistake in the URL without showing its path. */
function describeNotFound(cause: FailureCause, server: Subject): FailureDescription {
  const { host, url, urlSetting } = server;
  const { endpoint } = cause;
  if (endpoint === undefined)
    return {
      sentence: `${host} has nothing at the path of ${urlSetting}${withStatus(cause)}.`,
      advice: toPathAdvice(server, 'the path'),
    };
  const path = new URL(url).pathname.replace(/\/+$/, '');
  const repeated = LIST_PATHS.find((list) => path.endsWith(list));
  return {
    sentence: `${host} has no ${endpoint}${withStatus(cause)}.`,
    advice:
      repeated !== undefined
        ? `${urlSetting} must end before ${repeated}: the gateway adds it.`
        : toPathAdvice(server, 'the path', `: the gateway adds ${endpoint} to it`),
  };
}

function toPathAdvice(
  { url, urlSetting, pathAdvice }: FailingServer,
  part: string,
  more = '',
): string {
  const advice = pathAdvice === undefined ? '' : ` ${pathAdvice}`;
  return new URL(url).pathname === '/' && pathAdvice !== undefined
    ? `${urlSetting} has no path.${advice}`
    : `Check ${part} of ${urlSetting}${more}.${advice}`;
}

/** The scheme of a URL without TLS. */
function toScheme(url: string): string {
  return /^rediss?:/i.test(url) ? 'redis' : 'http';
}

function withCode({ code }: FailureCause): string {
  return code === undefined ? '' : ` (${code})`;
}

function withStatus({ status }: FailureCause): string {
  return status === undefined ? '' : ` (status ${status})`;
}
