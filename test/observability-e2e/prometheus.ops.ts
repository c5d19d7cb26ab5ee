import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PromQLExpression, readAlerts, readDashboard } from '../support/dashboard.ts';
import { putCallState } from '../support/live-gateway.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { createTestGateway, KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import {
  expectPrometheus,
  hasPrometheus,
  type Prometheus,
  promtool,
  startPrometheus,
} from './prometheus-server.ts';

expectPrometheus();

describe.skipIf(!hasPrometheus)('promtool', () => {
  test.each([
    ['the alert rules', ['check', 'rules', 'alerts.yaml']],
    ['the tests of the alert rules', ['test', 'rules', 'alerts.test.yaml']],
    ['the configuration', ['check', 'config', 'prometheus.yaml']],
  ])('promtool accepts %s', async (_, args) => {
    expect(await promtool(args)).toEqual({ code: 0, output: expect.stringContaining('SUCCESS') });
  });

  test('promtool accepts the metrics', async () => {
    const world = createTestGateway();
    await world.execute('query Voices { assistants(first: 1) { nodes { id } } }');
    const text = await (await world.fetch('/metrics')).text();
    expect(text).toContain('revox_gateway_');
    expect(await promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
    expect(
      await promtool(
        ['check', 'metrics'],
        text.replaceAll('unexpected_errors_total', 'unexpected_errors'),
      ),
    ).not.toMatchObject({ code: 0 });
  });
});

describe.skipIf(!hasPrometheus)('Prometheus that scrapes a gateway', () => {
  let world: ServedGateway;
  let prometheus: Prometheus;
  beforeAll(async () => {
    world = await serveTestGateway({
      gateway: { processMetrics: true },
      settings: {
        ...NO_CACHE,
        MAX_SUBSCRIPTIONS: '2',
        // An open circuit would stop the requests whose rates the dashboard shows.
        REVOX_BREAKER_FAILURES: '1000000',
      },
    });
    world.sandbox.control.fail('/campaigns', { status: 500 });
    world.sandbox.control.transform('/assistants', respondWithDrift);
    // Each scrape must see a subscription, whenever it comes.
    await openSubscription(world, 'followed');
    prometheus = await startPrometheus(Number(new URL(world.url).port));
    const lastScrapeAt = async () => (await prometheus.query('timestamp(up)'))[0]?.value ?? 0;
    // A rate requires two scrapes, with traffic before and between them.
    for (let scrapes = 0; scrapes < 5; scrapes += 1) {
      const before = await lastScrapeAt();
      do await generateTraffic(world);
      while ((await lastScrapeAt()) <= before);
    }
  });
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await world?.close();
  });

  test.each(readDashboard())(
    'the dashboard query $where has a result in Prometheus: $expr',
    async (expression) => {
      const series = await prometheus.query(toQuery(expression));
      expect(series.length).toBeGreaterThan(0);
      for (const { metric, value } of series) {
        expect(Object.keys(metric)).toEqual(expect.arrayContaining(labelsOf(expression.legend)));
        expect(value).not.toBeNaN();
      }
    },
  );

  test('Prometheus evaluates all alerts without an error, and one alert is pending', async () => {
    const readRules = async () => {
      const { groups } = (await prometheus.get('rules')) as {
        groups: { rules: { name: string; health: string; state: string }[] }[];
      };
      return groups.flatMap((group) => group.rules);
    };
    // Half of the operations fail. The alert fires after five minutes.
    await expect
      .poll(async () => (await readRules()).filter(({ state }) => state === 'pending'))
      .toContainEqual(expect.objectContaining({ name: 'RevoxOperationsFailing' }));
    const rules = await readRules();
    expect(rules.map(({ name }) => name).sort()).toEqual(
      readAlerts()
        .map(({ where }) => where)
        .sort(),
    );
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });
});

function toQuery({ expr }: PromQLExpression): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
}

function labelsOf(legend: string): string[] {
  return Array.from(legend.matchAll(/\{\{(\w+)\}\}/g), ([, name = '']) => name);
}

// biome-ignore lint/suspicious/noExplicitAny: the body of an upstream response
function respondWithDrift(body: any): unknown {
  for (const assistant of body.assistants) assistant.voice = { id: 'v', provider: 'inworld' };
  return body;
}

/** Sends operations, half of which fail, and subscriptions, half of which are over the limit. */
async function generateTraffic(world: ServedGateway): Promise<void> {
  await send(world, 'query Voices { assistants(first: 1) { nodes { id voice { provider } } } }');
  await send(world, 'query Failing { campaigns(first: 1) { nodes { id } } }');
  await send(world, '{ nope }');
  await send(world, `{ ${'__typename '.repeat(200)} }`);
  const id = 'ending';
  const reader = await openSubscription(world, id);
  await (await subscribe(world, id)).arrayBuffer();
  const { sandbox } = world;
  putCallState(sandbox, { id, status: 'completed', call_attempts: [endedNow(sandbox)] });
  // What a query reads is an event.
  await send(world, `{ call(id: "${id}") { id } }`);
  await readUntil(reader, 'event: complete');
}

function send(
  { url }: ServedGateway,
  query: string,
  accept = 'application/json',
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query }),
  });
}

function subscribe(world: ServedGateway, id: string): Promise<Response> {
  return send(world, `subscription { callUpdated(id: "${id}") { status } }`, 'text/event-stream');
}

/** Subscribes to a live call, and resolves when its first event has arrived. */
async function openSubscription(
  world: ServedGateway,
  id: string,
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  putCallState(world.sandbox, { id, status: 'calling' });
  const reader = (await subscribe(world, id)).body!.getReader();
  await readUntil(reader, 'CALLING');
  return reader;
}

function endedNow({ control }: ServedGateway['sandbox']) {
  const { attempts } = control.data(KEY_A);
  return { ...attempts[0]!, status: 'completed' as const, ended_at: new Date().toISOString() };
}

async function readUntil(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  expected: string,
): Promise<void> {
  const decoder = new TextDecoder();
  for (let text = ''; !text.includes(expected); ) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The stream ended before ${expected}: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
}
