import { describe, expect, test } from 'vitest';
import { wireEnums } from '#generated/revox-api.ts';
import { wireShapes } from '#generated/wire-shapes.ts';
import type { Sandbox, SandboxOptions } from '#sandbox/sandbox.ts';
import { createTestSandbox, runAsJson, runAsText } from './doctor-scene.ts';

const MIN_LENGTH = 5;

/** Words that the contract has: names of keys, values of enums, kinds of models. */
const PUBLIC_WORDS = new Set([
  ...Object.values(wireEnums).flat(),
  ...Object.values(wireShapes).flatMap((shape) =>
    'kinds' in shape ? Object.keys(shape.kinds) : Object.keys(shape.types),
  ),
]);

/** Extracted values of the sandbox that are also words of the doctor's own sentences. */
const OWN_WORDS = new Set(['other', 'returns']);

/** Whether a text contains a string, and not only as a part of a longer word. */
function contains(output: string, text: string): boolean {
  for (let at = output.indexOf(text); at >= 0; at = output.indexOf(text, at + 1)) {
    if (!/\w/.test(output[at - 1] ?? '') && !/\w/.test(output[at + text.length] ?? '')) return true;
  }
  return false;
}

/** Every string in the data of the sandbox, at any depth, that is neither a key nor an enum value. */
function stringsOf(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value === 'string') {
    if (value.length >= MIN_LENGTH && !PUBLIC_WORDS.has(value)) found.add(value);
  } else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) stringsOf(inner, found);
  return found;
}

describe('Doctor and privacy', () => {
  const scenes: Readonly<
    Record<string, { sandbox?: SandboxOptions; prepare?: (sandbox: Sandbox) => void }>
  > = {
    'a healthy upstream': {},
    'an upstream that differs in everything': {
      sandbox: { version: '0.5.0', arrayFormat: 'brackets', maxPageSize: 20, oldestFirst: true },
      prepare: ({ control }) =>
        control.transform('/assistants/', (assistant) => ({ ...assistant, prompt: 'Changed' })),
    },
    'an upstream that quotes its data in errors': {
      prepare: ({ control }) =>
        control.fail(/^\/call/, {
          status: 400,
          body: { message: control.data('sk_demo_a').attempts[0] },
          headers: { 'x-request-id': control.data('sk_demo_a').attempts[0]?.id ?? '' },
        }),
    },
    'an upstream with values in the places of enums and keys': {
      prepare: ({ control }) =>
        control.transform('/assistants', (body) => ({
          assistants: body.assistants?.map((assistant: { name: string; prompt: string }) => ({
            ...assistant,
            first_sentence_mode: assistant.prompt,
            [assistant.prompt]: 1,
          })),
        })),
    },
  };

  test.each(Object.entries(scenes))('%s shows neither keys nor data', async (_, scene) => {
    const sandbox = createTestSandbox(scene);
    const { lines } = await runAsText({ fetch: sandbox.fetch });
    const document = await runAsJson({ fetch: sandbox.fetch });
    const output = `${lines.join('\n')}\n${JSON.stringify(document)}`;
    const data = stringsOf(sandbox.organizations.map(({ apiKey }) => sandbox.control.data(apiKey)));

    expect(data.size).toBeGreaterThan(5_000);
    expect([...data].filter((text) => contains(output, text) && !OWN_WORDS.has(text))).toEqual([]);
    for (const key of ['sk_demo_a', 'sk_demo_b', 'sk_made_up']) expect(output).not.toContain(key);
  });

  test('only GET requests are sent, at most twenty, one at a time', async () => {
    const sandbox = createTestSandbox({
      sandbox: { arrayFormat: 'brackets', maxPageSize: 20 },
    });
    await runAsJson({ fetch: sandbox.fetch });

    expect(new Set(sandbox.log.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(sandbox.log).toHaveLength(20);
    expect(sandbox.control.maxInFlight()).toBe(1);
  });

  test('a request beyond the budget is refused', async () => {
    const sandbox = createTestSandbox({});
    const { createProbeClient } = await import('#doctor/upstream/probe-client.ts');
    const { createFetchTransport } = await import('#rest/transport/transport.ts');
    const client = createProbeClient({
      transport: createFetchTransport(sandbox.fetch),
      baseUrl: 'http://localhost/api',
      apiKey: 'sk_demo_a',
      userAgent: 'test',
      timeoutMs: 1000,
      maxResponseBytes: 2 ** 20,
      now: () => 0,
      monotonicNow: () => 0,
      startTimer: () => () => {},
    });
    for (let sent = 0; sent < 20; sent += 1)
      expect((await client.get('/assistants')).status).toBe(200);

    expect(await client.get('/assistants')).toMatchObject({ wasSent: false, status: undefined });
    expect(sandbox.log).toHaveLength(20);
  });
});
