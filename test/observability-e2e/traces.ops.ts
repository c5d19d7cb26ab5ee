import { describe, expect, test } from 'vitest';
import { type Demo, startDemo } from '../sockets/demo-process.ts';
import { startCollector } from './collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

const VOICES = { query: 'query Voices { assistants(first: 1) { nodes { id } } }' };

function ask({ url }: Demo, headers: Record<string, string> = {}) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(VOICES),
  });
}

async function stop(demo: Demo) {
  demo.process.kill('SIGTERM');
  return demo.ended;
}

describe('A real process', () => {
  test("sends its spans to a real collector, below the caller's, and those that it has not sent when it ends", async () => {
    await using collector = await startCollector();
    await using demo = await startDemo({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      // Nothing is sent before the end.
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      LOG_FORMAT: 'json',
    });
    expect((await ask(demo, { traceparent: `00-${TRACE}-${SPAN}-01` })).status).toBe(200);
    expect(collector.spans).toEqual([]);
    const { code, stdout, stderr } = await stop(demo);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

    const server = collector.spans.find(({ kind }) => kind === 2);
    const client = collector.spans.find(({ kind }) => kind === 3);
    expect(collector.spans).toHaveLength(2);
    expect(server).toMatchObject({
      traceId: TRACE,
      parentSpanId: SPAN,
      name: 'query Voices',
      service: 'revox-graphql-gateway',
      attributes: { 'http.response.status_code': '200', 'graphql.operation.name': 'Voices' },
    });
    expect(client).toMatchObject({
      traceId: TRACE,
      parentSpanId: server?.spanId,
      name: 'GET /assistants',
    });
    // Metrics and logs are not for the collector.
    expect(new Set(collector.paths)).toEqual(new Set(['/v1/traces']));
    const line = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find(({ msg }) => msg === 'request');
    expect(line).toMatchObject({ trace_id: TRACE, span_id: server?.spanId, operation: 'Voices' });
  });

  test('is called what the variables call it, and samples as they say', async () => {
    await using collector = await startCollector();
    await using demo = await startDemo({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.origin}/elsewhere`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SERVICE_NAME: 'calls',
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    });
    await ask(demo);
    await ask(demo, { traceparent: `00-${TRACE}-${SPAN}-01` });
    expect((await stop(demo)).code).toBe(0);
    // The second one, whose caller records; it is answered from memory.
    expect(collector.spans).toMatchObject([
      { traceId: TRACE, service: 'calls', name: 'query Voices' },
    ]);
    expect(new Set(collector.paths)).toEqual(new Set(['/elsewhere']));
  });

  test('works, says so once, and ends in time where the collector is down', async () => {
    await using demo = await startDemo({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    });
    for (let times = 0; times < 3; times += 1) expect((await ask(demo)).status).toBe(200);
    const { code, stdout, stderr } = await stop(demo);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').filter((line) => line.includes('error')).length).toBeLessThanOrEqual(
      2,
    );
  });

  test.each([
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'set', OTEL_SDK_DISABLED: 'true' },
    { OTEL_TRACES_EXPORTER: 'none' },
  ])('sends nothing where nobody asks: %j', async (settings: Record<string, string>) => {
    await using collector = await startCollector();
    const given = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [
        name,
        value.replace('set', collector.origin),
      ]),
    );
    await using demo = await startDemo(given);
    await ask(demo);
    expect((await stop(demo)).code).toBe(0);
    expect(collector.paths).toEqual([]);
  });
});
