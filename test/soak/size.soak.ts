import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { estimateBytes } from '#cache/estimate-size.ts';
import { createMemoryStore } from '#cache/memory-store.ts';
import { parseJson } from '#rest/transport/parse-json.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** The growth of the heap by the value that `make` creates, in bytes, without garbage. */
async function heapOf(make: () => Promise<unknown>): Promise<number> {
  // The first run compiles code.
  await growthBy(make);
  return growthBy(make);
}

async function growthBy(make: () => Promise<unknown>): Promise<number> {
  const before = await heapInUse();
  const made = await make();
  const growth = (await heapInUse()) - before;
  // Keeps the value alive until after the measurement.
  expect(made).toBeDefined();
  return growth;
}

/**
 * The heap in use after garbage collection. Pending work of the event loop may still retain
 * earlier values, and a collection in progress may already have marked them: two iterations and
 * three collections free them.
 */
async function heapInUse(): Promise<number> {
  await new Promise(setImmediate);
  collectGarbage();
  await new Promise(setImmediate);
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Reads each text like an upstream response: parses and deeply freezes it. */
function readAll(texts: readonly string[]): unknown[] {
  return texts.map((text) => parseJson([Buffer.from(text)]));
}

/** The ratio of the estimate to the measured growth of the heap. */
async function estimateOverHeap(texts: readonly string[]): Promise<number> {
  let estimated = 0;
  for (const value of readAll(texts)) estimated += estimateBytes(value);
  return estimated / (await heapOf(async () => readAll(texts)));
}

const UNBOUNDED_BYTES = 2 ** 30;
const NOW = 1e12;
/** Measured: 0.98 to 1.05; 0.92 for numbers, and 1.19 for names that are data. */
const MIN_RATIO = 0.85;
const MAX_RATIO = 1.25;

const { calls, attempts, assistants, campaigns } = createSandbox().control.data(KEY_A);

/** The same value with its texts in another script. */
function translate(value: unknown, toLetter: string): string {
  const SPOKEN = new Set([
    'content',
    'prompt',
    'question',
    'answer',
    'first_sentence',
    'voicemail_message',
    'description',
    'name',
  ]);
  return JSON.stringify(value, (key, inner) =>
    SPOKEN.has(key) && typeof inner === 'string' ? inner.replaceAll(/[a-z]/g, toLetter) : inner,
  );
}

function repeat(times: number, toValue: (index: number) => unknown): string[] {
  return Array.from({ length: times }, (_, index) => JSON.stringify(toValue(index)));
}

describe('Size estimate of cached values', () => {
  const pages = Array.from({ length: 40 }, (_, page) =>
    JSON.stringify({ calls: attempts.slice(page * 50, page * 50 + 50) }),
  );

  test.each([
    { of: 'calls', texts: calls.map((call) => JSON.stringify({ call })) },
    { of: 'pages of attempts', texts: pages },
    { of: 'lists of assistants', texts: repeat(30, () => ({ assistants })) },
    { of: 'lists of campaigns', texts: repeat(60, () => ({ campaigns, total: campaigns.length })) },
    { of: 'calls in Cyrillic', texts: calls.map((call) => translate(call, 'ж')) },
    { of: 'calls in Japanese', texts: calls.map((call) => translate(call, '語')) },
    {
      of: 'calls in English, with one ’ at the end of what is said',
      texts: calls.map((call) =>
        JSON.stringify(call, (key, value) =>
          key === 'content' ? `${value}${' and so on'.repeat(10)}, that’s it` : value,
        ),
      ),
    },
    {
      of: 'objects of fractions',
      texts: repeat(5_000, (index) => ({ at: index + 0.5, until: index + 1.5, for: 3.5 })),
    },
    {
      of: 'lists of moments in ms',
      texts: repeat(500, (index) =>
        Array.from({ length: 100 }, (_, other) => 1e12 + index + other),
      ),
    },
    {
      of: 'lists of small numbers',
      texts: repeat(500, (index) => Array.from({ length: 100 }, (_, other) => index - other)),
    },
    {
      of: 'lists of empty objects',
      texts: repeat(200, () => Array.from({ length: 100 }, () => ({}))),
    },
    {
      of: 'boxes in boxes',
      texts: repeat(500, () => Array.from({ length: 100 }).reduce((inner) => ({ inner }), 0)),
    },
    {
      of: 'objects keyed by ids',
      texts: repeat(500, (index) =>
        Object.fromEntries(
          Array.from({ length: 50 }, (_, other) => [`${index}-${other}-`.padEnd(36, '0'), true]),
        ),
      ),
    },
    {
      of: 'very wide objects',
      texts: repeat(50, (index) =>
        Object.fromEntries(
          Array.from({ length: 1_000 }, (_, other) => [`k${index}-${other}`, true]),
        ),
      ),
    },
    {
      of: 'an object with a name as long as a book',
      texts: repeat(20, (index) => ({ [String(index).padEnd(100_000)]: 1 })),
    },
  ])('the estimate is close to the measured heap size: $of', async ({ texts }) => {
    const ratio = await estimateOverHeap(texts);
    expect(ratio).toBeGreaterThan(MIN_RATIO);
    expect(ratio).toBeLessThan(MAX_RATIO);
  });

  test('the estimate is close to the measured heap size of a memory store full of calls, overhead included', async () => {
    const texts = calls.map((call) => JSON.stringify(call));
    const create = () =>
      createMemoryStore({
        maxBytes: UNBOUNDED_BYTES,
        graceMs: 0,
        idleMs: 0,
        now: () => 0,
        startTimer: () => () => {},
      });
    // An empty store takes half a megabyte for its indexes.
    const memories = [create(), create()];
    const fingerprint = 'f'.repeat(43);
    let bytes = 0;
    const heapBytes = await heapOf(async () => {
      const memory = memories.pop()!;
      memory.recordAccepted(fingerprint, NOW, memory.takeFence());
      for (const [index, value] of (await readAll(texts)).entries()) {
        const readVersion = { instance: 'ours', sequence: index, isCached: false };
        const entry = {
          value,
          status: 200,
          readVersion,
          requestedAt: NOW + index,
          freshUntil: 2 * NOW + index,
          isLive: false,
        };
        memory.set(fingerprint, `/call/${calls[index]!.id}`, entry, memory.takeFence());
      }
      bytes = memory.bytes;
      return memory;
    });
    expect(bytes / heapBytes).toBeGreaterThan(MIN_RATIO);
    expect(bytes / heapBytes).toBeLessThan(MAX_RATIO);
  });
});
