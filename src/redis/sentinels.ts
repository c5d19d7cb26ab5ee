import { queryServer, type ServerAddress, withAddress } from './query-server.ts';
import type { RedisTls } from './redis-client.ts';

/** No Sentinel is reachable, or none knows the master. */
export class NoMasterError extends Error {
  override name = 'NoMasterError';
}

/**
 * Queries Sentinels for the address of a master, one after the other until one knows it.
 * @param url the host of this URL is the name of the master; the other parts apply to the master
 * @returns the URL of the master
 * @throws NoMasterError
 */
export async function findMasterUrl(
  url: string,
  sentinels: readonly string[],
  tls: RedisTls | undefined,
): Promise<string> {
  const { hostname } = new URL(url);
  for (const sentinel of sentinels) {
    const address = await queryMaster(sentinel, hostname, tls).catch(() => undefined);
    if (address) return withAddress(url, address);
  }
  throw new NoMasterError();
}

async function queryMaster(
  sentinel: string,
  name: string,
  tls: RedisTls | undefined,
): Promise<ServerAddress | undefined> {
  const reply = await queryServer(sentinel, tls, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]);
  return Array.isArray(reply) ? { host: String(reply[0]), port: String(reply[1]) } : undefined;
}
