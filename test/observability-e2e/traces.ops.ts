import { describe, expect, test } from 'vitest';
import { type Demo, freePort, startDemo, startGateway } from '../sockets/demo-process.ts';
import { startCollector } from './collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

const VOICES = { query: 'query Voices { assistants(first: 1) { nodes { id } } }' };

function sendOperation({ url }: Pick<Demo, 'url'>, headers: Record<string, string> = {}) {
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

describe('Traces of a gateway process', () => {
  test("a gateway process sends its spans to a collector, as children of the caller's span, and pending spans when it exits", async () => {
    await using collector = await startCollector();
    await using demo = await startDemo({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      // Spans are sent only at exit.
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      LOG_FORMAT: 'json',
    });
    expect((await sendOperation(demo, { traceparent: `00-${TRACE}-${SPAN}-01` })).status).toBe(200);
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
    // The gateway sends neither metrics nor logs to the collector.
    expect(new Set(collector.paths)).toEqual(new Set(['/v1/traces']));
    const line = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find(({ msg }) => msg === 'request');
    expect(line).toMatchObject({ trace_id: TRACE, span_id: server?.spanId, operation: 'Voices' });
  });

  test('the OTEL_ variables set the service name, the endpoint and the sampler', async () => {
    await using collector = await startCollector();
    await using demo = await startDemo({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.origin}/elsewhere`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SERVICE_NAME: 'calls',
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    });
    await sendOperation(demo);
    await sendOperation(demo, { traceparent: `00-${TRACE}-${SPAN}-01` });
    expect((await stop(demo)).code).toBe(0);
    // Only the second operation is sampled: its caller records. It is a cache hit.
    expect(collector.spans).toMatchObject([
      { traceId: TRACE, service: 'calls', name: 'query Voices' },
    ]);
    expect(new Set(collector.paths)).toEqual(new Set(['/elsewhere']));
  });

  test('a gateway process whose collector is down serves operations, logs the failure once, and exits in time', async () => {
    await using demo = await startDemo({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    });
    for (let times = 0; times < 3; times += 1) expect((await sendOperation(demo)).status).toBe(200);
    const { code, stdout, stderr } = await stop(demo);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').filter((line) => line.includes('error')).length).toBeLessThanOrEqual(
      2,
    );
  });

  test.each([
    ['OTEL_TRACES_EXPORTER', 'jaeger'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/yaml'],
    ['OTEL_CONFIG_FILE', '/absent.yaml'],
  ])(
    'a gateway process starts, and reports the misconfigured %s in one line of its log',
    async (name, value) => {
      const port = await freePort();
      await using gateway = startGateway(['demo'], {
        PORT: String(port),
        SANDBOX_PORT: '0',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
        OTEL_BSP_SCHEDULE_DELAY: '600000',
        LOG_FORMAT: 'json',
        [name]: value,
      });
      expect(JSON.parse(await gateway.firstLine)).toMatchObject({
        level: 'error',
        msg: expect.stringMatching(`^OpenTelemetry: .*${value}`),
      });
      await expect
        .poll(() => sendOperation({ url: `http://127.0.0.1:${port}/graphql` }).catch(() => {}))
        .toMatchObject({ status: 200 });
      gateway.process.kill('SIGTERM');
      expect(await gateway.ended).toMatchObject({ code: 0, stderr: '' });
    },
  );

  test.each([
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'set', OTEL_SDK_DISABLED: 'true' },
    { OTEL_TRACES_EXPORTER: 'none' },
  ])(
    'a gateway process sends no spans with the settings %j',
    async (settings: Record<string, string>) => {
      await using collector = await startCollector();
      const environment = Object.fromEntries(
        Object.entries(settings).map(([name, value]) => [
          name,
          value.replace('set', collector.origin),
        ]),
      );
      await using demo = await startDemo(environment);
      await sendOperation(demo);
      expect((await stop(demo)).code).toBe(0);
      expect(collector.paths).toEqual([]);
    },
  );
});
