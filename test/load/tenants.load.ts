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
/** `REVOX_MAX_CONCURRENCY`, as it is by default, and what a flood is. */
const LIMIT = 20;
const FLOOD = 10 * LIMIT;
const SAMPLES = 250;
const ROUNDS = 2;

interface Tenants {
  readonly settings: Readonly<Record<string, string>>;
  readonly modest: string;
  readonly flooding: string;
  /** What each carries to the upstream. */
  readonly upstreamKeys: { readonly modest: string; readonly flooding: string };
  /** The most that the flood may have in flight: in the one case all places of its own key, in the other its share of the common one. */
  readonly maxOfFlood: number;
}

describe('While one tenant floods the gateway at ten times the limit', () => {
  test('another one, with a key of its own, waits no longer than twice as long as in quiet', async () => {
    await runLoad({
      settings: {},
      modest: 'Bearer sk_modest',
      flooding: 'Bearer sk_flooding',
      upstreamKeys: { modest: 'Bearer sk_modest', flooding: 'Bearer sk_flooding' },
      maxOfFlood: LIMIT,
    });
  });

  test('another one, with a token of its own and the same key, waits no longer than twice as long as in quiet', async () => {
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
      modest: `Bearer ${await tokenOf('modest')}`,
      flooding: `Bearer ${await tokenOf('flooding')}`,
      upstreamKeys: { modest: 'Bearer sk_common', flooding: 'Bearer sk_common' },
      // With the one request of the modest one.
      maxOfFlood: 0.75 * LIMIT + 1,
    });
  });
});

async function runLoad({
  settings,
  modest,
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
  let asked = 0;
  let floods = 0;

  /** How long one call takes that nobody has asked for before, ms. */
  async function ask(): Promise<number> {
    asked += 1;
    const id = `call-${asked}`;
    const startedAt = performance.now();
    const { body } = await request(url, {
      dispatcher: client,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: modest },
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
    while (times.length < SAMPLES) times.push(await ask());
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
      begun: once(worker, 'message'),
      /** @returns how many requests were answered */
      async end(): Promise<number> {
        worker.postMessage('end');
        const [answered] = await once(worker, 'message');
        return answered as number;
      },
      [Symbol.asyncDispose]: async () => void (await worker.terminate()),
    };
  }

  // What runs for the first time, and is yet to be compiled, is slow in quiet as well.
  await using warmUp = startFlood();
  await warmUp.begun;
  for (let n = 0; n < 50; n += 1) await ask();
  await warmUp.end();

  // By turns: whatever else this machine does meanwhile falls on both.
  const quiet: number[] = [];
  const loud: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const key of Object.values(upstreamKeys)) upstream.takeTraffic(key);
    quiet.push(...(await sample()));
    expect(upstream.takeTraffic(upstreamKeys.modest)).toEqual({
      requests: SAMPLES,
      maxConcurrent: 1,
    });

    await using flood = startFlood();
    await flood.begun;
    loud.push(...(await sample()));
    const answered = await flood.end();
    const { requests, maxConcurrent } = upstream.takeTraffic(upstreamKeys.flooding);
    // It has what is its own: it is not held back either.
    expect(maxConcurrent).toBe(maxOfFlood);
    expect(requests).toBe(answered + (upstreamKeys.modest === upstreamKeys.flooding ? SAMPLES : 0));
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
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}
