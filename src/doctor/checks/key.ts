import type { Finding } from '#doctor/finding.ts';
import type { Probe, ProbeClient } from '#doctor/upstream/probe-client.ts';

/**
 * Determines whether the API accepts the key. A made-up key shows whether it checks keys at all.
 * @param probe the response to `GET /assistants` with the key
 */
export async function checkKey(client: ProbeClient, { status }: Probe): Promise<Finding> {
  const check = 'key';
  if (status === 401)
    return {
      check,
      verdict: 'failure',
      message:
        'The API refuses the key (401): check that the key is complete, and that REVOX_BASE_URL is the server that issued it.',
      details: { status },
    };
  if (status === 403)
    return {
      check,
      verdict: 'failure',
      message:
        'The API does not allow the key to read assistants (403): check its permissions, and firewalls between.',
      details: { status },
    };
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

/** @param probe the response to `GET /assistants` with a made-up key */
export function toMissingKey({ status = 0 }: Probe): Finding {
  const isRefused = status === 401 || status === 403;
  return {
    check: 'key',
    verdict: 'finding',
    message: isRefused
      ? `There is no key, so nothing else was checked (a made-up key gets ${status}): set REVOX_API_KEY, or use --api-key-stdin.`
      : 'There is no key, so nothing else was checked, and the API accepts a made-up one: set REVOX_API_KEY, or use --api-key-stdin.',
    details: { madeUpKeyStatus: status },
  };
}
