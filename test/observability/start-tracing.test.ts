import { type DiagLogger, diag } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTracing } from '#observability/start-tracing.ts';
import { createManualTimers } from '../rest/real-server.ts';
import { captureLog } from '../support/captured-log.ts';

/**
 * Replaces the SDK, because a real one registers itself for the whole process. No other test file
 * loads it.
 */
const startNodeSdk = vi.fn<(options: object) => { shutdown(): Promise<void> }>();
beforeAll(() => void vi.doMock('@opentelemetry/sdk-node', () => ({ startNodeSdk })));
afterAll(() => void vi.doUnmock('@opentelemetry/sdk-node'));

afterEach(() => {
  startNodeSdk.mockReset();
  diag.disable();
});

async function start({ hasServiceName = false, shutdown = async () => {} } = {}) {
  const [timers, kept] = [createManualTimers(), captureLog()];
  startNodeSdk.mockReturnValue({ shutdown });
  const tracing = await startTracing({ hasServiceName, log: kept.log, ...timers });
  return { tracing, timers, ...kept };
}

describe('Start of tracing', () => {
  test.each([
    [false, { 'service.name': 'revox-graphql-gateway' }],
    [true, {}],
  ])(
    'with a service name of its own: %s, the SDK gets the resource %j',
    async (hasServiceName, resourceAttributes) => {
      await start({ hasServiceName });
      expect(startNodeSdk.mock.calls).toEqual([
        [{ resourceAttributes, metricReaders: [], logRecordProcessors: [] }],
      ]);
    },
  );

  test('the SDK does not replace the logger while it starts, and other code may afterwards', async () => {
    const { setLogger } = diag;
    startNodeSdk.mockImplementation(() => {
      expect(diag.setLogger({} as DiagLogger)).toBe(false);
      diag.warn('a protocol is unknown');
      return { shutdown: async () => {} };
    });
    const [timers, kept] = [createManualTimers(), captureLog()];
    await startTracing({ hasServiceName: false, log: kept.log, ...timers });
    expect(diag.setLogger).toBe(setLogger);
    expect(kept.read()).toMatchObject([
      { level: 'error', msg: 'OpenTelemetry: a protocol is unknown' },
    ]);
  });

  test('a start that fails rejects, leaves the logger as it is, and can be repeated', async () => {
    const { setLogger } = diag;
    startNodeSdk.mockImplementationOnce(() => {
      throw new Error('no exporter');
    });
    const [timers, kept] = [createManualTimers(), captureLog()];
    const options = { hasServiceName: false, log: kept.log, ...timers };
    await expect(startTracing(options)).rejects.toThrow('no exporter');
    expect(diag.setLogger).toBe(setLogger);
    startNodeSdk.mockReturnValue({ shutdown: async () => {} });
    await (await startTracing(options)).stop();
    expect(startNodeSdk).toHaveBeenCalledTimes(2);
    expect(timers.running).toEqual([]);
  });

  test.each([
    ['error', true],
    ['warn', true],
    ['info', false],
    ['debug', false],
    ['verbose', false],
  ] as const)('whether a message of the level %s is logged: %s', async (level, isLogged) => {
    const { lines } = await start();
    diag[level]('of OpenTelemetry');
    expect(lines).toHaveLength(isLogged ? 1 : 0);
  });

  test('a message is logged once until another one comes, and at most 300 characters of it', async () => {
    const { read } = await start();
    const long = 'x'.repeat(299);
    for (const message of [`${long}y`, `${long}yz`, 'down', 'down', `${long}y`])
      diag.error(message);
    expect(read().map(({ msg }) => msg)).toEqual([
      `OpenTelemetry: ${long}y`,
      'OpenTelemetry: down',
      `OpenTelemetry: ${long}y`,
    ]);
  });
});

describe('Stop of tracing', () => {
  test.each([
    ['sent', () => Promise.resolve()],
    ['not sent', () => Promise.reject(new Error('the collector is down'))],
  ])(
    'the stop ends when the last spans are %s, and leaves no timer behind',
    async (_name, shutdown) => {
      const { tracing, timers } = await start({ shutdown });
      const stopped = tracing.stop();
      expect(timers.running).toEqual([3_000]);
      await stopped;
      expect(timers.running).toEqual([]);
    },
  );

  test('the stop ends after three seconds when the collector does not respond', async () => {
    const shutdown = Promise.withResolvers<void>();
    const { tracing, timers } = await start({ shutdown: () => shutdown.promise });
    const onStop = vi.fn();
    const stopped = tracing.stop().then(onStop);
    await new Promise(setImmediate);
    expect([onStop.mock.calls.length, timers.running]).toEqual([0, [3_000]]);
    timers.elapse(3_000);
    await stopped;
    shutdown.reject(new Error('too late'));
    await new Promise(setImmediate);
    expect(timers.running).toEqual([]);
  });
});
