import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** A connection that undici has made. */
export interface Connection {
  /** Host and port that the connection leads to: those of the proxy if one is in use. */
  readonly host: string;
  /** The address behind the name. */
  readonly address: string | undefined;
  /** Undefined without TLS. */
  readonly certificate: Certificate | undefined;
}

export interface Certificate {
  /** The organization or the common name of the issuer. */
  readonly issuer: string;
  /** In ms since the epoch. */
  readonly validUntil: number;
  /** The version of TLS, such as `TLSv1.3`. */
  readonly protocol: string;
}

/** Follows the connections of the process: the transport does not report them. */
export interface ConnectionLog {
  readonly connections: readonly Connection[];
  /** Host and port of each connection that has failed. */
  readonly failedHosts: readonly string[];
  close(): void;
}

/** The part of a socket that the log reads; the last three exist only with TLS. */
interface ConnectedSocket {
  readonly remoteAddress?: string;
  getPeerCertificate?(): {
    readonly issuer?: { readonly O?: string; readonly CN?: string };
    readonly valid_to?: string;
  };
  getProtocol?(): string | null;
}

interface ConnectMessage {
  readonly connectParams: { readonly host: string };
  readonly socket?: ConnectedSocket;
}

/** https://github.com/nodejs/undici/blob/main/docs/docs/api/DiagnosticsChannel.md */
const CONNECTED = 'undici:client:connected';
const CONNECT_ERROR = 'undici:client:connectError';

export function createConnectionLog(): ConnectionLog {
  const connections: Connection[] = [];
  const failedHosts: string[] = [];
  const onConnected = (message: unknown) => {
    const { connectParams, socket } = message as ConnectMessage;
    connections.push({
      host: connectParams.host,
      address: socket?.remoteAddress,
      certificate: socket && toCertificate(socket),
    });
  };
  const onConnectError = (message: unknown) => {
    failedHosts.push((message as ConnectMessage).connectParams.host);
  };
  subscribe(CONNECTED, onConnected);
  subscribe(CONNECT_ERROR, onConnectError);
  return {
    connections,
    failedHosts,
    close() {
      unsubscribe(CONNECTED, onConnected);
      unsubscribe(CONNECT_ERROR, onConnectError);
    },
  };
}

function toCertificate(socket: ConnectedSocket): Certificate | undefined {
  const certificate = socket.getPeerCertificate?.();
  if (certificate?.valid_to === undefined) return undefined;
  return {
    issuer: certificate.issuer?.O ?? certificate.issuer?.CN ?? 'an unnamed authority',
    validUntil: Date.parse(certificate.valid_to),
    protocol: socket.getProtocol?.() ?? 'TLS',
  };
}
