import { describe, expect, test } from 'vitest';
import { COOLDOWN, toCooldownKey } from '#coordination/cooldown-sharing.ts';
import { outcomeOf, status, type UpstreamAct } from '../rest/client-scene.ts';
import { ANN, BOB, createInstances } from './instances.ts';

/** The time that clocks may differ by, in ms. */
const UNCERTAINTY_MS = 10;
const CLAIM_RETRY_MS = 500;
const CLAIM_TIMEOUT_MS = 500;
const MAX_CLAIM_WAIT_MS = 5_000;

const found = () => Response.json({ call: { id: 'c' } });

/** Instances that use both credentials. `limit` makes the upstream send 429s for a while. */
async function createScene(count = 3) {
  let retryAfter: string | undefined;
  let isHeld = false;
  const held: (() => void)[] = [];
  const respond: UpstreamAct = async () => {
    const act = retryAfter === undefined ? found : status(429, { 'retry-after': retryAfter });
    if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
    return act();
  };
  const instances = createInstances(count, respond);
  for (const { send } of instances.clients)
    for (const credential of [ANN, BOB]) await send('/call/first', credential);
  instances.newlySent();
  return {
    ...instances,
    limit(seconds: number | undefined) {
      retryAfter = seconds === undefined ? undefined : String(seconds);
    },
    /** Holds the responses to further requests until the returned function is called. */
    hold() {
      isHeld = true;
      return () => {
        isHeld = false;
        for (const release of held.splice(0)) release();
      };
    },
  };
}

