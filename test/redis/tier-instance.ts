import { EventEmitter, once } from 'node:events';
import { expect, vi } from 'vitest';
import { createRedisTier, type RedisTierOptions } from '#cache/redis/redis-tier.ts';
import type { CacheOwner, SecondTier, SecondTierEntry } from '#cache/second-tier.ts';
import { Credential } from '#rest/credential.ts';
import { createManualTimers } from '../rest/real-server.ts';

export const TIMEOUT_MS = 50;
/** How long the tier leaves a failing Redis alone, in ms. */
export const PROBE_DELAY_MS = 1_000;
const SECRET = 'a secret that the instances share';
const TTL_MS = 60_000;

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

/** Wall-clock timers that fire only after `start`. */
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

/**
 * The second tier of an instance. Its clock stands still and its timers fire when the test says so,
 * so that a read that returns by itself has not waited.
 */
export interface TierInstance extends SecondTier, AsyncDisposable {
  readonly timers: ReturnType<typeof createManualTimers>;
  readonly clock: { now: number };
  /** The status changes of Redis reported so far. */
  readonly statusChanges: readonly string[];
  /** Resolves when this number of status changes has been reported. */
  waitForStatusChanges(count: number): Promise<void>;
  /**
   * Stores a response as a gateway does: reads, requests, writes; and resolves when the entry can
   * be read.
   */
  storeAndRead(
    owner: CacheOwner,
    key: string,
    entry: SecondTierEntry,
    ttlMs?: number,
  ): Promise<SecondTierEntry>;
  /** Reads until there is an entry. */
  readUntilStored(owner: CacheOwner, key: string): Promise<SecondTierEntry>;
}

export function createTierInstance(
  url: string,
  options: Partial<RedisTierOptions> = {},
): TierInstance {
  const timers = createManualTimers();
  const clock = { now: 5_000 };
  const statusChanges: string[] = [];
  const statusEvents = new EventEmitter();
  const tier = createRedisTier({
    url,
    timeoutMs: TIMEOUT_MS,
    now: () => clock.now,
    startTimer: timers.startTimer,
    onStatusChange: (message) => {
      statusChanges.push(message);
      statusEvents.emit('trouble');
    },
    ...options,
  });
  const readUntilStored = (owner: CacheOwner, key: string) =>
    vi.waitUntil(() => tier.read(owner, key), {
      timeout: 30_000,
      interval: 5,
    }) as Promise<SecondTierEntry>;

  return {
    ...tier,
    timers,
    clock,
    statusChanges,
    async waitForStatusChanges(count) {
      while (statusChanges.length < count) await once(statusEvents, 'trouble');
    },
    async storeAndRead(owner, key, entry, ttlMs = TTL_MS) {
      await tier.read(owner, key);
      // The instance's clock advances during its request, while Redis' clock does not: a second
      // read synchronizes them.
      clock.now += entry.ageMs;
      await tier.read(owner, key);
      tier.write(owner, key, entry, ttlMs);
      return readUntilStored(owner, key);
    },
    readUntilStored,
    [Symbol.asyncDispose]: tier.close,
  };
}

export const AVAILABLE_AGAIN = 'Redis is available again. The gateway uses it as the shared cache.';

/** The status message for an unavailable Redis. */
export function unavailableMessage(reason: string): string {
  return `Redis is unavailable: ${reason}. The gateway caches in its own memory only until Redis responds again.`;
}

/**
 * Resolves when a read waits for Redis: one timer is its own, and one detects that Redis is silent.
 */
export async function untilRedisIsAwaited(instance: TierInstance): Promise<void> {
  await expect
    .poll(() => instance.timers.running.filter((ms) => ms === TIMEOUT_MS).length)
    .toBeGreaterThanOrEqual(2);
}

export async function expectNoWaitForRedis(instance: TierInstance): Promise<void> {
  // A read that has timed out looks at the sockets once more before it returns.
  await new Promise(setImmediate);
  const before = instance.timers.running;
  for (let reads = 0; reads < 20; reads += 1)
    expect(await instance.read(ANN, PATH)).toBeUndefined();
  expect(instance.timers.running).toEqual(before);
}

/** Advances the clock and fires the probe delay until this number of status changes is reported. */
export async function probeUntil(instance: TierInstance, statusChanges: number): Promise<void> {
  await vi.waitUntil(
    () => {
      instance.clock.now += PROBE_DELAY_MS;
      instance.timers.elapse(PROBE_DELAY_MS);
      return instance.statusChanges.length >= statusChanges;
    },
    { timeout: 30_000, interval: 50 },
  );
}

/** Stores a response again and again, until the connection is ready and the entry can be read. */
export async function storeUntilRead(
  instance: TierInstance,
  owner: CacheOwner,
  key: string,
): Promise<void> {
  await vi.waitUntil(
    async () => {
      if (await instance.read(owner, key)) return true;
      instance.write(owner, key, toEntry(CALL), TTL_MS);
      return false;
    },
    { timeout: 30_000, interval: 20 },
  );
}

/** The status message for an unavailable master of a cluster. */
export function masterUnavailableMessage(reason: string): string {
  return `A master of the Redis Cluster is unavailable: ${reason}. The gateway caches the entries of that master in its own memory only until the cluster serves them again.`;
}
