import { createRedisClient, type RedisClient } from '#redis/redis-client.ts';
import { withTimeout } from '#redis/with-timeout.ts';
import {
  type GatewayCommands,
  readInfo,
  type SendCommand,
  toSendCommand,
} from './redis-commands.ts';
import type { ServerFinding } from './redis-finding.ts';
import { checkMemory, checkRole, checkVersion, type Info } from './redis-info.ts';
import {
  type Acceptance,
  SUBSCRIBE_UNSUPPORTED,
  sendGatewayCommands,
  toPermissionFindings,
} from './redis-permissions.ts';
import { limitTime, type ServiceClock, toClockOffset, toMilliseconds } from './service-clock.ts';

export interface ServerCheckOptions {
  readonly connect: Parameters<typeof createRedisClient>[0];
  readonly commands: GatewayCommands;
  /** Whether `REDIS_CLUSTER` is on. */
  readonly isClusterOn: boolean;
  readonly redisTimeoutMs: number;
  readonly clock: ServiceClock;
}

/** Less than `CHECK_TIMEOUT_MS`, so that the results of the other commands are reported. */
const SUBSCRIBE_TIMEOUT_MS = 1_000;
const LATENCY_SAMPLES = 5;
const SLOT_SAMPLES = 8;
/** The clocks agree within this difference, in ms. */
const MAX_CLOCK_DIFFERENCE_MS = 1_000;

/**
 * Checks one server: the connection, permissions, memory, role, clock and latency. Leaves nothing
 * in it.
 * @throws the first error of the connection
 */
export async function checkServer(options: ServerCheckOptions): Promise<readonly ServerFinding[]> {
  const { connect, commands, isClusterOn, redisTimeoutMs, clock } = options;
  const client = await openClient(connect, clock);
  const send = toSendCommand(client);
  const findings = async () => {
    const info = await readInfo(send);
    const latency = await checkLatency(send, redisTimeoutMs, clock);
    const replies = await sendGatewayCommands(send, commands.commands);
    const isUnexpectedCluster = !isClusterOn && (await isClusterNode(send, info, replies));
    const ofClock = await checkClock(send, clock);
    const sendSubscribe = toSendSubscribe(send, clock);
    const acceptance = await sendGatewayCommands(sendSubscribe, [commands.subscribe], replies);
    return [
      ...latency,
      ...checkVersion(info),
      ...(isUnexpectedCluster
        ? [UNEXPECTED_CLUSTER, ...toOtherFindings(acceptance, commands)]
        : toPermissionFindings(acceptance, commands)),
      ...checkRole(info),
      ...checkMemory(info),
      ...ofClock,
    ];
  };
  try {
    return await limitTime(findings(), clock);
  } finally {
    client.destroy();
  }
}

/** A proxy in front of Redis may not reply to `SUBSCRIBE`, or close the connection. */
function toSendSubscribe(send: SendCommand, { startTimer }: ServiceClock): SendCommand {
  return async (...command) => {
    const result = await withTimeout(send(...command), SUBSCRIBE_TIMEOUT_MS, startTimer);
    const isReply = result?.code === undefined || result.code === 'NOPERM';
    return result && isReply ? result : { code: SUBSCRIBE_UNSUPPORTED, text: '' };
  };
}

/** Connects once. Rejects with the first error. */
async function openClient(
  options: Parameters<typeof createRedisClient>[0],
  clock: ServiceClock,
): Promise<RedisClient> {
  const ready = Promise.withResolvers<RedisClient>();
  // The client may still be looking for the master when the time is over.
  let isOver = false;
  const client = createRedisClient(options, {
    onError: (_, error) => ready.reject(error),
    onConnect: (source) => isOver && source.destroy(),
    onReady: ready.resolve,
  });
  try {
    return await limitTime(
      client.then(() => ready.promise),
      clock,
    );
  } catch (error) {
    isOver = true;
    client.then((unusable) => unusable.destroy()).catch(() => {});
    throw error;
  }
}

const CLUSTER_CODES: ReadonlySet<string> = new Set([
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CROSSSLOT',
  'CLUSTERDOWN',
]);

/**
 * Without `INFO`, only redirected commands show that the server is a node of a cluster. The keys are
 * in different slots, so a node redirects some of them, unless it serves all slots.
 */