describe('Cooldowns of several instances', () => {
  test('a 429 of one instance stops the requests of its credential in all, and one of them probes first', async () => {
    const { clients, limit, hold, newlySent, pass } = await createScene();
    const [one, two, three] = clients;
    limit(7);
    const first = one?.send('/call/a');
    await pass(0);
    limit(undefined);
    const pending = [two, three].map((client) => client?.send('/call/b'));
    expect(await outcomeOf(Promise.resolve(two?.send('/call/c', BOB)))).toBe('succeeded');
    await pass(7_000 - UNCERTAINTY_MS);
    expect(newlySent()).toEqual(['0 /call/a', '1 /call/c']);

    const release = hold();
    await pass(2 * UNCERTAINTY_MS + 1_000);
    expect(newlySent()).toEqual(['0 /call/a']);
    release();
    await pass(0);
    expect(await outcomeOf(Promise.all([first, ...pending]))).toBe('succeeded');
    expect(newlySent()).toEqual(['1 /call/b', '2 /call/b']);
  });

  test('a probe with a 429 extends the cooldown of all instances', async () => {
    const { clients, limit, newlySent, pass } = await createScene();
    limit(7);
    const pending = clients.map(({ send }) => send('/call/a'));
    await pass(0);
    newlySent();
    await pass(7_000 + UNCERTAINTY_MS);
    expect(newlySent()).toHaveLength(1);
    await pass(7_000 - 2 * UNCERTAINTY_MS);
    expect(newlySent()).toEqual([]);
    limit(undefined);
    await pass(3 * UNCERTAINTY_MS);
    expect(newlySent()).toHaveLength(3);
    expect(await outcomeOf(Promise.all(pending))).toBe('succeeded');
  });

  test('a request whose deadline is before the end of the cooldown of another instance fails at once, with the remaining time', async () => {
    const { clients, limit, newlySent, pass, clock } = await createScene();
    limit(60);
    void clients[0]?.send('/call/a');
    await pass(20_000);
    newlySent();
    const error = await clients[1]
      ?.send('/call/b', ANN, { deadlineAt: () => clock.now() + 30_000 })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 41 } });
    expect(newlySent()).toEqual([]);
  });

  test('an instance that missed the message learns of the cooldown from the value in Redis', async () => {
    const { clients, limit, newlySent, pass, redis, clock } = await createScene();
    const [one, two] = clients;
    limit(7);
    redis.state = 'silent';
    void two?.send('/call/a');
    await pass(0);
    limit(undefined);
    newlySent();
    expect(one?.client.state.coolingDown).toBe(0);
    // The shared cache reads the value with a lookup.
    const stored = redis.values.get(toCooldownKey(ANN.fingerprint))?.value ?? '';
    const time = { earliest: clock.now() - 2, latest: clock.now() + 2 };
    one?.sharing.piggyback.receive(ANN, Buffer.from(stored), time);
    const pending = one?.send('/call/b') as Promise<unknown>;
    expect(await outcomeOf(pending)).toBe('waits');
    expect(newlySent()).toEqual([]);
    await pass(7_000 + UNCERTAINTY_MS);
    expect(await outcomeOf(pending)).toBe('succeeded');
  });

  test('an instance whose probe gets no response is replaced by another one after its claim', async () => {
    const { clients, limit, hold, newlySent, pass } = await createScene(2);
    limit(1);
    const pending = clients.map(({ send }) => send('/call/a'));
    await pass(0);
    limit(undefined);
    newlySent();
    hold();
    await pass(1_000 + UNCERTAINTY_MS);
    const [first] = newlySent();
    await pass(MAX_CLAIM_WAIT_MS - CLAIM_RETRY_MS);
    expect(newlySent()).toEqual([]);
    await pass(2 * CLAIM_RETRY_MS);
    const [second] = newlySent();
    expect([first, second].toSorted()).toEqual(['0 /call/a', '1 /call/a']);
    expect(await outcomeOf(Promise.race(pending))).toBe('waits');
  });

  test.each([
    ['gone', 0],
    ['slow', CLAIM_TIMEOUT_MS],
  ] as const)(
    'without a reply of Redis (%s), each instance has its own cooldown, and probes %i ms after it',
    async (state, delayMs) => {
      const { clients, limit, newlySent, pass, redis } = await createScene(2);
      redis.state = state;
      limit(7);
      const pending = clients[0]?.send('/call/a') as Promise<unknown>;
      await pass(0);
      limit(undefined);
      expect(await outcomeOf(Promise.resolve(clients[1]?.send('/call/b')))).toBe('succeeded');
      expect(newlySent()).toEqual(['0 /call/a', '1 /call/b']);
      await pass(7_000 - 1);
      expect(newlySent()).toEqual([]);
      await pass(1 + delayMs);
      expect(newlySent()).toEqual(['0 /call/a']);
      expect(await outcomeOf(pending)).toBe('succeeded');
    },
  );

  test('the longest of several cooldowns counts for all instances', async () => {
    const { clients, limit, newlySent, pass } = await createScene();
    const [one, two, three] = clients;
    limit(20);
    void one?.send('/call/a');
    limit(3);
    void two?.send('/call/a');
    await pass(0);
    limit(undefined);
    newlySent();
    void three?.send('/call/b');
    await pass(20_000 - UNCERTAINTY_MS);
    expect(newlySent()).toEqual([]);
    await pass(2 * UNCERTAINTY_MS);
    expect(newlySent()).toHaveLength(3);
  });

  test.each([
    ['a value without a signature', (end: number) => String(end)],
    ['a value with a wrong signature', (end: number) => `${end}.${'A'.repeat(43)}`],
    ['a text', () => 'x'],
    ['nothing', () => undefined],
  ])('%s in Redis changes nothing', async (_name, toValue) => {
    const { clients, newlySent, redis, clock } = await createScene(1);
    const [client] = clients;
    const key = toCooldownKey(ANN.fingerprint);
    const value = toValue(clock.now() + 60_000);
    if (value !== undefined) redis.values.set(key, { value, expiresAt: Number.POSITIVE_INFINITY });
    for (let n = 0; n < 3; n += 1) redis.publish(`cooldown ${ANN.fingerprint}`, undefined);
    const time = { earliest: clock.now(), latest: clock.now() };
    if (value !== undefined) client?.sharing.piggyback.receive(ANN, Buffer.from(value), time);
    expect(await outcomeOf(Promise.resolve(client?.send('/call/a')))).toBe('succeeded');
    expect(newlySent()).toEqual(['0 /call/a']);
  });

  test('the signed cooldown of one credential changes nothing for another one', async () => {
    const { clients, limit, newlySent, pass, redis } = await createScene(2);
    limit(60);
    void clients[0]?.send('/call/a');
    await pass(0);
    limit(undefined);
    newlySent();
    const stored = redis.values.get(toCooldownKey(ANN.fingerprint));
    if (stored) redis.values.set(toCooldownKey(BOB.fingerprint), stored);
    redis.publish(`cooldown ${BOB.fingerprint}`, undefined);
    await pass(0);
    expect(await outcomeOf(Promise.resolve(clients[1]?.send('/call/b', BOB)))).toBe('succeeded');
    expect(newlySent()).toEqual(['1 /call/b']);
  });

  test('a signed cooldown that is longer than any does not count: the clock of Redis was set back', async () => {
    const { clients, limit, newlySent, pass, redis, clock } = await createScene(1);
    limit(60);
    void clients[0]?.send('/call/a');
    await pass(0);
    const stored = redis.values.get(toCooldownKey(ANN.fingerprint))?.value ?? '';
    const other = await createScene(1);
    const [client] = other.clients;
    const latest = clock.now() - 3_600_000;
    client?.sharing.piggyback.receive(ANN, Buffer.from(stored), { earliest: latest, latest });
    expect(await outcomeOf(Promise.resolve(client?.send('/call/b')))).toBe('succeeded');
    expect([newlySent(), other.newlySent()]).toEqual([['0 /call/a'], ['0 /call/b']]);
  });

  test('a flood of messages causes one read at a time, and messages about unknown credentials cause none', async () => {
    const { redis, pass } = await createScene(1);
    redis.commands.splice(0);
    for (let n = 0; n < 1_000; n += 1) {
      redis.publish(`cooldown ${ANN.fingerprint}`, undefined);
      redis.publish(`cooldown unknown-${n}`, undefined);
    }
    await pass(0);
    expect(redis.commands).toEqual([
      COOLDOWN.toCommand(toCooldownKey(ANN.fingerprint)),
      COOLDOWN.toCommand(toCooldownKey(ANN.fingerprint)),
    ]);
  });

  test('nothing remains of a cooldown that is over', async () => {
    const { clients, limit, pass, redis, timers } = await createScene();
    limit(1);
    const pending = clients.map(({ send }) => send('/call/a'));
    await pass(0);
    limit(undefined);
    await pass(1_000 + CLAIM_RETRY_MS + UNCERTAINTY_MS);
    expect(await outcomeOf(Promise.all(pending))).toBe('succeeded');
    await pass(MAX_CLAIM_WAIT_MS + CLAIM_RETRY_MS);
    expect(redis.keys()).toEqual([]);
    expect(timers.pending).toBe(0);
  });
});
