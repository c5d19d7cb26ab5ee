import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect } from 'vitest';
import { readSettings } from '#config/settings.ts';
import type { Drift } from '#extensions.ts';
import { createGateway } from '#gateway.ts';
import {
  type Certificate,
  type FaultyResponder,
  type FaultyUpstream,
  startFaultyUpstream,
} from '../support/faulty-upstream.ts';
import { type GraphQLResult, KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import { untilIdle } from '../support/timed-gateway.ts';
import type { Bound, Fault, FaultSource, TimeSetting } from './fault.ts';
import { createCertificate } from './replacement-servers.ts';
import { createSkippableTime } from './skippable-time.ts';
import { sandbox, toScenario } from './subjects.ts';

const SETTINGS = {
  REVOX_API_KEY: KEY_A,
  REVOX_FIRST_PAGE: '1',
  REVOX_TIMEOUT_MS: '10000',
  REQUEST_DEADLINE_MS: '15000',
  ...NO_CACHE,
  // Without connections, only cached responses can serve the other fields.
  FRESHNESS_ASSISTANT_MS: '60000',
  FRESHNESS_CAMPAIGN_MS: '60000',
  FRESHNESS_RUNNING_CAMPAIGN_MS: '60000',
} satisfies Record<string, string>;

/** The timeout under test, if there is one. The test takes at least this long. */
const SHORT_TIMEOUT_MS = 1_500;

/** The time that a busy machine may add. */
const SLACK_MS = 3_000;

/** The gateway trusts this certificate. */
let certificate: Certificate | undefined;

function getCertificate(): Certificate {
  if (certificate) return certificate;
  certificate = createCertificate();
  setDefaultCACertificates([...getCACertificates('default'), certificate.cert]);
  return certificate;
}

/** The result of one query: a field that meets the fault, and others that do not. */
export interface FaultResult {
  readonly result: GraphQLResult;
  readonly ms: number;
  /** The requests of the field that meets the fault. */
  readonly requests: readonly string[];
  /** The same requests as the gateway counts them: the upstream does not see failed connections. */
  readonly countedRequests: number;
  /** The counted drift, as `kind Type.field`. */
  readonly drift: readonly string[];
}

export interface FaultHarness extends AsyncDisposable {
  readonly upstream: FaultyUpstream;
  observe(): Promise<FaultResult>;
  /** Caches the other fields. */
  warm(): Promise<void>;
  startFault(faultSource: FaultSource): Promise<void>;
  /** Advances the clock, in ms. */
  skip(ms: number): void;
  endFault(): Promise<void>;
  /** Asserts that no timer, no request and no connection is left, except connections that are kept alive. */
  expectNothingLeft(): Promise<void>;
  readonly unexpectedErrors: readonly unknown[];
  /** Text that no error may contain. */
  readonly secrets: readonly string[];
}

/** The complete gateway over real sockets to an upstream with faults. */
export async function createFaultHarness(fault: Fault): Promise<FaultHarness> {
  const { headers, isSecure = false, dropsCache = false, bound } = fault;
  const { hit, siblings, otherRequests } = toScenario(fault.subject);
  const selections = siblings.map(({ selection }, at) => `beside${at}: ${selection}`).join(' ');
  const besideValues = Object.fromEntries(siblings.map(({ value }, at) => [`beside${at}`, value]));

  const upstream = await startFaultyUpstream(sandbox, {
    certificate: isSecure ? getCertificate() : undefined,
  });
  const unexpectedErrors: unknown[] = [];
  const time = createSkippableTime();
  const settings = readSettings({
    REVOX_BASE_URL: upstream.url,
    ...SETTINGS,
    ...withShortTimeout(bound),
    ...fault.settings,
  });
  const gateway = createGateway(settings, {
    log: {
      info: () => {},
      // Failing upstreams are logged; they are not unexpected.
      error: () => {},
      unexpected: (error) => unexpectedErrors.push(error),
    },
    monotonicNow: time.elapsed,
    startTimer: time.startTimer,
    // Retry delays are a tenth of their bound.
    random: () => 0.1,
  });
  const otherHost = await startFaultyUpstream(sandbox);
  let areCached = false;
  let isFaulty = false;
  let replacement: AsyncDisposable | undefined;

  const misbehave = (respond: FaultyResponder) =>
    upstream.respondWith(({ requestLine }) =>
      requestLine.startsWith(hit.request) ? respond : undefined,
    );

  const executeOver = async (query: string): Promise<GraphQLResult> => {
    const response = await gateway.fetch(
      new Request('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-revox-trace': '1', ...headers },
        body: JSON.stringify({ query }),
      }),
    );
    return (await response.json()) as GraphQLResult;
  };

  return {
    upstream,
    unexpectedErrors,
    secrets: [
      KEY_A,
      String(upstream.port),
      sandbox.basePath,
      hit.request.slice('GET '.length),
      'undici',
      'ECONN',
      'UND_ERR',
    ],
    async observe() {
      upstream.traffic();
      const startedAt = performance.now();
      const { data, errors, extensions } = await executeOver(
        `{ hit: ${hit.selection} ${selections} }`,
      );
      const ms = performance.now() - startedAt;
      const { hit: value, ...others } = data;
      expect(others, 'values of the other fields').toEqual(besideValues);
      const traffic = upstream.traffic();
      const requests = traffic.filter((line) => line.startsWith(hit.request));
      const otherTraffic = traffic.filter((line) => !requests.includes(line)).sort();
      expect(otherTraffic, 'requests of the other fields').toEqual(areCached ? [] : otherRequests);
      areCached = !(dropsCache && isFaulty);
      const result = { data: value, ...(errors && { errors }) };
      const { requests: sent, drift = [] } = extensions.upstream as {
        requests: number;
        drift?: Drift[];
      };
      return {
        result,
        ms,
        requests,
        countedRequests: sent - otherTraffic.length,
        drift: drift.map(toText).sort(),
      };
    },
    async warm() {
      const { data, errors } = await executeOver(`{ ${selections} }`);
      expect({ data, errors }).toEqual({ data: besideValues, errors: undefined });
      areCached = true;
    },
    skip: time.skip,
    async startFault(wrong) {
      isFaulty = true;
      if ('answer' in wrong) {
        misbehave(wrong.answer);
      } else if ('leadTo' in wrong) {
        misbehave(wrong.leadTo(otherHost.url.replace(sandbox.basePath, '')));
      } else {
        await upstream.stop();
        if ('instead' in wrong) replacement = await wrong.instead(upstream.port);
        else {
          upstream.handleConnectionsWith(wrong.connection);
          await upstream.start();
        }
        await untilIdle();
      }
    },
    async endFault() {
      isFaulty = false;
      upstream.respondWith(undefined);
      upstream.handleConnectionsWith(undefined);
      if (!replacement) return;
      await replacement[Symbol.asyncDispose]();
      replacement = undefined;
      await upstream.start();
    },
    async expectNothingLeft() {
      // Only the periodic cleanup of the cache may still run.
      await expect
        .poll(() => time.running.filter((ms) => ms < 60_000), {
          interval: 10,
          message: 'timers',
        })
        .toEqual([]);
      expect(otherHost.connections, 'connections to another host').toBe(0);
      await expect
        .poll(() => upstream.unanswered, { interval: 10, message: 'requests in progress' })
        .toBe(0);
      await expect
        .poll(() => upstream.openConnections, { interval: 10, message: 'connections' })
        .toBeLessThanOrEqual(3);
    },
    async [Symbol.asyncDispose]() {
      await gateway.dispose();
      await replacement?.[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
      await otherHost[Symbol.asyncDispose]();
    },
  };
}

/** Bounds are not exact: a field without a delay must only end before `REVOX_TIMEOUT_MS`. */
export function maxMs(bound: Bound): number {
  return isTime(bound) ? SHORT_TIMEOUT_MS + SLACK_MS : Number(SETTINGS.REVOX_TIMEOUT_MS);
}

function withShortTimeout(bound: Bound): Record<string, string> {
  return isTime(bound) ? { [bound]: String(SHORT_TIMEOUT_MS) } : {};
}

function isTime(bound: Bound): bound is TimeSetting {
  return bound.endsWith('_MS');
}

function toText({ kind, type, field }: Drift): string {
  return `${kind} ${type}.${field}`;
}
