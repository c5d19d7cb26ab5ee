import type { RedisTls } from './redis-client.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: string;
}

/** Time limit of a connection attempt, and of a reply, in ms. */
export const QUERY_TIMEOUT_MS = 1_000;

/**
 * Sends one command over a connection of its own, within the time limits above.
 * @returns the reply; its strings are JavaScript strings, not `Buffer`s
 */
export async function queryServer(
  url: string,
  tls: RedisTls | undefined,
  command: readonly string[],
): Promise<unknown> {
  const { createClient } = await import('@redis/client');
  const client = createClient({
    url,
    RESP: 2,
    maintNotifications: 'disabled',
    socket: {
      ...(tls && { ca: tls.ca, rejectUnauthorized: tls.isVerified }),
      connectTimeout: QUERY_TIMEOUT_MS,
      socketTimeout: QUERY_TIMEOUT_MS,
      reconnectStrategy: false,
    },
  });
  // `connect` and `sendCommand` reject with the same errors.
  client.on('error', () => {});
  try {
    await client.connect();
    return await client.sendCommand<unknown>(command);
  } finally {
    if (client.isOpen) client.destroy();
  }
}

/** The URL with another address: user, password, database and TLS stay. */
export function withAddress(url: string, { host, port }: ServerAddress): string {
  const other = new URL(url);
  other.hostname = host.includes(':') ? `[${host}]` : host;
  other.port = port;
  return other.href;
}
