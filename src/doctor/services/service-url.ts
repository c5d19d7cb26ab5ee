import type { TransportResponse } from '#rest/transport/transport.ts';
import type { ConnectionTarget } from './connection-cause.ts';

/** The address of an HTTP URL, for an explanation. */
export function toTarget({ protocol, hostname, port }: URL, setting: string): ConnectionTarget {
  const isTls = protocol === 'https:';
  return {
    host: hostname,
    port: port || (isTls ? '443' : '80'),
    isTls,
    setting,
    caSetting: 'NODE_EXTRA_CA_CERTS',
  };
}

/** ` to <host>`, for a sentence: the rest of a redirect's URL may contain a secret. */
export function redirectTarget({ header }: Pick<TransportResponse, 'header'>): string {
  const location = header('location') ?? '';
  return URL.canParse(location) ? ` to ${new URL(location).host}` : '';
}
