import { CHECK_TIMEOUT_MS, CheckTimeoutError } from './service-clock.ts';

export interface ConnectionTarget {
  /** The host without user, password and path. */
  readonly host: string;
  readonly port: string;
  readonly isTls: boolean;
  /** The setting that contains the address. */
  readonly setting: string;
  /** The setting that names trusted certificates. */
  readonly caSetting: string;
}

const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const NO_ROUTE = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN']);
const UNRESOLVED = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME']);
const TIMEOUTS = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ConnectionTimeoutError',
  'SocketTimeoutError',
]);
const CLOSED = new Set([
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'SocketClosedUnexpectedlyError',
  'ClientClosedError',
]);
const NOT_TLS = new Set([
  'EPROTO',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

/** Explains in one sentence why a connection failed. The sentence contains no secret. */
export function explainConnectionError(error: unknown, target: ConnectionTarget): string {
  const { host, port, isTls, setting, caSetting } = target;
  const address = `${host}:${port}`;
  if (error instanceof CheckTimeoutError)
    return `${address} did not respond within ${CHECK_TIMEOUT_MS / 1000} s.`;
  const code = toCode(error);
  if (code === 'ECONNREFUSED')
    return `Nothing listens at ${address} (${code}): check the host and the port of ${setting}.`;
  if (UNRESOLVED.has(code))
    return `The name ${host} cannot be resolved (${code}): check the host of ${setting}.`;
  if (NO_ROUTE.has(code))
    return `There is no route to ${address} (${code}): check network policies and firewalls.`;
  if (TIMEOUTS.has(code))
    return `${address} did not respond in time (${code}): a firewall may drop the packets${isTls ? ', or the server does not speak TLS' : ''}.`;
  if (UNKNOWN_AUTHORITY.has(code))
    return `An unknown authority signed the certificate of ${address} (${code}): set ${caSetting} to the certificate of its authority.`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `The certificate of ${address} is for another name (${code}): ${setting} must contain a name of the certificate.`;
  if (code === 'CERT_HAS_EXPIRED') return `The certificate of ${address} has expired (${code}).`;
  if (code === 'CERT_NOT_YET_VALID')
    return `The certificate of ${address} is not valid yet (${code}): check the clock of this machine.`;
  if (NOT_TLS.has(code))
    return `${address} does not speak TLS (${code}): check the scheme and the port of ${setting}.`;
  if (isParserError(code))
    return `${address} does not speak HTTP/1.1 (${code}): check the scheme and the port of ${setting}.`;
  if (CLOSED.has(code))
    return `${address} closed the connection (${code}): check the scheme of ${setting}, because the server may require TLS.`;
  return `The connection to ${address} failed (${code}).`;
}

/** Of undici, for a response that is not HTTP/1.1. */
export function isParserError(code: string): boolean {
  return code.startsWith('HPE_') || code === 'HTTPParserError';
}

/** The kind of an error, without its message, which may contain more than an address. */
export function toCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.constructor.name;
}
