import { CONNECT_TIMEOUT_MS } from '#cache/redis/redis-client.ts';
import { NoMasterError } from '#cache/redis/sentinels.ts';
import type { Settings } from '#config/settings.ts';
import { explainFailure } from '#errors/describe-failure.ts';
import type { FailingServer } from '#errors/failing-server.ts';
import { toTransportCause } from '#errors/failure-cause.ts';
import { toErrorReply } from './redis-commands.ts';
import { CHECK_TIMEOUT } from './service-clock.ts';

/** Explains why Redis cannot be used. The sentences contain no password. */
export function explainRedisError(
  error: unknown,
  url: URL,
  { redisSentinels }: Settings['cache'],
): string {
  if (error instanceof NoMasterError)
    return `No Sentinel of REDIS_SENTINELS is reachable and knows a master named ${url.hostname}: check the addresses, and the name in REDIS_URL.`;
  const { code, text } = toErrorReply(error);
  switch (code) {
    case 'WRONGPASS':
      return 'Redis rejects the user name or the password of REDIS_URL (WRONGPASS).';
    case 'NOAUTH':
      return 'Redis requires a password, and REDIS_URL has none (NOAUTH).';
    case 'NOPERM':
      return 'Redis rejects the commands that open the connection (NOPERM): the user of REDIS_URL needs +select and +ping.';
    case 'LOADING':
      return 'Redis is loading its data (LOADING): run the check again in a moment.';
    case 'MASTERDOWN':
      return 'Redis is a replica that has lost its master (MASTERDOWN).';
    case 'ERR':
      if (text.includes('DB index'))
        return 'Redis has no database with the number at the end of REDIS_URL (ERR).';
      if (text.includes('AUTH'))
        return 'Redis has no password for the default user, and REDIS_URL has one (ERR).';
  }
  return explainFailure(toTransportCause(error), toServer(url, redisSentinels));
}

/** With Sentinels, the host of `REDIS_URL` is only a name. */
function toServer(url: URL, sentinels: readonly string[]): FailingServer {
  return {
    url: url.href,
    name: sentinels.length > 0 ? `Redis master ${url.hostname}` : undefined,
    urlSetting: 'REDIS_URL',
    caSetting: 'REDIS_TLS_CA_FILE',
    canUseProxy: false,
    timeouts: { connect: `${CONNECT_TIMEOUT_MS / 1_000} s`, response: CHECK_TIMEOUT },
  };
}
