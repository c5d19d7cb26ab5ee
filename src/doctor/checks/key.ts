import type { Finding } from '#doctor/finding.ts';
import type { Probe, ProbeClient } from '#doctor/upstream/probe-client.ts';
import type { ProbeFailure } from '#doctor/upstream/probe-failure.ts';

/**
 * Determines with a made-up key whether the API checks keys at all.
 * @param probe the usable response to `GET /assistants` with the key
 */
export async function checkKey(client: ProbeClient, { status }: Probe): Promise<Finding> {
  const check = 'key';
  const { status: madeUpStatus } = await client.get('/assistants', { key: 'made-up' });
  const details = { madeUpKeyStatus: madeUpStatus ?? 0 };
  if (madeUpStatus === 401 || madeUpStatus === 403)
    return {
      check,
      verdict: 'ok',
      message: `The API accepts the key, and refuses a made-up one (${madeUpStatus}).`,
      details,
    };
  return madeUpStatus === status
    ? {
        check,
        verdict: 'finding',
        message:
          'The API responds to a made-up key as to this one: it checks no keys, or REVOX_BASE_URL is not the real API.',
        details,
      }
    : {
        check,
        verdict: 'unknown',
        message: `The API accepts the key; a made-up one gets ${madeUpStatus === undefined ? 'no response' : `status ${madeUpStatus}`}.`,
        details,
      };
}

/** @param failure that of `GET /assistants` with the key */
export function toRejectedKey({ cause, message }: ProbeFailure): Finding {
  const details = { cause: cause.kind, status: cause.status ?? 0 };
  return { check: 'key', verdict: 'failure', message, details };
}

/** @param probe the response to `GET /assistants` with a made-up key */
export function toMissingKey({ status = 0 }: Probe): Finding {
  const isRefused = status === 401 || status === 403;
  return {
    check: 'key',
    verdict: 'finding',
    message: isRefused
      ? `There is no key, so nothing else was checked (a made-up key gets ${status}): set REVOX_API_KEY, or use --api-key-stdin.`
      : 'There is no key, so nothing else was checked, and the API accepts a made-up one: set REVOX_API_KEY, or use --api-key-stdin.',
    endsChecks: true,
    details: { madeUpKeyStatus: status },
  };
}
