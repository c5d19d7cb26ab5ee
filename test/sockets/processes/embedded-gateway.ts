/**
 * A script that embeds the gateway and opens no port. Its upstream is a function without sockets, so
 * nothing but the gateway's own timers keeps the process alive. Prints the results of its operations,
 * the upstream requests, and the timers that hold the process afterwards, as one JSON line.
 *
 * Usage: node embedded-gateway.ts <scenario>
 */
import { createGateway } from '#gateway.ts';
import { readSettings } from '#index.ts';

interface Scenario {
  readonly settings?: Record<string, string>;
  /** The status of the upstream's response to each request; the last one repeats. */
  readonly statuses: readonly number[];
  readonly headers?: Record<string, string>;
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a retry backoff': { statuses: [503, 200] },
  'the Retry-After of a 503': { statuses: [503, 200], headers: { 'retry-after': '0.2' } },
  'a rate-limit cooldown': { statuses: [429, 200], headers: { 'retry-after-ms': '200' } },
  'the timeout of a request': {
    statuses: [0],
    settings: { REVOX_TIMEOUT_MS: '100' },
  },
  'its deadline': { statuses: [0], settings: { REQUEST_DEADLINE_MS: '100' } },
  'an upstream response': { statuses: [200] },
};

const { settings = {}, statuses, headers = {} } = SCENARIOS[process.argv[2] ?? ''] as Scenario;
const sent: string[] = [];

const gateway = createGateway(
  readSettings({ REVOX_BASE_URL: 'http://revox.test/api', REVOX_API_KEY: 'key', ...settings }),
  {
    fetch(request) {
      const status = statuses[Math.min(sent.length, statuses.length - 1)] ?? 200;
      sent.push(new URL(request.url).pathname);
      if (status === 0) return new Promise(() => {});
      const body = status === 200 ? { call: { id: 'c' } } : { message: 'No.' };
      return Promise.resolve(Response.json(body, { status, headers }));
    },
    log: { info() {}, error() {}, unexpected() {} },
    random: () => 1,
  },
);

const response = await gateway.fetch(
  new Request('http://localhost/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ call(id: "c") { id } }' }),
  }),
);
const result: unknown = await response.json();
// Timers that do not hold the process are not listed.
const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
process.stdout.write(`${JSON.stringify({ result, sent, timers })}\n`);
