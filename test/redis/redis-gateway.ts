import { type Environment, readSettings } from '#config/settings.ts';
import { createGateway } from '#gateway.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { type EventStream, readEventStream } from '../support/event-stream.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { type GraphQLResult, KEY_A } from '../support/test-gateway.ts';

export interface TestOperation {
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
}

/** One of several gateways over one upstream. */
export interface RedisGateway extends AsyncDisposable {
  execute(operation: TestOperation, key?: string): Promise<GraphQLResult>;
  /** As `execute`, with the text of the response: JavaScript cannot hold each number. */
  executeText(operation: TestOperation, key?: string): Promise<string>;
  subscribe(operation: TestOperation): Promise<EventStream>;
  /** The value of a metric, without the prefix of all names; the sum over its labels. */
  metric(name: string): Promise<number>;
  /** The upstream requests since the last call, as `GET /call/…`. */
  traffic(): string[];
  /** Everything that the gateway has logged: problems with Redis and unexpected errors. */
  readonly problems: readonly unknown[];
}

/** Freshness that outlasts a test on any machine, and a Redis timeout that never fires. */
const LONG_TIMEOUT: Environment = {
  REDIS_TIMEOUT_MS: '10000',
  CACHE_SECRET: 'a secret that the instances share',
  ...Object.fromEntries(
    [
      'ENDED_CALL',
      'JUST_ENDED_CALL',
      'LIVE_CALL',
      'ASSISTANT',
      'CAMPAIGN',
      'RUNNING_CAMPAIGN',
      'PAGE',
      'NOT_FOUND',
    ].map((name) => [`FRESHNESS_${name}_MS`, '600000']),
  ),
};

/** The log lines of requests that have ended. */
const REQUESTS: ReadonlySet<string> = new Set(['request', 'subscription']);

/**
 * A separate gateway over the sandbox, and over Redis when the settings contain its URL. It uses
 * the clock of the machine.
 */
export function createRedisGateway(
  sandbox: Pick<Sandbox, 'fetch'>,
  settings: Environment,
): RedisGateway {
  const requests: string[] = [];
  const problems: unknown[] = [];
  const note = (problem: unknown) => problems.push(problem);
  const gateway = createGateway(
    readSettings({
      REVOX_BASE_URL: 'http://revox.test/api',
      REVOX_API_KEY: KEY_A,
      REVOX_FIRST_PAGE: '1',
      MAX_UPSTREAM_REQUESTS: '10000',
      ...LONG_TIMEOUT,
      ...settings,
    }),
    {
      fetch: (request) => {
        const { pathname, search } = new URL(request.url);
        requests.push(
          `${request.method} ${pathname.replace('/api', '')}${decodeURIComponent(search)}`,
        );
        return sandbox.fetch(request);
      },
      log: {
        info: (message) => !REQUESTS.has(message) && note(message),
        error: note,
        unexpected: note,
      },
    },
  );
  const send = (
    { query, variables }: TestOperation,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ) =>
    gateway.fetch(
      new Request('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
        ...(signal && { signal }),
      }),
    );
  const executeText: RedisGateway['executeText'] = async (operation, key) => {
    const response = await send(operation, {
      accept: 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    });
    return response.text();
  };
  return {
    problems,
    traffic: () => requests.splice(0),
    executeText,
    async metric(name) {
      const response = await gateway.fetch(new Request('http://localhost/metrics'));
      return sumSamples(parseMetrics(await response.text()), name);
    },
    async subscribe(operation) {
      const abort = new AbortController();
      const response = await send(operation, { accept: 'text/event-stream' }, abort.signal);
      return readEventStream(response, abort);
    },
    execute: async (operation, key) => JSON.parse(await executeText(operation, key)),
    [Symbol.asyncDispose]: gateway.dispose,
  };
}
