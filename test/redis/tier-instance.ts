import { EventEmitter, once } from 'node:events';
import { expect, vi } from 'vitest';
import { createRedisTier, type RedisTierOptions } from '#cache/redis/redis-tier.ts';
import type { CacheOwner, SecondTier, SecondTierEntry } from '#cache/second-tier.ts';
import { Credential } from '#rest/credential.ts';
import { createManualTimers } from '../rest/real-server.ts';

export const TIMEOUT_MS = 50;
/** So long Redis is left alone. */
export const PROBE_DELAY_MS = 1_000;
const SECRET = 'a secret that the instances share';
const KEEP_MS = 60_000;

export const CALL = {
  id: 'call-1',
  to_phone_number: '+33612345678',
  transcript: [{ role: 'agent', content: 'Bonjour, ici Léa du garage Dupont.' }],
};
export const PATH = '/call/call-1';

export function toOwner(token: string, secret = SECRET): CacheOwner {
  return new Credential(token, secret);
}
export const ANN = toOwner('sk_live_ann');
export const BOB = toOwner('sk_live_bob');

export function toEntry(value: unknown, entry: Partial<SecondTierEntry> = {}): SecondTierEntry {
  return { value, status: 200, ageMs: 0, freshForMs: 10_000, isLive: false, ...entry };
}

/** Timers of the clock on the wall, once it has been started: until then none goes off. */
export function createWallTimers() {
  let isStarted = false;
  return {
    start() {
      isStarted = true;
    },
    startTimer(ms: number, onTime: () => void): () => void {
      if (!isStarted) return () => {};
      const timer = setTimeout(onTime, ms);
      return () => clearTimeout(timer);
    },
  };
}

/** An instance's second tier. Its clock stands still, and its timers go off when the test says so: what ends by itself was not waiting. */
export interface TierInstance extends SecondTier, AsyncDisposable {
  readonly timers: ReturnType<typeof createManualTimers>;
  readonly clock: { now: number };
  /** What it had to say of Redis so far. */
  readonly troubles: readonly string[];
  /** Waits until it has said so much. */
  waitForTroubles(count: number): Promise<void>;
  /** Keeps an answer as a gateway does: looks for it, asks, writes; and waits until it can be read. */
  storeAndRead(owner: CacheOwner, key: string, entry: SecondTierEntry, keepForMs?: number): Promise<SecondTierEntry>;
  /** Reads until there is something to be read. */
  readUntilStored(owner: CacheOwner, key: string): Promise<SecondTierEntry>;
}

export function createTierInstance(url: string, options: Partial<RedisTierOptions> = {}): TierInstance {
  const timers = createManualTimers();
  const clock = { now: 5_000 };
  const troubles: string[] = [];
  const troubleEvents = new EventEmitter();
  const tier = createRedisTier({
    url,
    timeoutMs: TIMEOUT_MS,
    now: () => clock.now,
    startTimer: timers.startTimer,
    onStatusChange: (message) => {
      troubles.push(message);
      troubleEvents.emit('trouble');
    },
    ...options,
  });
  const readUntilStored = (owner: CacheOwner, key: string) =>
    vi.waitUntil(() => tier.read(owner, key), { timeout: 10_000, interval: 5 }) as Promise<SecondTierEntry>;

  return {
    ...tier,
    timers,
    clock,
    troubles,
    async waitForTroubles(count) {
      while (troubles.length < count) await once(troubleEvents, 'trouble');
    },
    async storeAndRead(owner, key, entry, keepForMs = KEEP_MS) {
      await tier.read(owner, key);
      // Between asking and being answered its clock goes on, and Redis, whose clock does not, is heard of again.
      clock.now += entry.ageMs;
      await tier.read(owner, key);
      tier.write(owner, key, entry, keepForMs);
      return readUntilStored(owner, key);
    },
    readUntilStored,
    [Symbol.asyncDispose]: tier.close,
  };
}

/** What an instance says when Redis is of no use. */
export function unavailableMessage(reason: string): string {
  return `Redis cannot be used: ${reason}. What is remembered stays in the process.`;
}

/** Until a read waits for Redis: once for itself, and once to find out that Redis is silent. */
export async function untilRedisIsAwaited(instance: TierInstance): Promise<void> {
  await expect.poll(() => instance.timers.running.filter((ms) => ms === TIMEOUT_MS).length).toBeGreaterThanOrEqual(2);
}

export async function expectNoWaitForRedis(instance: TierInstance): Promise<void> {
  // Who has waited in vain looks at the sockets once more, and goes.
  await new Promise(setImmediate);
  const before = instance.timers.running;
  for (let reads = 0; reads < 20; reads += 1) expect(await instance.read(ANN, PATH)).toBeUndefined();
  expect(instance.timers.running).toEqual(before);
}
