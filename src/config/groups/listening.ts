import {
  bytes,
  listOf,
  milliseconds,
  optionalVariable,
  PORT_NUMBER,
  SWITCH,
  text,
  type Values,
  type VariableGroup,
  variable,
  wholeNumber,
  wholeNumberOrOff,
} from '#config/variable.ts';

/** The hosts that only this machine can reach, and whose names the gateway accepts in `Host`. */
export const LOOPBACK_HOSTS = new Set(['127.0.0.1', '::1', 'localhost']);

/** Whether a URL leads to this machine. */
export function isLoopbackUrl({ hostname }: URL): boolean {
  return LOOPBACK_HOSTS.has(hostname.replace(/^\[|\]$/g, ''));
}

/** The variables below state each meaning. */
export interface ListeningSettings {
  readonly port: number;
  readonly host: string;
  /** Empty, or a path without a slash at its end. */
  readonly basePath: string;
  readonly maxConnections: number;
  /** `Infinity`: the address is that of a proxy. */
  readonly maxConnectionsPerAddress: number;
  readonly clientTimeouts: {
    readonly headersMs: number;
    readonly requestMs: number;
    readonly keepAliveMs: number;
  };
  /** Empty: only the gateway's own. */
  readonly corsOrigins: readonly string[];
  readonly unsent: {
    readonly maxBytes: number;
    readonly maxBytesPerCaller: number;
  };
  readonly compression: boolean;
  readonly drain: {
    readonly delayMs: number;
    readonly timeoutMs: number;
  };
}

/** Default of `MAX_CONNECTIONS`. */
export const DEFAULT_CONNECTIONS = 2_000;

const HOST = text('an address or a name to listen on, for example 127.0.0.1', (host) =>
  /^[\w.:-]+$/.test(host),
);

/** A path as every client and proxy spells it: its segments are not empty, not dots, not encoded. */
const PATH_PREFIX = text('a path without a query, for example /api/calls', (path) =>
  /^(\/(?!\.{1,2}(\/|$))[\w.~-]+)*\/?$/.test(path),
);

const variables = {
  PORT: variable(PORT_NUMBER, 4000, 'Port to listen on; 0: any free port.'),
  HOST: variable(HOST, '127.0.0.1', 'Address or name to listen on.'),
  BASE_PATH: optionalVariable(
    PATH_PREFIX,
    'Prefix of all routes: with `/api/calls`, the endpoint is `/api/calls/graphql` and the probes are `/api/calls/health` and so on. Not needed behind a proxy that removes its prefix.',
  ),
  MAX_CONNECTIONS: variable(
    wholeNumber(1, 1_000_000, 'connections'),
    DEFAULT_CONNECTIONS,
    'Maximum client connections. On further ones only `/health` succeeds; every other request gets 503, `RATE_LIMITED`.',
  ),
  MAX_CONNECTIONS_PER_ADDRESS: optionalVariable(
    wholeNumberOrOff(1, 1_000_000, 'connections'),
    'Maximum client connections from one address (IPv6: from one /64 network). `off` behind a proxy or a load balancer, whose address all clients share.',
    'half of `MAX_CONNECTIONS`',
  ),
  CLIENT_HEADERS_TIMEOUT_MS: variable(
    milliseconds(1),
    10_000,
    'How long a client may take to send the headers of a request.',
  ),
  CLIENT_REQUEST_TIMEOUT_MS: variable(
    milliseconds(1),
    30_000,
    'How long a client may take to send the whole request.',
  ),
  KEEP_ALIVE_TIMEOUT_MS: variable(
    milliseconds(1),
    620_000,
    'How long a connection may wait for its first or next request. Must be longer than a load balancer in front keeps its connections ([table](../operations/deployment.md#load-balancers)). Idle connections are closed earlier when connections run short.',
  ),
  CORS_ORIGINS: variable(
    listOf(
      'origins without a path, for example https://app.example.com, https://*.example.com or capacitor://localhost',
      isOriginOrPattern,
    ),
    [],
    'Origins whose pages may [read responses](../guides/authentication.md#cross-site-requests-and-cors). A `*` in the first label of a host stands for any characters of that label.',
  ),
  MAX_UNSENT_BYTES: variable(
    bytes(2 ** 20, 64 * 2 ** 30),
    64 * 2 ** 20,
    'Maximum bytes of responses that all clients together have yet to read. A client that does not take the next part of its response within 60 seconds is disconnected, so it must read about 20 kB a second.',
  ),
  MAX_UNSENT_BYTES_PER_CALLER: variable(
    bytes(2 ** 20, 64 * 2 ** 30),
    32 * 2 ** 20,
    'Maximum bytes of responses that one caller has yet to read; a caller over this limit gets `RATE_LIMITED`.',
  ),
  COMPRESSION: variable(
    SWITCH,
    'on',
    'Whether responses from 1 kB on are compressed by brotli or gzip for clients that accept it (beyond 64 KiB two at a time, others uncompressed). `off` where a proxy in front compresses.',
  ),
  DRAIN_DELAY_MS: variable(
    milliseconds(0),
    1_000,
    'After SIGTERM: how long the gateway accepts new requests while `/ready` is 503 and responses close their connections, so that clients go elsewhere.',
  ),
  DRAIN_TIMEOUT_MS: variable(
    milliseconds(0),
    10_000,
    'How long requests in progress may go on after `DRAIN_DELAY_MS`.',
  ),
};

