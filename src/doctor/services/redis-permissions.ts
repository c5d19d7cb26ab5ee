import type { Finding } from '#doctor/finding.ts';
import { GATEWAY_COMMANDS, REQUIRED_ACL, type SendCommand } from './redis-commands.ts';

const WRITE_ERRORS: { readonly [code: string]: string } = {
  READONLY:
    'Redis is a read-only replica (READONLY): the gateway reads from it, and stores new responses in its own memory only. REDIS_URL must name the master, or REDIS_SENTINELS the Sentinels that know the master.',
  OOM: 'Redis is full and rejects writes (OOM): set maxmemory-policy to allkeys-lru, or raise maxmemory. The gateway stores new responses in its own memory only.',
  MISCONF:
    'Redis rejects writes, because it cannot persist its data (MISCONF): switch persistence off, or free its disk.',
  NOREPLICAS: 'Redis rejects writes, because it has too few replicas (NOREPLICAS).',
  MASTERDOWN: 'Redis is a replica that has lost its master (MASTERDOWN).',
};
const CLUSTER_ERRORS = new Set(['MOVED', 'ASK', 'CROSSSLOT', 'CLUSTERDOWN']);
const CLUSTER =
  'Redis runs in cluster mode, which the gateway does not support: use one master with replicas.';

/** Sends each command of the gateway once, in a form that changes nothing. */
export async function checkPermissions(send: SendCommand): Promise<readonly Finding[]> {
  const missing: string[] = [];
  const codes = new Set<string>();
  let rejectsKeys = false;
  for (const command of GATEWAY_COMMANDS) {
    const result = await send(...command);
    if (result.code === undefined) continue;
    if (result.code !== 'NOPERM') codes.add(result.code);
    else if (/\bkeys?\b/.test(result.text)) rejectsKeys = true;
    else missing.push(command[0]);
  }
  const findings = [
    ...(missing.length > 0 || rejectsKeys ? [toPermissionFinding(missing, rejectsKeys)] : []),
    ...[...codes].map(toErrorFinding),
  ];
  if (findings.length > 0) return findings;
  const names = GATEWAY_COMMANDS.map(([name]) => name).join(', ');
  return [
    {
      check: 'redis-permissions',
      verdict: 'ok',
      message: `Redis accepts every command that the gateway sends: ${names}.`,
    },
  ];
}

function toPermissionFinding(missing: readonly string[], rejectsKeys: boolean): Finding {
  const lacks = [
    ...(missing.length > 0 ? [`the commands ${missing.join(', ')}`] : []),
    ...(rejectsKeys ? ['the keys revox:*'] : []),
  ];
  return {
    check: 'redis-permissions',
    verdict: 'finding',
    message: `The user of REDIS_URL must not use ${lacks.join(' and ')} (NOPERM). The gateway needs: ACL SETUSER <user> ${REQUIRED_ACL}`,
    details: { missingCommands: missing, rejectsKeys },
  };
}

function toErrorFinding(code: string): Finding {
  return {
    check: 'redis-permissions',
    verdict: 'finding',
    message: CLUSTER_ERRORS.has(code)
      ? CLUSTER
      : (WRITE_ERRORS[code] ??
        `Redis rejects commands of the gateway (${code || 'unknown error'}).`),
  };
}
