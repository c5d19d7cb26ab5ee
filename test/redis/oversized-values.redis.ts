import { describe, expect, test } from 'vitest';
import type { Environment } from '#config/settings.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { putCallState } from '../support/live-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { createLimitedUpstream } from './limited-upstream.ts';
import { createRedisGateway } from './redis-gateway.ts';
import { countSubscribers, expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';
import { openUpConnection } from './up-connection.ts';

expectRedisServer();

const OVERSIZED_BYTES = 64 * 2 ** 20;
/** The maximum of an entry. */
const ENTRY_BYTES = 2 * 2 ** 20;
/** All replies of a test without those with an oversized value. */
const OTHER_BYTES = 2 ** 18;
const RETRY_AFTER_S = 2;

const FORGERIES: readonly (readonly [name: string, toCommand: (key: string) => string[]])[] = [
  ['64 MB', (key) => ['SETRANGE', key, String(OVERSIZED_BYTES - 1), 'x']],
  ['a list', (key) => ['LPUSH', key, 'forged']],
];

describe.skipIf(!hasRedisServer).each(FORGERIES)('Keys of Redis with %s', (_name, toCommand) => {
  const redis = shareRedis();

  test('an entry counts as absent, and the next response replaces it', async () => {
    const { upstream, query, start } = createScene();
    await using one = start();
    const result = await one.execute(query);
    expect(result.data.call).toBeTruthy();
    const [key = ''] = await untilEntries(1);
    await forge(key);
    await using other = start();
    const received = await bytesOf(async () => expect(await other.execute(query)).toEqual(result));
    expect(received).toBeLessThan(ENTRY_BYTES + OTHER_BYTES);
    expect(upstream.requestsOf(KEY_A)).toHaveLength(2);

    await expect.poll(() => redis.observer.send('PTTL', key)).toBeGreaterThan(0);
    await using third = start();
    expect(await third.execute(query)).toEqual(result);
    expect(upstream.requestsOf(KEY_A)).toHaveLength(2);
    expect([...one.problems, ...other.problems, ...third.problems]).toEqual([]);
  });

  test('an epoch counts as absent: no entry is read or written, until the key is free', async () => {
    const { upstream, query, start } = createScene();
    await using one = start();
    const result = await one.execute(query);
    await untilEntries(1);
    const epochKey = await findKey('epoch');
    await forge(epochKey);
    await using other = start();
    const received = await bytesOf(async () => expect(await other.execute(query)).toEqual(result));
    await redis.observer.isIdle();
    expect(received).toBeLessThan(OTHER_BYTES);
    expect(upstream.requestsOf(KEY_A)).toHaveLength(2);

    await redis.observer.send('DEL', epochKey, ...(await redis.observer.entries()));
    await using third = start();
    expect(await third.execute(query)).toEqual(result);
    await untilEntries(1);
    await using fourth = start();
    expect(await fourth.execute(query)).toEqual(result);
    expect(upstream.requestsOf(KEY_A)).toHaveLength(3);
    expect([one, other, third, fourth].flatMap(({ problems }) => problems)).toEqual([]);
  });

  test('a cooldown counts as absent, and the next cooldown replaces it in all gateways', async () => {
    const { upstream, query, start } = createScene({ REQUEST_DEADLINE_MS: '5000' });
    await using one = start();
    await using other = start();
    await expect.poll(() => countSubscribers(redis.observer)).toBe(2);
    expect((await one.execute(query)).errors).toBeUndefined();
    await untilEntries(1);
    const key = (await findKey('epoch')).replace('epoch', 'cooldown');
    await forge(key);
    const fingerprint = key.slice('revox:cooldown:{'.length, -1);
    const received = await bytesOf(async () => {
      await redis.observer.send('PUBLISH', 'revox:instances:1', `cooldown forger ${fingerprint}`);
      for (const gateway of [one, other])
        expect((await gateway.execute(toQuery(`${gateway === one}`))).errors).toBeUndefined();
      expect(upstream.requestsOf(KEY_A)).toHaveLength(3);

      upstream.limitNext(KEY_A, RETRY_AFTER_S);
      const limited = one.execute(toQuery('limited'));
      await expect.poll(() => other.metric('upstream_cooldowns_received_total')).toBe(1);
      expect((await other.execute(toQuery('delayed'))).errors).toBeUndefined();
      expect((await limited).errors).toBeUndefined();
    });
    expect(received).toBeLessThan(OTHER_BYTES);
    expect(upstream.requestsOf(KEY_A).filter(({ status }) => status === 429)).toHaveLength(1);
    expect(upstream.requestsOf(KEY_A)).toHaveLength(6);
    const problems = [...one.problems, ...other.problems];
    expect(problems).toEqual([expect.stringContaining('limits the rate of REVOX_API_KEY')]);
  });

  test('a claim to a request counts as held: another gateway sends its own request after its wait', async () => {
    const { upstream, query, start } = createScene();
    await using one = start();
    await using monitor = await redis.server.connect();
    // The claim is a key for a second at most: the command that sets it remains.
    const commands = await monitor.monitor();
    const claimed = () =>
      commands.flatMap((command) => /"SET" "(revox:flight:[^"]+)"/.exec(command)?.[1] ?? []);
    const result = await one.execute(query);
    await expect.poll(claimed).toHaveLength(1);
    const key = String(claimed()[0]);
    await untilEntries(1);
    await expect.poll(() => redis.observer.send('EXISTS', key)).toBe(0);
    await redis.observer.send('FLUSHALL');
    await forge(key);
    await using other = start();
    const received = await bytesOf(async () => expect(await other.execute(query)).toEqual(result));
    expect(received).toBeLessThan(OTHER_BYTES);
    expect(upstream.requestsOf(KEY_A)).toHaveLength(2);
    expect([...one.problems, ...other.problems]).toEqual([]);
  });

  test('a claim to a poll counts as held: the polls go on, and the stream shows each state', async () => {
    const sandbox = createSandbox();
    const id = 'followed';
    await using gateway = createRedisGateway(sandbox, {
      REDIS_URL: redis.server.url,
      LIVE_CALL_MS: '1000',
      FRESHNESS_LIVE_CALL_MS: '500',
    });
    const put = (to_phone_number: string) =>
      putCallState(sandbox, { id, status: 'calling', to_phone_number });
    put('+1');
    const query = `subscription { callUpdated(id: "${id}") { toPhoneNumber } }`;
    const { events, leave } = await gateway.subscribe({ query });
    const shown = () => events.map(({ data }) => data.callUpdated.toPhoneNumber);
    await expect.poll(shown).toEqual(['+1']);
    const key = await findKey('claim');
    gateway.traffic();
    const received = await bytesOf(async () => {
      for (const state of ['+2', '+3']) {
        await forge(key);
        put(state);
        await expect.poll(() => shown().at(-1)).toBe(state);
      }
    });
    expect(received).toBeLessThan(OTHER_BYTES);
    expect(shown()).toEqual(['+1', '+2', '+3']);
    expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
    expect(gateway.problems).toEqual([]);
    leave();
  });

  test('the key of the probe does not keep Redis down', async () => {
    await forge('revox:probe:{}');
    const received = await bytesOf(async () => {
      const connection = await openUpConnection(redis.server.url);
      expect(connection.isUp('f')).toBe(true);
    });
    expect(received).toBeLessThan(OTHER_BYTES);
  });

  async function forge(key: string): Promise<void> {
    await redis.observer.send('DEL', key);
    await redis.observer.send(...toCommand(key));
  }

  /** The only key of this kind, once it exists. It may have expired by now. */
  async function findKey(kind: string): Promise<string> {
    let found: readonly string[] = [];
    const find = async () => {
      found = (await redis.observer.keys()).filter((key) => key.startsWith(`revox:${kind}:`));
      return found;
    };
    await expect.poll(find).toHaveLength(1);
    return String(found[0]);
  }

  async function untilEntries(count: number): Promise<readonly string[]> {
    await expect.poll(redis.observer.entries).toHaveLength(count);
    return redis.observer.entries();
  }

  /** The bytes that Redis has sent to all clients meanwhile. */
  async function bytesOf(act: () => Promise<unknown>): Promise<number> {
    const read = async () => {
      const stats = String(await redis.observer.send('INFO', 'stats'));
      return Number(/total_net_output_bytes:(\d+)/.exec(stats)?.[1]);
    };
    const before = await read();
    await act();
    return (await read()) - before;
  }

  function createScene(more: Environment = {}) {
    const upstream = createLimitedUpstream();
    const settings = { REDIS_URL: redis.server.url, ...more };
    return {
      upstream,
      query: toQuery(String(upstream.callIdsOf(KEY_A)[0])),
      start: () => createRedisGateway(upstream, settings),
    };
  }
});

function toQuery(id: string) {
  return { query: 'query ($id: ID!) { call(id: $id) { id toPhoneNumber } }', variables: { id } };
}
