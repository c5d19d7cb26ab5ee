import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { createBufferedHistogram } from '#observability/buffered-histogram.ts';

const BUCKETS = [0.001, 0.25, 1, 30];

/** Any label may have any of these values; there are few, so that they repeat. */
const label = fc.constantFrom(
  '',
  'a',
  'b',
  'OK',
  '1',
  '/call/{id}',
  'ä"\\\n',
  '__proto__',
  'x=1',
  '{le="1"}',
  '😀',
);

/** On the bounds of the buckets, between them, and beyond. */
const value = fc.oneof(
  fc.constantFrom(0, ...BUCKETS, 1e-9, 30.000001, 1e12),
  fc.double({ min: 0, max: 60, noNaN: true }),
);

describe('Buffered histogram', () => {
  test.each([[[]], [['code']], [['operation', 'code']], [['endpoint', 'status', 'outcome']]])(
    'the buffered histogram renders the same text as prom-client with the labels %j',
    async (names) => {
      const observation = fc.tuple(value, fc.tuple(...names.map(() => label)));
      await fc.assert(
        fc.asyncProperty(fc.array(observation), fc.array(observation), async (before, after) => {
          const [ours, theirs] = [createBuffered(names), createPromClient(names)];
          for (const observations of [before, after]) {
            for (const [seconds, labels] of observations) {
              ours.observe(seconds, ...labels);
              theirs.observe(seconds, ...labels);
            }
            expect(await ours.registry.metrics()).toBe(await theirs.registry.metrics());
          }
        }),
      );
    },
  );

  test('the buffered histogram renders the exposition format line by line', async () => {
    const { registry, observe } = createBuffered(['operation', 'code']);
    observe(0.25, 'Look', 'OK');
    observe(31, 'Look', 'OK');
    observe(0, 'Look', 'OK');
    expect(await registry.metrics()).toBe(
      [
        '# HELP seconds How long.',
        '# TYPE seconds histogram',
        'seconds_bucket{le="0.001",operation="Look",code="OK"} 1',
        'seconds_bucket{le="0.25",operation="Look",code="OK"} 2',
        'seconds_bucket{le="1",operation="Look",code="OK"} 2',
        'seconds_bucket{le="30",operation="Look",code="OK"} 2',
        'seconds_bucket{le="+Inf",operation="Look",code="OK"} 3',
        'seconds_sum{operation="Look",code="OK"} 31.25',
        'seconds_count{operation="Look",code="OK"} 3',
        '',
      ].join('\n'),
    );
  });
});

function createBuffered(labelNames: readonly string[]) {
  const registry = new Registry();
  const observe = createBufferedHistogram({
    name: 'seconds',
    help: 'How long.',
    buckets: BUCKETS,
    labelNames,
    registers: [registry],
  });
  return { registry, observe };
}

function createPromClient(labelNames: string[]) {
  const registry = new Registry();
  const histogram = new Histogram({
    name: 'seconds',
    help: 'How long.',
    buckets: [...BUCKETS],
    labelNames,
    registers: [registry],
  });
  const observe = (seconds: number, ...labels: readonly string[]) => {
    if (labels.length === 0) histogram.observe(seconds);
    else
      histogram.observe(
        Object.fromEntries(labelNames.map((name, place) => [name, labels[place] ?? ''])),
        seconds,
      );
  };
  return { registry, observe };
}
