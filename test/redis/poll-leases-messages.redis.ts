import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { followCalls } from './followed-calls.ts';
import {
  gapsOf,
  INTERVAL_MS,
  type Instance,
  type Instances,
  KEY_A,
  KEY_B,
  startInstances,
  WEBHOOK_SECRET,
} from './gateway-instances.ts';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';

expectRedisServer();

const CHANNEL = 'revox:instances:1';

describe.skipIf(!hasRedisServer)('Messages and claims of three instances', () => {
  const redis = shareRedis();

  test('a flood of forged messages and claims changes no data, and causes no polls beyond the budget', async () => {
    await using calls = await followCalls({ REDIS_URL: redis.server.url }, 20);
    const { upstream } = calls.instances;
    const recorded = await recordMessages();
    await calls.during(2 * INTERVAL_MS);
    expect(new Set(recorded).size).toBeGreaterThanOrEqual(20);

    const flooded = await calls.during(4_000, () => void flood(recorded, 4_000));
    await calls.untilSeen();
    expect(flooded.requests / flooded.paths / 4).toBeLessThanOrEqual(1.05);
    expect(flooded.closerThan(0.8 * INTERVAL_MS)).toBe(0);

    // A party that can write to the Redis can also hold all claims permanently.
    const held = await calls.during(4_000, async () => {
      for (const key of await redis.observer.keys())
        if (key.startsWith('revox:claim:')) {
          await redis.observer.send('SET', key, 'forged');
          await redis.observer.send('SET', `${key}:urgent`, 'forged 1000');
        }
    });
    await calls.untilSeen();
    expect(held.longest).toBeLessThanOrEqual(3 * INTERVAL_MS);
    expect(held.requests).toBeLessThanOrEqual((3 * held.paths * 4_000) / INTERVAL_MS);
    await calls.change('completed');
    await calls.untilSeen();
    expect((await upstream.requests()).length).toBeGreaterThan(0);
  });

  describe('with several resources', () => {
    let instances: Instances;
    beforeAll(async () => {
      instances = await startInstances({
        REDIS_URL: redis.server.url,
        LIVE_FEED_MS: String(INTERVAL_MS),
        LIVE_CAMPAIGN_MS: String(INTERVAL_MS),
        FRESHNESS_PAGE_MS: String(INTERVAL_MS / 2),
        FRESHNESS_RUNNING_CAMPAIGN_MS: String(INTERVAL_MS / 2),
      });
    });
    afterAll(() => instances?.[Symbol.asyncDispose]());

    test('a webhook reaches the instances that watch the call, and the message names no call', async () => {
      const [one, two, three] = instances.all;
      const put = (status: 'scheduled' | 'completed') =>
        instances.upstream.put([{ apiKey: KEY_A, id: 'hinted', status, to_phone_number: '+336' }]);
      await put('scheduled');
      const streams = await Promise.all([one?.follow(['hinted']), two?.follow(['hinted'])]);
      const states = () => streams.map((stream) => stream?.states().get('hinted'));
      await expect.poll(states).toEqual(['SCHEDULED +336', 'SCHEDULED +336']);
      const recorded = await recordMessages();
      await put('completed');
      const from = Date.now();
      const response = await fetch(`${three?.url}/webhooks/revox/${WEBHOOK_SECRET}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ call_order_id: 'hinted' }),
      });
      expect(response.status).toBe(204);
      await expect.poll(states).toEqual(['COMPLETED +336', 'COMPLETED +336']);
      // Without the webhook, the next poll would come after half a minute.
      expect(Date.now() - from).toBeLessThan(15_000);
      const gaps = await gapsOf(instances.upstream, { from, to: Date.now() });
      expect([gaps.paths, gaps.requests]).toEqual([1, 1]);
      expect(recorded.filter((message) => message.startsWith('hint '))).toHaveLength(1);
      expect(recorded.filter((message) => message.includes('hinted'))).toEqual([]);
    });

    test('two credentials poll a call with the same id apart, and neither sees the state of the other', async () => {
      const numbers: Readonly<Record<string, string>> = { [KEY_A]: '+331', [KEY_B]: '+332' };
      await instances.upstream.put(
        Object.entries(numbers).map(([apiKey, to_phone_number]) => ({
          apiKey,
          id: 'same',
          status: 'calling' as const,
          to_phone_number,
        })),
      );
      const streams = await Promise.all(
        instances.all.flatMap((instance) =>
          Object.keys(numbers).map(async (key) => ({
            key,
            stream: await instance.follow(['same'], key),
          })),
        ),
      );
      for (const { key, stream } of streams)
        await expect.poll(() => stream.states().get('same')).toBe(`CALLING ${numbers[key]}`);
      const from = Date.now();
      await delay(3 * INTERVAL_MS);
      const gaps = await gapsOf(instances.upstream, { from, to: Date.now() });
      expect(gaps.paths).toBe(2);
      expect(gaps.closerThan(0.8 * INTERVAL_MS)).toBe(0);
      for (const { key, stream } of streams) {
        const other = key === KEY_A ? KEY_B : KEY_A;
        expect(stream.text()).not.toContain(numbers[other]);
        stream.leave();
      }
    });

    test('the list of new attempts and a campaign are polled once in each interval, too', async () => {
      const id = await findRunningCampaign(instances.all[0]);
      const feeds = await Promise.all(
        instances.all.map(({ subscribe }) =>
          subscribe('subscription { callAttemptAdded { node { id } } }'),
        ),
      );
      const campaigns = await Promise.all(
        instances.all.map(({ subscribe }) =>
          subscribe(`subscription { campaignUpdated(id: "${id}") { status } }`),
        ),
      );
      await expect.poll(() => campaigns.map(({ events }) => events.length)).toEqual([1, 1, 1]);
      // The first polls also find out how the list is paged.
      await delay(2 * INTERVAL_MS);
      const from = Date.now();
      for (let count = 1; count <= 4; count += 1) {
        await instances.upstream.insert(3);
        await delay(INTERVAL_MS);
      }
      const gaps = await gapsOf(instances.upstream, { from, to: Date.now() });
      const added = () =>
        feeds.map(({ events }) => events.map(({ data }) => data.callAttemptAdded.node.id));
      await expect.poll(() => added().map((ids) => new Set(ids).size)).toEqual([12, 12, 12]);
      for (const ids of added()) expect(ids).toHaveLength(12);
      expect(gaps.paths).toBe(2);
      expect(gaps.closerThan(0.8 * INTERVAL_MS)).toBe(0);
      expect(gaps.longest).toBeLessThanOrEqual(2 * INTERVAL_MS);
      for (const stream of [...feeds, ...campaigns]) stream.leave();
    });
  });

  /** The messages between the instances from now on. */
  async function recordMessages(): Promise<readonly string[]> {
    const client = createClient({ url: redis.server.url, name: 'observer' });
    client.on('error', () => {});
    await client.connect();
    onTestFinished(() => client.destroy());
    const messages: string[] = [];
    await client.subscribe(CHANNEL, (message) => messages.push(message));
    return messages;
  }

  /** Sends a thousand messages a second: half of them recorded ones with another sender. */
  async function flood(recorded: readonly string[], ms: number) {
    const until = Date.now() + ms;
    for (let number = 0; Date.now() < until; ) {
      for (let count = 0; count < 20; count += 1, number += 1) {
        const [topic, , name] = String(recorded[number % recorded.length]).split(' ');
        const message =
          number % 2 === 0 ? `${topic} forger ${name}` : `polled forger ${number.toString(36)}`;
        await redis.observer.send('PUBLISH', CHANNEL, message);
      }
      await delay(20);
    }
  }
});

async function findRunningCampaign(instance: Instance | undefined): Promise<string> {
  const response = await fetch(`${instance?.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY_A}` },
    body: JSON.stringify({ query: '{ campaigns(first: 50) { nodes { id status } } }' }),
  });
  const { data } = (await response.json()) as {
    data: { campaigns: { nodes: { id: string; status: string }[] } };
  };
  return String(data.campaigns.nodes.find(({ status }) => status === 'RUNNING')?.id);
}
