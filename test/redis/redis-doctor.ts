import { expect } from 'vitest';
import { type Environment, readSettings } from '#config/settings.ts';
import { checkRedis } from '#doctor/services/redis.ts';
import type { ServiceClock } from '#doctor/services/service-clock.ts';
import { createManualTimers } from '../rest/real-server.ts';
import type { RedisObserver } from './redis-server.ts';

export const PASSWORD = 'p@ss word/%';
export const ENCODED = encodeURIComponent(PASSWORD);
export const CACHE_SECRET = 'a secret of 16 characters or more';
export const WITHOUT_REDIS = 'The gateway works without Redis, and caches in its own memory only.';
export const COMMANDS = [
  'PING',
  'TIME',
  'GETRANGE',
  'SET',
  'PEXPIRE',
  'DEL',
  'PUBLISH',
  'SUBSCRIBE',
];
export const ACL =
  '~revox:* &revox:* +select +ping +time +getrange +set +pexpire +del +publish +subscribe';

export const timers = createManualTimers();
/** Latencies are 0, and no time limit ends by itself. */
export const CLOCK: ServiceClock = {
  now: Date.now,
  monotonicNow: () => 0,
  startTimer: timers.startTimer,
};

export function check(settings: Environment, clock: Partial<ServiceClock> = {}) {
  return checkRedis(readSettings({ CACHE_SECRET, ...settings }), { ...CLOCK, ...clock });
}

/** The findings as lines, after a check that none of them contains a secret. */
export async function linesOf(settings: Environment, clock: Partial<ServiceClock> = {}) {
  const findings = await check(settings, clock);
  expect(JSON.stringify(findings)).not.toMatch(/p@ss|p%40ss|wrong-secret|16 characters or more/);
  return findings.map(({ check: name, verdict, message }) => `${verdict} ${name}: ${message}`);
}

/** How often Redis has executed each command since the last reset, without those of observers. */
export async function takeCommands(observer: RedisObserver): Promise<Record<string, number>> {
  const text = String(await observer.send('INFO', 'commandstats'));
  await observer.send('CONFIG', 'RESETSTAT');
  return Object.fromEntries(
    [...text.matchAll(/cmdstat_([a-z]+):calls=(\d+)/g)].map(([, name, calls]) => [
      name,
      Number(calls),
    ]),
  );
}

export const HEALTHY = [
  'ok redis-connection: Redis responds within 0.0 ms (p50 of 5).',
  expect.stringMatching(/^ok redis-version: The version of Redis is \d+\.\d+\.\d+\.$/),
  `ok redis-permissions: Redis accepts every command that the gateway sends: ${COMMANDS.join(', ')}.`,
  'ok redis-role: Redis is a master.',
  'ok redis-memory: Redis evicts entries when its 64 MiB are full (allkeys-lru).',
  'ok redis-clock: The clocks of Redis and this machine agree within a second.',
];
export const MEMORY = ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'];
