import { describe, expect, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { createTimedGateway } from '../support/timed-gateway.ts';

function createCorsGateway(corsOrigins = '') {
  const { log, lines, read } = captureLog();
  const gateway = createTimedGateway({ settings: { CORS_ORIGINS: corsOrigins }, gateway: { log } });
  return {
    ...gateway,
    lines,
    warnings: () =>
      read()
        .filter(({ level }) => level === 'warn')
        .map(({ msg }) => msg),
    preflight: (origin: string) =>
      gateway.fetch('/graphql', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      }),
    post: (headers: Record<string, string>) =>
      gateway.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{ "query": "{ __typename }" }',
      }),
  };
}

const toWarning = (origin: string) =>
  `CORS: pages of the origin ${origin} cannot read responses. Add the origin to CORS_ORIGINS if its pages are clients.`;

describe('Log of refused origins', () => {
  test.each(['', 'https://app.test'])(
    'with CORS_ORIGINS %j, a refused preflight is logged once a minute with its origin',
    async (origins) => {
      const { preflight, warnings, clock, traffic } = createCorsGateway(origins);
      for (let count = 0; count < 5; count += 1) {
        const { headers } = await preflight('https://evil.test');
        expect(headers.get('access-control-allow-origin')).toBeNull();
      }
      expect(warnings()).toEqual([toWarning('"https://evil.test"')]);
      clock.pass(59_999);
      await preflight('https://evil.test');
      expect(warnings()).toHaveLength(1);
      clock.pass(1);
      await preflight('https://evil.test');
      expect(warnings()).toHaveLength(2);
      expect(traffic()).toEqual([]);
    },
  );

  test('a response that a page cannot read is logged, unless the page is allowed or the gateway’s own', async () => {
    const { post, preflight, warnings } = createCorsGateway('https://app.test');
    await preflight('https://app.test');
    await post({ origin: 'https://app.test', 'sec-fetch-site': 'cross-site' });
    await post({ origin: 'http://localhost', 'sec-fetch-site': 'same-origin' });
    // A proxy in front ends TLS, and replaces the Host header.
    await post({ origin: 'https://localhost' });
    await post({ origin: 'https://gateway.test', 'sec-fetch-site': 'same-origin' });
    await post({});
    expect(warnings()).toEqual([]);
    await post({ origin: 'null' });
    expect(warnings()).toEqual([
      'CORS: pages of the origin "null" cannot read responses. Pages of files and of sandboxed frames have this origin: serve the page from an http or https address, and add that to CORS_ORIGINS.',
    ]);
  });

  test('an origin is cut and escaped, and at most twenty are logged a minute', async () => {
    const { preflight, warnings, lines, clock } = createCorsGateway('https://app.test');
    await preflight(`https://\u00e9"\\\t${'x'.repeat(200)}`);
    expect(warnings()).toEqual([
      toWarning(`"https://\\u00e9\\u0022\\u005c\\u0009${'x'.repeat(88)}…"`),
    ]);
    expect(lines.filter((line) => /[^\x20-\x7e\n…]/.test(line))).toEqual([]);
    for (let number = 0; number < 1_000; number += 1) await preflight(`https://${number}.test`);
    expect(warnings()).toHaveLength(20);
    clock.pass(60_000);
    await preflight('https://late.test');
    expect(warnings()).toHaveLength(21);
  });
});
