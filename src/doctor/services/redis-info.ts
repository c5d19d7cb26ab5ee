import type { ServerFinding } from './redis-finding.ts';

export type Info = ReadonlyMap<string, string> | undefined;

const MIN_MAJOR_VERSION = 6;

export function checkVersion(info: Info): readonly ServerFinding[] {
  const check = 'redis-version';
  const version = info?.get('redis_version');
  if (version === undefined) {
    const toMessage: ServerFinding['toMessage'] = ({ object }) =>
      `The user of REDIS_URL must not send INFO, so the version, the role and the memory of ${object} are unknown. The gateway does not need INFO.`;
    return [{ check, verdict: 'unknown', toMessage }];
  }
  const details = { version };
  const isOld = Number.parseInt(version, 10) < MIN_MAJOR_VERSION;
  const advice = isOld ? `: the gateway is made for version ${MIN_MAJOR_VERSION} or newer.` : '.';
  return [
    {
      check,
      verdict: isOld ? 'finding' : 'ok',
      toMessage: ({ object }) => `The version of ${object} is ${version}${advice}`,
      details,
    },
  ];
}

/** The check of the permissions reports a replica that rejects writes. */
export function checkRole(info: Info): readonly ServerFinding[] {
  const check = 'redis-role';
  const role = info?.get('role');
  if (role === undefined) return [];
  const details = { role };
  if (role === 'master')
    return [
      {
        check,
        verdict: 'ok',
        toMessage: ({ subject, object, isNode }) =>
          isNode ? `The role of ${object} is master.` : `${subject} is a master.`,
        details,
      },
    ];
  const link = info?.get('master_link_status') ?? 'unknown';
  return [
    {
      check,
      verdict: 'finding',
      toMessage: ({ subject, object, isNode }) =>
        isNode
          ? `The role of ${object} is replica: its cluster has a new master by now. Run the check again.`
          : `${subject} is a replica; its connection to the master is ${link}.`,
      details,
    },
  ];
}

export function checkMemory(info: Info): readonly ServerFinding[] {
  const policy = info?.get('maxmemory_policy');
  if (info === undefined || policy === undefined) return [];
  const maxBytes = Number(info.get('maxmemory'));
  const usedBytes = Number(info.get('used_memory'));
  const finding = {
    check: 'redis-memory',
    details: { maxmemory: maxBytes, policy, usedBytes },
    value: usedBytes,
  };
  if (maxBytes === 0)
    return [
      {
        ...finding,
        verdict: 'note',
        toMessage: ({ subject }) =>
          `${subject} has no maxmemory: entries expire by themselves, but many callers can fill the memory of its machine. Set maxmemory, and maxmemory-policy to allkeys-lru.`,
      },
    ];
  if (policy === 'noeviction')
    return [
      {
        ...finding,
        verdict: 'finding',
        toMessage: ({ object, isNode }) =>
          `The maxmemory-policy of ${object} is noeviction: a full ${isNode ? 'master' : 'Redis'} rejects writes. Set maxmemory-policy to allkeys-lru or volatile-lru.`,
      },
    ];
  return [
    {
      ...finding,
      verdict: 'ok',
      toMessage: ({ subject }) =>
        `${subject} evicts entries when its ${toMebibytes(maxBytes)} MiB are full (${policy}).`,
    },
  ];
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