async function isClusterNode(
  send: SendCommand,
  info: Info,
  { codes }: Acceptance,
): Promise<boolean> {
  if (info) return info.get('redis_mode') === 'cluster';
  if ([...codes].some((code) => CLUSTER_CODES.has(code))) return true;
  for (let number = 0; number < SLOT_SAMPLES; number += 1) {
    const { code } = await send('GETRANGE', `revox:doctor:{${number}}`, '0', '0');
    if (code !== undefined && CLUSTER_CODES.has(code)) return true;
  }
  return false;
}

/** Without the redirections. A server that redirects commands does not accept every command. */
function toOtherFindings(
  acceptance: Acceptance,
  commands: GatewayCommands,
): readonly ServerFinding[] {
  const codes = [...acceptance.codes].filter((code) => !CLUSTER_CODES.has(code));
  const findings = toPermissionFindings({ ...acceptance, codes: new Set(codes) }, commands);
  const isRedirected = codes.length < acceptance.codes.size;
  return findings.filter(({ verdict }) => verdict !== 'ok' || !isRedirected);
}

const UNEXPECTED_CLUSTER: ServerFinding = {
  check: 'redis-cluster',
  verdict: 'finding',
  toMessage: ({ subject }) =>
    `${subject} is a node of a Redis Cluster, which requires REDIS_CLUSTER=on: the gateway then finds the masters of all slots.`,
  settings: { REDIS_CLUSTER: 'on' },
};

async function checkLatency(
  send: SendCommand,
  timeoutMs: number,
  { monotonicNow }: ServiceClock,
): Promise<readonly ServerFinding[]> {
  const samples: number[] = [];
  for (let sample = 0; sample < LATENCY_SAMPLES; sample += 1) {
    const sentAt = monotonicNow();
    const result = await send('PING');
    // Redis serves this connection no command.
    if (result.code !== undefined && result.code !== 'NOPERM') throw new Error(result.text);
    samples.push(monotonicNow() - sentAt);
  }
  const p50 = samples.sort((a, b) => a - b)[Math.floor(LATENCY_SAMPLES / 2)] ?? 0;
  const finding = {
    check: 'redis-connection',
    details: { latencyMs: Math.round(p50 * 100) / 100 },
    // The slowest master has the highest latency.
    group: 'latency',
    value: p50,
  };
  const text = `responds within ${toMilliseconds(p50)} (p50 of ${LATENCY_SAMPLES})`;
  if (p50 <= timeoutMs)
    return [{ ...finding, verdict: 'ok', toMessage: ({ subject }) => `${subject} ${text}.` }];
  return [
    {
      ...finding,
      verdict: 'finding',
      toMessage: ({ subject }) =>
        `${subject} ${text}, and a lookup waits for REDIS_TIMEOUT_MS (${timeoutMs} ms) at most: it then goes to the upstream. Use a Redis that is closer, or raise REDIS_TIMEOUT_MS.`,
      settings: { REDIS_TIMEOUT_MS: String(Math.ceil(p50 * 2)) },
    },
  ];
}

async function checkClock(
  send: SendCommand,
  clock: ServiceClock,
): Promise<readonly ServerFinding[]> {
  const sentAt = clock.now();
  const result = await send('TIME');
  // The check of the permissions reports the error.
  if (result.code !== undefined) return [];
  const [seconds, microseconds] = result.reply as readonly unknown[];
  const redisNow = Number(seconds) * 1000 + Number(microseconds) / 1000;
  const differenceMs = redisNow - (sentAt + clock.now()) / 2;
  if (Math.abs(differenceMs) <= MAX_CLOCK_DIFFERENCE_MS)
    return [
      {
        check: 'redis-clock',
        verdict: 'ok',
        toMessage: ({ object }) =>
          `The clocks of ${object} and this machine agree within a second.`,
      },
    ];
  return [
    {
      check: 'redis-clock',
      verdict: 'note',
      toMessage: ({ object }) =>
        `The clock of ${object} is ${toClockOffset(differenceMs)}. The ages of cached responses allow for that, but one of the two clocks is wrong.`,
      details: { differenceMs: Math.round(differenceMs) },
    },
  ];
}
