import type { GatewayCommand, GatewayCommands, SendCommand } from './redis-commands.ts';
import type { ServerFinding, ServerName } from './redis-finding.ts';

/** How a server has replied to the commands of the gateway. */
export interface Acceptance {
  readonly missingCommands: readonly string[];
  readonly rejectsKeys: boolean;
  /** The kinds of the other error replies. */
  readonly codes: ReadonlySet<string>;
}

const NO_REPLIES: Acceptance = { missingCommands: [], rejectsKeys: false, codes: new Set() };

/**
 * Sends each command of the gateway once, in a form that changes nothing.
 * @param earlier the replies to earlier commands, which the result includes
 */
export async function sendGatewayCommands(
  send: SendCommand,
  commands: readonly GatewayCommand[],
  earlier = NO_REPLIES,
): Promise<Acceptance> {
  const missingCommands = [...earlier.missingCommands];
  const codes = new Set(earlier.codes);
  let { rejectsKeys } = earlier;
  for (const [name, ...rest] of commands) {
    const result = await send(...name.split(' '), ...rest);
    if (result.code === undefined) continue;
    if (result.code !== 'NOPERM') codes.add(result.code);
    else if (/\bkeys?\b/.test(result.text)) rejectsKeys = true;
    else missingCommands.push(name);
  }
  return { missingCommands, rejectsKeys, codes };
}

export function toPermissionFindings(
  { missingCommands, rejectsKeys, codes }: Acceptance,
  { commands, subscribe, acl }: GatewayCommands,
): readonly ServerFinding[] {
  const lacks = [
    ...(missingCommands.length > 0 ? [`the commands ${missingCommands.join(', ')}`] : []),
    ...(rejectsKeys ? ['the keys revox:*'] : []),
  ].join(' and ');
  const findings = [
    ...(lacks === '' ? [] : [toPermissionFinding(lacks, acl, { missingCommands, rejectsKeys })]),
    ...[...codes].map(toErrorFinding),
  ];
  if (findings.length > 0) return findings;
  const names = [...commands, subscribe].map(([name]) => name).join(', ');
  return [
    {
      check: 'redis-permissions',
      verdict: 'ok',
      toMessage: ({ subject }) =>
        `${subject} accepts every command that the gateway sends: ${names}.`,
    },
  ];
}

/**
 * @param lacks `the commands GET, SET`
 * @param effect what this means for the gateway, at the end of the first sentence
 */
export function toPermissionFinding(
  lacks: string,
  acl: string,
  details: ServerFinding['details'] = {},
  effect = '',
): ServerFinding {
  return {
    check: 'redis-permissions',
    verdict: 'finding',
    toMessage: ({ object, isNode }) =>
      `The user of REDIS_URL must not use ${lacks}${isNode ? ` on ${object}` : ''} (NOPERM)${effect}. The gateway needs${isNode ? ' on each node' : ''}: ACL SETUSER <user> ${acl}`,
    details,
  };
}

const MOVING = {
  check: 'redis-cluster',
  verdict: 'unknown',
  toMessage: ({ object }: ServerName) =>
    `Slots of ${object} are moving to another master at this moment, so its permissions are unknown. Run the check again.`,
} satisfies ServerFinding;

function toErrorFinding(code: string): ServerFinding {
  return {
    check: 'redis-permissions',
    verdict: 'finding',
    toMessage: (server) => toErrorMessage(code, server),
    ...(MOVING_CODES.has(code) && MOVING),
  };
}

/** `SUBSCRIBE` had no reply, or one that is neither success nor `NOPERM`. */
export const SUBSCRIBE_UNSUPPORTED = 'SUBSCRIBE_UNSUPPORTED';

/** Error replies of a master that hands over the slot of the test key. */
const MOVING_CODES = new Set(['MOVED', 'ASK', 'TRYAGAIN']);

function toErrorMessage(code: string, { subject, isNode }: ServerName): string {
  switch (code) {
    case 'READONLY':
      return isNode
        ? `${subject} is a read-only replica (READONLY).`
        : `${subject} is a read-only replica (READONLY): the gateway reads from it, and stores new responses in its own memory only. REDIS_URL must name the master, or REDIS_SENTINELS the Sentinels that know the master.`;
    case SUBSCRIBE_UNSUPPORTED:
      return `${subject} does not support SUBSCRIBE: the instances of the gateway do not notify each other. A proxy in front of Redis must pass SUBSCRIBE and PUBLISH on.`;
    case 'OOM':
      return `${subject} is full and rejects writes (OOM): set maxmemory-policy to allkeys-lru, or raise maxmemory. The gateway stores new responses in its own memory only.`;
    case 'MISCONF':
      return `${subject} rejects writes, because it cannot persist its data (MISCONF): switch persistence off, or free its disk.`;
    case 'NOREPLICAS':
      return `${subject} rejects writes, because it has too few replicas (NOREPLICAS).`;
    case 'MASTERDOWN':
      return `${subject} is a replica that has lost its master (MASTERDOWN).`;
    case 'CLUSTERDOWN':
      return `${subject} serves no keys, because the cluster is down (CLUSTERDOWN): too few masters are reachable, or a slot has no master and cluster-require-full-coverage is on.`;
    default:
      return `${subject} rejects commands of the gateway (${code || 'unknown error'}).`;
  }
}
