import type { Settings } from '#config/settings.ts';
import type { Finding } from '#doctor/finding.ts';
import { SLOT_COUNT, type SlotRange, toSlot } from '#redis/cluster-slots.ts';
import { findSlotRanges } from '#redis/discovery.ts';
import { withAddress } from '#redis/query-server.ts';
import type { RedisTls } from '#redis/redis-client.ts';
import { NotClusterError } from '#redis/redis-errors.ts';
import { explainRedisError, toMasterServer, toSeedServer } from './redis-cause.ts';
import { toErrorReply, toNodeCommands } from './redis-commands.ts';
import {
  type MasterFindings,
  mergeFindings,
  type ServerFinding,
  toFinding,
} from './redis-finding.ts';
import { toPermissionFinding } from './redis-permissions.ts';
import { checkServer } from './redis-server.ts';
import { limitTime, type ServiceClock } from './service-clock.ts';

/** A node that has not named the masters. */
interface FailedSeed {
  readonly url: string;
  readonly error: unknown;
}

interface Discovery {
  /** Empty if no node has named the masters. */
  readonly ranges: readonly SlotRange[];
  readonly failedSeeds: readonly FailedSeed[];
}

interface Master {
  readonly url: string;
  readonly ranges: readonly SlotRange[];
}

/** Checks the masters of a Redis Cluster, and whether they serve all slots. */
export async function checkCluster(
  cache: Settings['cache'],
  tls: RedisTls | undefined,
  consequence: string,
  clock: ServiceClock,
): Promise<readonly Finding[]> {
  const { redisUrl = '', redisClusterNodes = [] } = cache;
  const seeds = new Set([redisUrl, ...redisClusterNodes]);
  const { ranges, failedSeeds } = await limitTime(discover(seeds, tls), clock);
  if (ranges.length === 0) return toDiscoveryFindings(failedSeeds, redisUrl, consequence);
  const masters = groupByMaster(ranges, redisUrl);
  const results = await Promise.all(
    masters.map((master) => checkMaster(master, cache, tls, clock)),
  );
  const isMaster = ({ url }: FailedSeed) =>
    masters.some((master) => new URL(master.url).host === new URL(url).host);
  return [
    ...toSlotFindings(masters),
    ...failedSeeds
      .filter((seed) => !isMaster(seed))
      .map((seed) =>
        toSeedFinding(seed, redisUrl, 'The gateway finds the masters through another node.'),
      ),
    ...mergeFindings(results),
  ];
}

/** Queries the nodes in the order of the gateway. */
async function discover(seeds: ReadonlySet<string>, tls: RedisTls | undefined): Promise<Discovery> {
  const failedSeeds: FailedSeed[] = [];
  for (const url of seeds) {
    try {
      return { ranges: await findSlotRanges([url], tls), failedSeeds };
    } catch (error) {
      failedSeeds.push({ url, error });
    }
  }
  return { ranges: [], failedSeeds };
}

function toDiscoveryFindings(
  failedSeeds: readonly FailedSeed[],
  redisUrl: string,
  consequence: string,
): readonly Finding[] {
  if (failedSeeds.every(({ error }) => error instanceof NotClusterError))
    return [
      {
        check: 'redis-cluster',
        verdict: 'finding',
        message: `Redis is not a node of a Redis Cluster: set REDIS_CLUSTER=off, and remove REDIS_CLUSTER_NODES if it is set. ${consequence}`,
        settings: { REDIS_CLUSTER: 'off' },
      },
    ];
  return failedSeeds.map((seed) => toSeedFinding(seed, redisUrl, consequence));
}

function toSeedFinding({ url, error }: FailedSeed, redisUrl: string, consequence: string): Finding {
  const server = toSeedServer(url, redisUrl);
  const details = { node: new URL(url).host };
  if (isSlotsDenied(error)) {
    const { acl } = toNodeCommands('');
    const effect = ', so this node does not name the masters';
    const finding = toPermissionFinding('the command CLUSTER SLOTS', acl, details, effect);
    return toFinding(finding, server.serverName);
  }
  return {
    check: error instanceof NotClusterError ? 'redis-cluster' : 'redis-connection',
    verdict: 'finding',
    message: `${explainRedisError(error, server)} ${consequence}`,
    details,
  };
}

/** The command that is not permitted is named in the text: `cluster|slots`, before Redis 7 `cluster`. */
function isSlotsDenied(error: unknown): boolean {
  const { code, text } = toErrorReply(error);
  return code === 'NOPERM' && /cluster/i.test(text);
}

function groupByMaster(ranges: readonly SlotRange[], redisUrl: string): readonly Master[] {
  const groups = Map.groupBy(ranges, ({ master }) => withAddress(redisUrl, master));
  return [...groups].map(([url, rangesOfMaster]) => ({ url, ranges: rangesOfMaster }));
}

function toSlotFindings(masters: readonly Master[]): readonly Finding[] {
  const served = masters
    .flatMap(({ ranges }) => ranges)
    .reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const count = `${masters.length} master${masters.length === 1 ? '' : 's'}`;
  const check = 'redis-cluster';
  const details = { masters: masters.length, slots: served };
  const total = toThousands(SLOT_COUNT);
  if (served === SLOT_COUNT) {
    const message = `The Redis Cluster has ${count} for all ${total} slots.`;
    return [{ check, verdict: 'ok', message, details }];
  }
  const message = `The Redis Cluster has ${count} for ${toThousands(served)} of ${total} slots: the gateway caches the entries of the other slots in its own memory only. Assign them to a master (redis-cli --cluster fix).`;
  return [{ check, verdict: 'finding', message, details }];
}

function toThousands(count: number): string {
  return count.toLocaleString('en-US');
}

async function checkMaster(
  { url, ranges }: Master,
  cache: Settings['cache'],
  tls: RedisTls | undefined,
  clock: ServiceClock,
): Promise<MasterFindings> {
  const address = new URL(url).host;
  try {
    const findings = await checkServer({
      connect: { url, tls },
      commands: toNodeCommands(findHashTag(ranges)),
      isClusterOn: true,
      redisTimeoutMs: cache.redisTimeoutMs,
      clock,
    });
    return { address, findings };
  } catch (error) {
    return { address, findings: [toFailure(error, url)] };
  }
}

function toFailure(error: unknown, url: string): ServerFinding {
  const server = toMasterServer(url);
  const message = `${explainRedisError(error, server)} The gateway caches the entries of this master in its own memory only.`;
  return { check: 'redis-connection', verdict: 'finding', toMessage: () => message };
}

/** A hash tag whose slot is one of these. */
function findHashTag(ranges: readonly SlotRange[]): string {
  for (let number = 0; ; number += 1) {
    const slot = toSlot(String(number));
    if (ranges.some(({ first, last }) => first <= slot && slot <= last)) return String(number);
  }
}
