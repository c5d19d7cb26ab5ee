import type { Finding } from '#doctor/finding.ts';

type Info = ReadonlyMap<string, string> | undefined;

const MIN_MAJOR_VERSION = 6;

export function checkVersion(info: Info): readonly Finding[] {
  const check = 'redis-version';
  const version = info?.get('redis_version');
  if (version === undefined) {
    const message =
      'The user of REDIS_URL must not send INFO, so the version, the role and the memory of Redis are unknown. The gateway does not need INFO.';
    return [{ check, verdict: 'unknown', message }];
  }
  const details = { version };
  if (Number.parseInt(version, 10) >= MIN_MAJOR_VERSION)
    return [{ check, verdict: 'ok', message: `The version of Redis is ${version}.`, details }];
  const message = `The version of Redis is ${version}: the gateway is made for version ${MIN_MAJOR_VERSION} or newer.`;
  return [{ check, verdict: 'finding', message, details }];
}

/** `checkPermissions` reports a replica that rejects writes. */
export function checkRole(info: Info): readonly Finding[] {
  const role = info?.get('role');
  if (role === undefined) return [];
  const details = { role };
  if (role === 'master')
    return [{ check: 'redis-role', verdict: 'ok', message: 'Redis is a master.', details }];
  const link = info?.get('master_link_status');
  const message = `Redis is a replica; its connection to the master is ${link ?? 'unknown'}.`;
  return [{ check: 'redis-role', verdict: 'finding', message, details }];
}

export function checkMemory(info: Info): readonly Finding[] {
  const policy = info?.get('maxmemory_policy');
  if (info === undefined || policy === undefined) return [];
  const check = 'redis-memory';
  const maxBytes = Number(info.get('maxmemory'));
  const details = { maxmemory: maxBytes, policy, usedBytes: Number(info.get('used_memory')) };
  if (maxBytes === 0) {
    const message =
      'Redis has no maxmemory: entries expire by themselves, but many callers can fill the memory of its machine. Set maxmemory, and maxmemory-policy to allkeys-lru.';
    return [{ check, verdict: 'note', message, details }];
  }
  if (policy === 'noeviction') {
    const message =
      'The maxmemory-policy of Redis is noeviction: a full Redis rejects writes. Set maxmemory-policy to allkeys-lru or volatile-lru.';
    return [{ check, verdict: 'finding', message, details }];
  }
  const message = `Redis evicts entries when its ${toMebibytes(maxBytes)} MiB are full (${policy}).`;
  return [{ check, verdict: 'ok', message, details }];
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
