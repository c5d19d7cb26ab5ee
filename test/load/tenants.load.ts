import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Agent, request } from 'undici';
import { describe, expect, test } from 'vitest';
import { listen, sendJson } from '../rest/real-server.ts';
import { freePort, startGateway } from '../sockets/demo-process.ts';
import { AUDIENCE, createKey, ISSUER, sign, toJwk } from '../support/token-issuer.ts';
import type { Flood } from './flood.ts';
import { startSlowUpstream } from './slow-upstream.ts';

const LATENCY_MS = 40;
/** The default of `REVOX_MAX_CONCURRENCY`, and the concurrency of the flood. */
const LIMIT = 20;
const FLOOD = 10 * LIMIT;
const SAMPLES = 250;
const ROUNDS = 2;

interface Tenants {
  readonly settings: Readonly<Record<string, string>>;
  readonly quietTenant: string;
  readonly flooding: string;
  /** The upstream credential of each tenant. */
  readonly upstreamKeys: { readonly quietTenant: string; readonly flooding: string };
  /**
   * Maximum concurrent upstream requests of the flood: all slots of its own key, or its share of a
   * common key.
   */
  readonly maxOfFlood: number;
}

describe('While one tenant floods the gateway with ten times the concurrency limit', () => {
  test('the p99 latency of another tenant with its own API key at most doubles', async () => {
    await runLoad({
      settings: {},
      quietTenant: 'Bearer sk_modest',
      flooding: 'Bearer sk_flooding',
      upstreamKeys: { quietTenant: 'Bearer sk_modest', flooding: 'Bearer sk_flooding' },
      maxOfFlood: LIMIT,
    });
  });

  test('the p99 latency of another tenant with the same API key and its own token at most doubles', async () => {
    const key = await createKey('one');
    await using issuer = await listen(async (response) =>
      sendJson(response, { keys: [await toJwk(key)] }),
    );
    const tokenOf = (sub: string) =>
      sign(key, { iss: ISSUER, aud: AUDIENCE, sub, exp: Math.floor(Date.now() / 1000) + 600 });
    await runLoad({
      settings: {
        REVOX_API_KEY: 'sk_common',
        JWT_JWKS_URL: `${issuer.origin}/keys`,
        JWT_ISSUER: ISSUER,
        JWT_AUDIENCE: AUDIENCE,
      },
      quietTenant: `Bearer ${await tokenOf('modest')}`,
      flooding: `Bearer ${await tokenOf('flooding')}`,
      upstreamKeys: { quietTenant: 'Bearer sk_common', flooding: 'Bearer sk_common' },
      // Plus the one request of the other tenant.
      maxOfFlood: 0.75 * LIMIT + 1,
    });
  });
});

async function runLoad({
  settings,
  quietTenant,
  flooding,
  upstreamKeys,
  maxOfFlood,
}: Tenants): Promise<void> {
  await using upstream = await startSlowUpstream(LATENCY_MS);
  const port = await freePort();
  await using gateway = startGateway([], {
    PORT: String(port),
    REVOX_BASE_URL: upstream.url,
    REVOX_FIRST_PAGE: '1',
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'json',
    ...settings,
  });
  expect(await gateway.firstLine).toContain('/graphql');
  const url = `http://127.0.0.1:${port}/graphql`;
  const client = new Agent();
  let sentCount = 0;
  let floods = 0;

  /** The latency of a request for a call that was not requested before, in ms. */
  async function measureLatency(): Promise<number> {
    sentCount += 1;
    const id = `call-${sentCount}`;
    const startedAt = performance.now();
    const { body } = await request(url, {
      dispatcher: client,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: quietTenant },
      body: JSON.stringify({
        query: 'query ($id: ID!) { call(id: $id) { id } }',
        variables: { id },
      }),
    });
    expect(await body.json()).toEqual({ data: { call: { id } } });
    return performance.now() - startedAt;
  }

  async function sample(): Promise<number[]> {
    const times: number[] = [];
    while (times.length < SAMPLES) times.push(await measureLatency());
    return times;
  }

  function startFlood() {
    floods += 1;
    const worker = new Worker(new URL('flood.ts', import.meta.url), {
      workerData: {
        url,
        authorization: flooding,
        concurrency: FLOOD,
        name: `flood-${floods}`,
      } satisfies Flood,
    });
    return {
      started: once(worker, 'message'),
      /** @returns the number of responses */
      async end(): Promise<number> {
        worker.postMessage('end');
        const [message] = await once(worker, 'message');
        return message as number;
      },
      [Symbol.asyncDispose]: async () => void (await worker.terminate()),
    };
  }

  // Warms up: code that is not yet compiled would slow the quiet rounds as well.
  await using warmUp = startFlood();
  await warmUp.started;
  for (let n = 0; n < 50; n += 1) await measureLatency();
  await warmUp.end();

  // The rounds alternate, so that other load on the machine affects both.
  const quiet: number[] = [];
  const loud: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const key of Object.values(upstreamKeys)) upstream.takeTraffic(key);
    quiet.push(...(await sample()));
    expect(upstream.takeTraffic(upstreamKeys.quietTenant)).toEqual({
      requests: SAMPLES,
      maxConcurrent: 1,
    });

    await using flood = startFlood();
    await flood.started;
    loud.push(...(await sample()));
    const responseCount = await flood.end();
    const { requests, maxConcurrent } = upstream.takeTraffic(upstreamKeys.flooding);
    // The flood still uses its whole share.
    expect(maxConcurrent).toBe(maxOfFlood);
    expect(requests).toBe(
      responseCount + (upstreamKeys.quietTenant === upstreamKeys.flooding ? SAMPLES : 0),
    );
  }

  const figures = { quiet: toLatencyStats(quiet), loud: toLatencyStats(loud) };
  console.log(JSON.stringify(figures));
  expect(figures.loud.p99).toBeLessThanOrEqual(2 * figures.quiet.p99);
  await client.close();
}

function toLatencyStats(times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
