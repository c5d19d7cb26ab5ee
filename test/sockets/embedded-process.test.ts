import { describe, expect, test } from 'vitest';
import { startProcess } from './demo-process.ts';

const CALL = { data: { call: { id: 'c' } } };
const FAILED = {
  data: { call: null },
  errors: [{ extensions: { code: 'UPSTREAM_TIMEOUT' } }],
};

async function run(scenario: string) {
  const script = ['test/sockets/processes/embedded-gateway.ts', scenario];
  await using embedded = startProcess(process.execPath, script, { settings: {} });
  const { code, stdout, stderr } = await embedded.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

describe('Process that embeds the gateway', () => {
  test.each([
    { wait: 'a retry backoff', result: CALL, requests: 2 },
    { wait: 'the Retry-After of a 503', result: CALL, requests: 2 },
    { wait: 'a rate-limit cooldown', result: CALL, requests: 2 },
    { wait: 'the timeout of a request', result: FAILED, requests: 1 },
    { wait: 'its deadline', result: FAILED, requests: 1 },
    { wait: 'an upstream response', result: CALL, requests: 1 },
  ])(
    'the process lives on while an operation waits for $wait alone, and no timer holds it afterwards',
    async ({ wait, result, requests }) => {
      expect(await run(wait)).toMatchObject({
        result,
        sent: Array(requests).fill('/api/call/c'),
        timers: [],
      });
    },
  );
});
