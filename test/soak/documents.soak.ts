import { expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { startFaultyUpstream } from '../support/faulty-upstream.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { startMeasuredGateway } from './gateway-process.ts';

const MIB = 2 ** 20;
const DOCUMENTS = 400;
const DOCUMENT_BYTES = 250_000;

test('the heap does not grow with documents that have left the parser cache', async () => {
  const sandbox = createSandbox();
  await using upstream = await startFaultyUpstream({
    basePath: sandbox.basePath,
    fetch: sandbox.fetch,
  });
  await using gateway = await startMeasuredGateway({ REVOX_BASE_URL: upstream.url });
  const send = async (index: number) => {
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY_A}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        query: `{ assistants(first: 1) { nodes { id } } } # ${index} ${'x'.repeat(DOCUMENT_BYTES)}`,
      }),
    });
    expect(await response.json()).not.toHaveProperty('errors');
  };
  const sendTwice = async (index: number) => {
    // Yoga executes the new document, and the fast path the known one.
    await send(index);
    await send(index);
  };
  await sendTwice(0);
  const before = await gateway.measure();
  for (let index = 1; index <= DOCUMENTS; index += 1) await sendTwice(index);
  const after = await gateway.measure();
  expect(upstream.traffic()).toHaveLength(1);
  expect(after.heapBytes - before.heapBytes).toBeLessThan(10 * MIB);
}, 120_000);
