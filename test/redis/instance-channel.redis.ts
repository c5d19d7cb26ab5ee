import { describe, expect, test } from 'vitest';
import { connectRedis } from '#redis/connect.ts';
import { createInstanceChannel } from '#redis/instance-channel.ts';
import { monotonicNow, startTimer } from '#system-clock.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';

expectRedisServer();

describe.skipIf(!hasRedisServer)('Channel of the instances', () => {
  const redis = shareRedis();

  test('a message reaches every other instance, and not its sender', async () => {
    const { url } = redis.server;
    await using instances = await openInstances([url, url, url]);
    const [one, two, three] = instances.all as [Instance, Instance, Instance];
    one.channel.publish('tag', 'topic', 'first message');
    two.channel.publish('tag', 'topic', 'second');
    two.channel.publish('tag', 'other', 'no handler');
    await expect.poll(() => three.received).toHaveLength(2);
    expect(three.received).toEqual(['first message', 'second']);
    await expect.poll(() => [one.received, two.received]).toEqual([['second'], ['first message']]);
  });

  test('an instance subscribes again after Redis was restarted', async () => {
    const { url } = redis.server;
    await using instances = await openInstances([url, url]);
    const [one, two] = instances.all as [Instance, Instance];
    await redis.server.restart();
    await expect.poll(() => two.subscriptions, { timeout: 10_000 }).toBe(2);
    await expect
      .poll(
        () => {
          one.channel.publish('tag', 'topic', 'again');
          return two.received.length;
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(0);
  });

  test('messages pass between the nodes of a cluster, whichever node an instance is connected to', async () => {
    await using cluster = await startRedisCluster();
    const urls = cluster.masters.map(({ server }) => server.url);
    await using instances = await openInstances(urls, urls);
    for (const [index, { channel, connection }] of instances.all.entries()) {
      await expect.poll(() => connection.isUp(`tag ${index}`)).toBe(true);
      channel.publish(`tag ${index}`, 'topic', `from ${index}`);
    }
    for (const [index, { received }] of instances.all.entries())
      await expect
        .poll(() => [...received].sort())
        .toEqual([0, 1, 2].filter((other) => other !== index).map((other) => `from ${other}`));
  });
});

type Instance = Awaited<ReturnType<typeof openInstance>>;

async function openInstances(urls: readonly string[], clusterNodes?: readonly string[]) {
  const all = await Promise.all(urls.map((url) => openInstance(url, clusterNodes)));
  return {
    all,
    async [Symbol.asyncDispose]() {
      for (const { close } of all) close();
    },
  };
}

async function openInstance(url: string, clusterNodes: readonly string[] | undefined) {
  const received: string[] = [];
  const instance = { received, subscriptions: 0 };
  const up = Promise.withResolvers<void>();
  const options = { url, clusterNodes, startTimer, now: monotonicNow, timeoutMs: 1_000 };
  const connection = connectRedis({ ...options, onStatusChange() {} }, up.resolve);
  const subscribed = Promise.withResolvers<void>();
  const channel = createInstanceChannel({
    ...options,
    connection,
    onSubscribed() {
      instance.subscriptions += 1;
      subscribed.resolve();
    },
  });
  channel.onMessage('topic', (body) => received.push(body));
  await Promise.all([up.promise, subscribed.promise]);
  return Object.assign(instance, {
    channel,
    connection,
    close() {
      channel.close();
      connection.close();
    },
  });
}
