import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect } from 'vitest';
import { readSettings } from '#config/settings.ts';
import type { Drift } from '#context/drift-log.ts';
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
  // What is asked for beside the fault is remembered where no connection can be had at all.
  FRESHNESS_ASSISTANT_MS: '60000',
  FRESHNESS_CAMPAIGN_MS: '60000',
  FRESHNESS_RUNNING_CAMPAIGN_MS: '60000',
} satisfies Record<string, string>;

/** So short is the time that runs out, where one does: a test takes no shorter. */
const SHORT_TIMEOUT_MS = 1_500;

/** What a busy machine may add to any time. */
const SLACK_MS = 3_000;

/** The gateway trusts it. */
let certificate: Certificate | undefined;

function getCertificate(): Certificate {
  if (certificate) return certificate;
  certificate = createCertificate();
  setDefaultCACertificates([...getCACertificates('default'), certificate.cert]);
  return certificate;
}

/** What one query met: a field that touches the fault, and others that do not. */
export interface FaultResult {
  readonly answer: GraphQLResult;
  readonly ms: number;
  /** Of the field that touches it. */
  readonly requests: readonly string[];
  /** As the gateway counts them, for that field: of connections that came to nothing the upstream knows nothing. */
  readonly countedRequests: number;
  /** What was not as documented, as `kind Type.field`. */
  readonly drift: readonly string[];
}

export interface FaultHarness extends AsyncDisposable {
  readonly upstream: FaultyUpstream;
  observe(): Promise<FaultResult>;
  /** The fields beside the fault are remembered from now on. */
  warm(): Promise<void>;
  startFault(faultSource: FaultSource): Promise<void>;
  /** So much time goes by, ms. */
  skip(ms: number): void;
  endFault(): Promise<void>;
  /** Nothing is left of what went wrong: no timer, no request, no connection but those that may be used again. */
  expectNothingLeft(): Promise<void>;
  readonly unexpectedErrors: readonly unknown[];
  /** What no error may tell. */
  readonly secrets: readonly string[];
}

/** The whole gateway over real sockets to an upstream that can go wrong. */
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
      error: (message) => unexpectedErrors.push(message),
      unexpected: (error) => unexpectedErrors.push(error),
    },
    monotonicNow: time.elapsed,
    startTimer: time.startTimer,
    // Waits between tries are as short as a tenth of their bound.
    random: () => 0.1,
  });
  const elsewhere = await startFaultyUpstream(sandbox);
  let areCached = false;
  let isFaulty = false;
  let replacement: AsyncDisposable | undefined;

  const misbehave = (answer: FaultyResponder) =>
    upstream.respondWith(({ requestLine }) =>
      requestLine.startsWith(hit.request) ? answer : undefined,
    );

  const ask = async (query: string): Promise<GraphQLResult> => {
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
      const { data, errors, extensions } = await ask(`{ hit: ${hit.selection} ${selections} }`);
      const ms = performance.now() - startedAt;
      const { hit: value, ...others } = data;
      expect(others, 'what stands beside the fault').toEqual(besideValues);
      const traffic = upstream.traffic();
      const requests = traffic.filter((line) => line.startsWith(hit.request));
      const otherTraffic = traffic.filter((line) => !requests.includes(line)).sort();
      expect(otherTraffic, 'what was asked beside the fault').toEqual(
        areCached ? [] : otherRequests,
      );
      areCached = !(dropsCache && isFaulty);
      const answer = { data: value, ...(errors && { errors }) };
      const { requests: sent, drift = [] } = extensions.upstream as {
        requests: number;
        drift?: Drift[];
      };
      return {
        answer,
        ms,
        requests,
        countedRequests: sent - otherTraffic.length,
        drift: drift.map(toText).sort(),
      };
    },
    async warm() {
      const { data, errors } = await ask(`{ ${selections} }`);
      expect({ data, errors }).toEqual({ data: besideValues, errors: undefined });
      areCached = true;
    },
    skip: time.skip,
    async startFault(wrong) {
      isFaulty = true;
      if ('answer' in wrong) {
        misbehave(wrong.answer);
      } else if ('leadTo' in wrong) {
        misbehave(wrong.leadTo(elsewhere.url.replace(sandbox.basePath, '')));
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
      // The cache looks through itself once in a while; everything else is over.
      await expect
        .poll(() => time.running.filter((ms) => ms < 60_000), {
          interval: 10,
          timeout: 5_000,
          message: 'timers',
        })
        .toEqual([]);
      expect(elsewhere.connections, 'connections to another host').toBe(0);
      await expect
        .poll(() => upstream.unanswered, { interval: 10, message: 'requests under way' })
        .toBe(0);
      await expect
        .poll(() => upstream.openConnections, { interval: 10, message: 'connections' })
        .toBeLessThanOrEqual(3);
    },
    async [Symbol.asyncDispose]() {
      await gateway.dispose();
      await replacement?.[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
      await elsewhere[Symbol.asyncDispose]();
    },
  };
}

/** No time is measured exactly: but what has to wait for nothing is over before what would run out if it did. */
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
