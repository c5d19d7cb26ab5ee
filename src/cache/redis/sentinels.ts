import type { RedisTls } from './redis-client.ts';

/** No Sentinel is reachable, or none knows the master. */
export class NoMasterError extends Error {
  override name = 'NoMasterError';
}

/** Time limits, in ms: of a connection attempt, and of a reply. */
const CONNECT_TIMEOUT_MS = 1_000;
const REPLY_TIMEOUT_MS = 1_000;

/**
 * Queries Sentinels for the address of a master, one after the other until one knows it.
 * @param url the name of the master is its host; its other parts apply to the master
 * @returns the URL of the master
 * @throws NoMasterError
 */
export async function findMasterUrl(
  url: string,
  sentinels: readonly string[],
  tls: RedisTls | undefined,
): Promise<string> {
  const masterUrl = new URL(url);
  for (const sentinel of sentinels) {
    const address = await queryMaster(sentinel, masterUrl.hostname, tls).catch(() => undefined);
    if (!address) continue;
    const [host, port] = address;
    masterUrl.hostname = host.includes(':') ? `[${host}]` : host;
    masterUrl.port = port;
    return masterUrl.href;
  }
  throw new NoMasterError();
}

async function queryMaster(
  sentinel: string,
  name: string,
  tls: RedisTls | undefined,
): Promise<readonly [host: string, port: string] | undefined> {
  const { createClient } = await import('@redis/client');
  const client = createClient({
    url: sentinel,
    RESP: 2,
    maintNotifications: 'disabled',
    socket: {
      ...(tls && { ca: tls.ca, rejectUnauthorized: tls.isVerified }),
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: REPLY_TIMEOUT_MS,
      reconnectStrategy: false,
    },
  });
  // `connect` and `sendCommand` reject with the same errors.
  client.on('error', () => {});
  try {
    await client.connect();
    const reply = await client.sendCommand<unknown>(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]);
    return Array.isArray(reply) ? [String(reply[0]), String(reply[1])] : undefined;
  } finally {
    if (client.isOpen) client.destroy();
  }
}
