import type { Finding } from '#doctor/finding.ts';
import type { ConnectionLog } from '#doctor/upstream/connection-log.ts';
import type { Probe } from '#doctor/upstream/probe-client.ts';
import { plural } from '#plural.ts';

const RATE_LIMIT_HEADERS = [
  'ratelimit',
  'ratelimit-policy',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-rate-limit-limit',
  'x-rate-limit-remaining',
  'x-rate-limit-reset',
  'retry-after',
  'retry-after-ms',
];
const CACHE_HEADERS = ['cache-control', 'etag', 'last-modified', 'age', 'expires', 'vary'];
/** Requests of this share of the time limit are too close to it. */
const SLOW_RATIO = 0.25;

/** Reports what the headers and the durations of all responses show. */
export function checkHeaders(
  probes: readonly Probe[],
  { connections }: Pick<ConnectionLog, 'connections'>,
  timeoutMs: number,
): Finding[] {
  const responses = probes.filter(({ status }) => status !== undefined);
  return [
    toRateLimit(responses),
    toCaching(responses),
    ...toKeepAlive(responses, connections.length),
    ...toCompression(responses),
    toLatency(probes, timeoutMs),
  ];
}

function toRateLimit(responses: readonly Probe[]): Finding {
  const check = 'rate-limit';
  const names = presentIn(responses, RATE_LIMIT_HEADERS);
  const limited = responses.find(({ status }) => status === 429);
  if (limited)
    return {
      check,
      verdict: 'finding',
      message: `The API limits the rate of requests: request ${responses.indexOf(limited) + 1} of this run got 429, and no other was sent.`,
      details: { headers: names },
    };
  return names.length === 0
    ? { check, verdict: 'note', message: 'No response has a header about rate limits.' }
    : {
        check,
        verdict: 'note',
        message: `The API reports rate limits: ${names.map((name) => withNumber(name, responses)).join(', ')}.`,
        details: { headers: names },
      };
}

/** With the value of the last response if it is a number. */
function withNumber(name: string, responses: readonly Probe[]): string {
  const value = responses.findLast(({ header }) => header(name) !== undefined)?.header(name);
  return value !== undefined && /^\d{1,12}$/.test(value) ? `${name}: ${value}` : name;
}

function toCaching(responses: readonly Probe[]): Finding {
  const check = 'caching';
  const names = presentIn(responses, CACHE_HEADERS);
  return {
    check,
    verdict: 'note',
    message:
      names.length === 0
        ? 'No response has a caching header; the gateway derives freshness from the data.'
        : `Responses have the caching headers ${names.join(', ')}; the gateway derives freshness from the data.`,
    details: { headers: names },
  };
}

function toKeepAlive(responses: readonly Probe[], connections: number): Finding[] {
  // Without sockets there is nothing to count.
  if (connections === 0) return [];
  const details = { connections, requests: responses.length };
  const isReused = connections <= Math.ceil(responses.length / 4);
  const timeout = /timeout=(\d{1,6})/.exec(
    responses.map(({ header }) => header('keep-alive')).find(Boolean) ?? '',
  )?.[1];
  const keeps = timeout === undefined ? '' : `; the API keeps idle ones for ${timeout} s`;
  return [
    {
      check: 'keep-alive',
      verdict: isReused ? 'ok' : 'finding',
      message: isReused
        ? `${responses.length} requests used ${plural(connections, 'connection')}${keeps}.`
        : `${responses.length} requests needed ${plural(connections, 'connection')}: the API does not keep them alive, which makes each request slower.`,
      details,
    },
  ];
}

function toCompression(responses: readonly Probe[]): Finding[] {
  const encoding = responses
    .map(({ header }) => header('content-encoding'))
    .find((value) => value !== undefined && /^[a-z-]{1,20}$/.test(value));
  const message =
    encoding === undefined
      ? 'The API does not compress responses.'
      : `The API compresses responses (${encoding}) if a client asks for it; the gateway does not.`;
  return [{ check: 'compression', verdict: 'note', message }];
}

function toLatency(probes: readonly Probe[], timeoutMs: number): Finding {
  const sorted = probes.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const medianMs = Math.round(sorted[Math.floor((sorted.length - 1) / 2)] ?? 0);
  const maxMs = Math.round(sorted.at(-1) ?? 0);
  const timeouts = probes.filter(({ isTimeout }) => isTimeout).length;
  const check = 'latency';
  const details = { p50Ms: medianMs, maxMs, requests: probes.length, timeouts };
  const measured = `p50 ${medianMs} ms, slowest ${maxMs} ms, of ${plural(probes.length, 'request')}`;
  if (timeouts === 0 && medianMs <= timeoutMs * SLOW_RATIO)
    return { check, verdict: 'ok', message: `The API responds in time: ${measured}.`, details };
  return {
    check,
    verdict: 'finding',
    message: `The API is slow: ${measured}; REVOX_TIMEOUT_MS is ${timeoutMs}.`,
    settings: {
      REVOX_TIMEOUT_MS: String(Math.max(timeoutMs * 2, Math.ceil(medianMs / 1000) * 8000)),
    },
    details,
  };
}

function presentIn(responses: readonly Probe[], names: readonly string[]): string[] {
  return names.filter((name) => responses.some(({ header }) => header(name) !== undefined));
}
