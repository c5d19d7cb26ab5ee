import { type Environment, readSettings } from '#config/settings.ts';
import { createGateway } from '#gateway.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { type Answer, KEY_A } from '../kit/world.ts';

export interface Question {
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
}

/** One of several gateways over one upstream. */
export interface GatewayOfMany extends AsyncDisposable {
  ask(question: Question, key?: string): Promise<Answer>;
  /** The upstream requests since the last time this was called, as `GET /call/…`. */
  traffic(): string[];
  /** What it had to say: of Redis, or of faults of its own. */
  readonly complaints: readonly unknown[];
}

/** Long enough that nothing gets old while a test goes on, however slow the machine; and that Redis is waited for as long as it takes. */
const UNHURRIED: Environment = {
  REDIS_TIMEOUT_MS: '10000',
  CACHE_SECRET: 'a secret that the instances share',
  ...Object.fromEntries(
    ['ENDED_CALL', 'JUST_ENDED_CALL', 'LIVE_CALL', 'ASSISTANT', 'CAMPAIGN', 'RUNNING_CAMPAIGN', 'PAGE', 'NOT_FOUND'].map(
      (name) => [`FRESHNESS_${name}_MS`, '600000'],
    ),
  ),
};

/** A whole gateway of its own over the sandbox, and over Redis when a URL is among the settings. Its clock is that of the machine. */
export function createGatewayOfMany(sandbox: Sandbox, settings: Environment): GatewayOfMany {
  const requests: string[] = [];
  const complaints: unknown[] = [];
  const note = (complaint: unknown) => complaints.push(complaint);
  const gateway = createGateway(
    readSettings({
      REVOX_BASE_URL: 'http://revox.test/api',
      REVOX_API_KEY: KEY_A,
      REVOX_FIRST_PAGE: '1',
      MAX_UPSTREAM_REQUESTS: '10000',
      ...UNHURRIED,
      ...settings,
    }),
    {
      fetch: (request) => {
        const { pathname, search } = new URL(request.url);
        requests.push(`${request.method} ${pathname.replace('/api', '')}${decodeURIComponent(search)}`);
        return sandbox.fetch(request);
      },
      log: { info: () => {}, error: note, bug: note },
    },
  );
  return {
    complaints,
    traffic: () => requests.splice(0),
    async ask({ query, variables }, key) {
      const response = await gateway.fetch(
        new Request('http://localhost/graphql', {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json',
            ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          },
          body: JSON.stringify({ query, variables }),
        }),
      );
      return (await response.json()) as Answer;
    },
    [Symbol.asyncDispose]: gateway.dispose,
  };
}
