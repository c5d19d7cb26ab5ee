import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort, type GatewayProcess, startProcess } from '../sockets/demo-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const LINE = /Iterations of the event loop: (\d+)\n/g;

/** Node.js checks the time limits of connections every 2.5 s; the measurement itself wakes the process. */
const MAX_IDLE_ITERATIONS = 5;
/** Samples of the event loop after the last request. */
const SAMPLES = 10;

/** Returns a function that counts the iterations of the next second. */
function createCounter(gateway: GatewayProcess): () => Promise<number> {
  let counts = 0;
  return async () => {
    counts += 1;
    gateway.process.kill('SIGUSR2');
    const { stdout } = await gateway.untilOutput(new RegExp(`(?:${LINE.source}[^]*){${counts}}`));
    return Number([...stdout.matchAll(LINE)].at(-1)?.[1]);
  };
}

describe('Idle process', () => {
  test('an idle gateway wakes up a few times a second, before and after it has handled requests', async () => {
    const PORT = String(await freePort());
    const args = ['--import', './test/deploy/report-wakeups.ts', 'src/main.ts', 'start'];
    await using gateway = startProcess(process.execPath, args, {
      cwd: ROOT,
      settings: { PORT, REVOX_BASE_URL: 'http://127.0.0.1:9', REVOX_API_KEY: 'sk_demo_a' },
    });
    expect(await gateway.firstLine).toContain(`:${PORT}/graphql`);
    const countIterations = createCounter(gateway);
    // What a start or a request leaves to do may reach into the next second.
    await expect.poll(countIterations).toBeLessThanOrEqual(MAX_IDLE_ITERATIONS);

    // The event loop is sampled during a request and for a tenth of a second after it, which a busy
    // machine moves out of the counted second.
    await expect.poll(countIterationsOfRequest).toBeGreaterThanOrEqual(SAMPLES);
    await expect.poll(countIterations).toBeLessThanOrEqual(MAX_IDLE_ITERATIONS);

    async function countIterationsOfRequest(): Promise<number> {
      const iterations = countIterations();
      const response = await fetch(`http://127.0.0.1:${PORT}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: '{"query":"{ __typename }"}',
      });
      expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
      return iterations;
    }
  });
});
