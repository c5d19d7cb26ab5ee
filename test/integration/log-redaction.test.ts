import { inspect } from 'node:util';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { exampleOperations } from '#sandbox/example-operations.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { captureLog } from '../support/captured-log.ts';
import { createTestGateway, KEY_A } from '../support/test-gateway.ts';

/** A text of this length, in characters, does not occur by chance. */
const MIN_TEXT_LENGTH = 6;

/**
 * All strings of a response, including ids and phone numbers. Enum values are excluded: they are
 * part of the schema.
 */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string')
    return value.length < MIN_TEXT_LENGTH || /^[A-Z][A-Z_]*$/.test(value) ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/**
 * Runs the example operations, which together select all personal data, and some operations that
 * fail.
 */
async function runWithLog(settings: Record<string, string> = {}) {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const logs = [captureLog(), captureLog({ format: 'text' })] as const;
  const logTo =
    (level: 'debug' | 'info' | 'warn' | 'error' | 'unexpected') =>
    (message: unknown, fields?: Record<string, string>) => {
      for (const { log } of logs) log[level]?.(message as string, fields);
    };
  const gateway = createTestGateway({
    settings,
    gateway: {
      tracerProvider,
      log: {
        debug: logTo('debug'),
        info: logTo('info') as never,
        warn: logTo('warn') as never,
        error: logTo('error') as never,
        unexpected: logTo('unexpected') as never,
      },
    },
  });
  const operations = exampleOperations(sampleIds(gateway.sandbox));
  const personal = new Set<string>([KEY_A]);
  for (const { query, variables } of operations) {
    const result = await gateway.execute(query, variables as Record<string, unknown>);
    for (const text of [...textsIn(result.data), ...textsIn(variables)]) personal.add(text);
  }
  gateway.sandbox.control.fail(() => true, { status: 500 });
  for (const { query, variables } of operations)
    await gateway.execute(`${query} # again`, variables as Record<string, unknown>);
  await gateway.execute('query ($id: ID!) { call(id: $id) { nope } }', {
    id: 'the-id-of-a-person',
  });
  await gateway.fetch('/call/the-id-of-a-person?phone=+33639985691');
  const metrics = await (await gateway.fetch('/metrics')).text();
  const spans = exporter
    .getFinishedSpans()
    .map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
  const output = {
    lines: logs.map(({ lines }) => lines.join('')).join(''),
    metrics,
    spans: inspect(spans, { depth: 10 }),
  };
  return {
    output,
    personal: [...personal, 'the-id-of-a-person', '+33639985691'],
    requests: gateway.traffic(),
  };
}

test('the log, the metrics and the traces contain no API key, id, phone number or other value of a response', async () => {
  const { output, personal, requests } = await runWithLog();
  expect(personal.length).toBeGreaterThan(200);
  expect(requests.length).toBeGreaterThan(10);
  for (const text of Object.values(output)) {
    expect(text.length).toBeGreaterThan(1_000);
    expect(personal.filter((one) => text.includes(one))).toEqual([]);
  }
});

test('the log contains ids with LOG_PERSONAL_DATA=on, so the redaction test would find them', async () => {
  const { output, personal } = await runWithLog({ LOG_PERSONAL_DATA: 'on' });
  expect(personal.filter((one) => output.lines.includes(one)).length).toBeGreaterThan(3);
  expect(
    personal.filter((one) => output.metrics.includes(one) || output.spans.includes(one)),
  ).toEqual([]);
});