export const listening = { title: 'Listening', variables } satisfies VariableGroup;

export function toListeningSettings(values: Values<typeof variables>): ListeningSettings {
  return {
    port: values.PORT,
    host: values.HOST,
    basePath: values.BASE_PATH?.replace(/\/$/, '') ?? '',
    maxConnections: values.MAX_CONNECTIONS,
    maxConnectionsPerAddress: toMaxPerAddress(values),
    clientTimeouts: {
      headersMs: values.CLIENT_HEADERS_TIMEOUT_MS,
      requestMs: values.CLIENT_REQUEST_TIMEOUT_MS,
      keepAliveMs: values.KEEP_ALIVE_TIMEOUT_MS,
    },
    corsOrigins: values.CORS_ORIGINS,
    unsent: {
      maxBytes: values.MAX_UNSENT_BYTES,
      maxBytesPerCaller: values.MAX_UNSENT_BYTES_PER_CALLER,
    },
    compression: values.COMPRESSION === 'on',
    drain: { delayMs: values.DRAIN_DELAY_MS, timeoutMs: values.DRAIN_TIMEOUT_MS },
  };
}

function toMaxPerAddress({
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_ADDRESS,
}: Values<typeof variables>): number {
  if (MAX_CONNECTIONS_PER_ADDRESS === 'off') return Number.POSITIVE_INFINITY;
  return MAX_CONNECTIONS_PER_ADDRESS ?? Math.ceil(MAX_CONNECTIONS / 2);
}

function isOriginOrPattern(origin: string): boolean {
  return origin.includes('*') ? isOriginPattern(origin) : isOrigin(origin);
}

/**
 * Of an app or an extension: `capacitor://localhost`, `chrome-extension://…`. `URL` has no origin
 * of these; a browser writes the scheme and the host.
 */
const APP_ORIGIN = /^(?!(?:https?|wss?|ftp|file):)[a-z][a-z\d+.-]*:\/\/[\w.-]+(:\d{1,5})?$/;

function isOrigin(origin: string): boolean {
  if (APP_ORIGIN.test(origin)) return true;
  return URL.canParse(origin) && /^https?:/.test(origin) && new URL(origin).origin === origin;
}

/**
 * At least two labels must follow that with the `*`, the last of them no number: otherwise the
 * pattern would match whole top-level domains, or addresses.
 */
const ORIGIN_PATTERN =
  /^https?:\/\/[a-z\d-]*\*[a-z\d-]*\.((?:[a-z\d-]+\.)+[a-z][a-z\d-]*|localhost)(:\d{1,5})?$/;

function isOriginPattern(pattern: string): boolean {
  return ORIGIN_PATTERN.test(pattern) && isOrigin(pattern.replace('*', 'x'));
}
