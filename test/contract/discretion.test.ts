import { inspect } from 'node:util';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { landmarks } from '#sandbox/landmarks.ts';
import { readyOperations } from '#sandbox/ready-operations.ts';
import { keepLog } from '../kit/log-lines.ts';
import { createWorld, KEY_A } from '../kit/world.ts';

/** Long enough not to stand somewhere by chance. */
const SHORTEST = 6;

/** All texts of an answer, ids and phone numbers among them; no names of enums, which are the schema's. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.length < SHORTEST || /^[A-Z][A-Z_]*$/.test(value) ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Everything that people are told about, by operations that ask for all of it; and some that fail. */
async function play(settings: Record<string, string> = {}) {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const kept = [keepLog(), keepLog({ format: 'text' })] as const;
  const tell = (level: 'debug' | 'info' | 'error' | 'bug') => (message: unknown, fields?: Record<string, string>) => {
    for (const { log } of kept) log[level]?.(message as string, fields);
  };
  const world = createWorld({
    settings,
    gateway: {
      tracerProvider,
      log: { debug: tell('debug'), info: tell('info') as never, error: tell('error') as never, bug: tell('bug') as never },
    },
  });
  const operations = readyOperations(landmarks(world.sandbox));
  const personal = new Set<string>([KEY_A]);
  for (const { query, variables } of operations) {
    const answer = await world.ask(query, variables as Record<string, unknown>);
    for (const text of [...textsIn(answer.data), ...textsIn(variables)]) personal.add(text);
  }
  world.sandbox.control.fail(() => true, { status: 500 });
  for (const { query, variables } of operations) await world.ask(`${query} # again`, variables as Record<string, unknown>);
  await world.ask('query ($id: ID!) { call(id: $id) { nope } }', { id: 'the-id-of-somebody' });
  await world.fetch('/call/the-id-of-somebody?phone=+33639985691');
  const metrics = await (await world.fetch('/metrics')).text();
  const spans = exporter.getFinishedSpans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
  const told = { lines: kept.map(({ lines }) => lines.join('')).join(''), metrics, spans: inspect(spans, { depth: 10 }) };
  return { told, personal: [...personal, 'the-id-of-somebody', '+33639985691'], requests: world.traffic() };
}

test('No key, no id, no phone number and nothing else of an answer is in the log, the metrics or the traces', async () => {
  const { told, personal, requests } = await play();
  expect(personal.length).toBeGreaterThan(200);
  expect(requests.length).toBeGreaterThan(10);
  for (const text of Object.values(told)) {
    expect(text.length).toBeGreaterThan(1_000);
    expect(personal.filter((one) => text.includes(one))).toEqual([]);
  }
});

test('What is searched for would be found: with LOG_PERSONAL_DATA=on the log has the ids', async () => {
  const { told, personal } = await play({ LOG_PERSONAL_DATA: 'on' });
  expect(personal.filter((one) => told.lines.includes(one)).length).toBeGreaterThan(3);
  expect(personal.filter((one) => told.metrics.includes(one) || told.spans.includes(one))).toEqual([]);
});
