import { isLoopbackUrl } from '#config/groups/listening.ts';
import type { Settings } from '#config/settings.ts';
import type { AddFinding, Finding } from '#doctor/finding.ts';
import type { Certificate, ConnectionLog } from '#doctor/upstream/connection-log.ts';
import type { Probe, ProbeClient } from '#doctor/upstream/probe-client.ts';
import { isSameHost, toProbeFailure } from '#doctor/upstream/probe-failure.ts';
import { checkKey, toMissingKey, toRejectedKey } from './key.ts';

const DAY_MS = 86_400_000;
/** Automatic renewals happen weeks before the end. */
const MIN_CERTIFICATE_DAYS = 14;
/** A greater difference makes cached responses expire noticeably early or late. */
const MAX_CLOCK_DIFFERENCE_MS = 10_000;

export interface ConnectionScene {
  readonly client: ProbeClient;
  readonly settings: Settings;
  readonly connectionLog: ConnectionLog;
  readonly hasKey: boolean;
  readonly now: () => number;
  readonly add: AddFinding;
}

/**
 * Sends the first requests, and explains them if they have failed.
 * @returns the response to `GET /assistants`; undefined if nothing else can be checked
 */
export async function checkConnection(scene: ConnectionScene): Promise<Probe | undefined> {
  const { client, settings, connectionLog, hasKey, now, add } = scene;
  const probe = await client.get('/assistants', { key: hasKey ? 'given' : 'made-up' });
  const failure = toProbeFailure(probe, settings, connectionLog);
  const isKeyRejected = /^(unauthorized|forbidden)$/.test(failure?.cause.kind ?? '');
  if (failure && !isKeyRejected) {
    const { cause, ...finding } = failure;
    const code = cause.code ?? String(cause.status ?? '');
    const details = { cause: cause.kind, ...(code !== '' && { code }) };
    add({ check: 'connection', verdict: 'failure', ...finding, details });
    return undefined;
  }
  add(toConnection(settings.revox.baseUrl, connectionLog));
  for (const finding of toCertificateFindings(settings.revox.baseUrl, connectionLog, now()))
    add(finding);
  add(toClock(probe));
  const key = !hasKey
    ? toMissingKey(probe)
    : failure
      ? toRejectedKey(failure)
      : await checkKey(client, probe);
  add(key);
  return !hasKey || key.verdict === 'failure' ? undefined : probe;
}

function toConnection(baseUrl: string, { connections }: ConnectionLog): Finding {
  const check = 'connection';
  const verdict = 'ok';
  const [connection] = connections;
  if (!connection) return { check, verdict, message: `${baseUrl} responds.`, details: { baseUrl } };
  const { host, address = 'an unknown address' } = connection;
  const isDirect = isSameHost(host, baseUrl);
  return {
    check,
    verdict,
    message: isDirect
      ? `${baseUrl} responds from ${address}, without a proxy.`
      : `${baseUrl} responds through the proxy ${host} at ${address}.`,
    details: { baseUrl, address, proxy: isDirect ? 'none' : host },
  };
}

function toCertificateFindings(
  baseUrl: string,
  { connections }: ConnectionLog,
  now: number,
): Finding[] {
  const url = new URL(baseUrl);
  if (url.protocol === 'http:')
    return isLoopbackUrl(url)
      ? []
      : [
          {
            check: 'certificate',
            verdict: 'finding',
            message: 'REVOX_BASE_URL begins with http://, so the key is sent unencrypted.',
          },
        ];
  const connection = connections.find(({ certificate }) => certificate);
  return connection?.certificate ? [toCertificate(connection.certificate, now)] : [];
}

function toCertificate({ issuer, validUntil, protocol }: Certificate, now: number): Finding {
  const days = Math.floor((validUntil - now) / DAY_MS);
  const date = new Date(validUntil).toISOString().slice(0, 10);
  const isExpiring = days < MIN_CERTIFICATE_DAYS;
  return {
    check: 'certificate',
    verdict: isExpiring ? 'finding' : 'ok',
    message: isExpiring
      ? `The certificate expires in ${days} days (${date}); its issuer is ${issuer}.`
      : `The certificate is valid until ${date}; its issuer is ${issuer}.`,
    details: { issuer, validUntil: date, protocol },
  };
}

function toClock({ clockDifferenceMs }: Probe): Finding {
  const check = 'clock';
  if (clockDifferenceMs === undefined)
    return { check, verdict: 'unknown', message: 'The responses have no date to compare clocks.' };
  const seconds = Math.round(Math.abs(clockDifferenceMs) / 1000);
  const isOff = Math.abs(clockDifferenceMs) > MAX_CLOCK_DIFFERENCE_MS;
  const direction = clockDifferenceMs > 0 ? 'ahead of' : 'behind';
  return {
    check,
    verdict: isOff ? 'finding' : 'ok',
    message: isOff
      ? `The clock of the API is ${seconds} s ${direction} that of this machine: check NTP on this machine.`
      : `The clocks of the API and of this machine differ by ${seconds} s.`,
    details: { differenceMs: Math.round(clockDifferenceMs) },
  };
}
