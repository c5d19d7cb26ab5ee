import { type Environment, readSettings } from '#config/settings.ts';
import { createGateway, type GatewayOptions } from '#gateway.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '#sandbox/sandbox.ts';

/** What a GraphQL client gets back. */
// biome-ignore lint/suspicious/noExplicitAny: answers are as deep as the questions; each test knows its own
export type GraphQLResult = { data?: any; errors?: GraphQLResultError[]; extensions?: any };

export interface GraphQLResultError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: { readonly code: string; readonly status?: number; readonly retryAfter?: number };
}

export interface TestGatewayOptions {
  /** Settings by their environment variables, over those of a gateway in service mode for the sandbox's first organisation. */
  readonly settings?: Environment;
  readonly sandbox?: SandboxOptions;
  readonly gateway?: GatewayOptions;
  /** Stands in the place of the sandbox. */
  readonly upstream?: (request: Request) => Promise<Response>;
}

export interface TestGateway {
  readonly sandbox: Sandbox;
  /** Sends one operation. */
  execute(query: string, variables?: Record<string, unknown>, headers?: Record<string, string>): Promise<GraphQLResult>;
  /** Sends any request; the URL is relative to the gateway. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** The upstream requests since the last time this was called, as `GET /call/…`. */
  traffic(): string[];
  /** What the gateway held for a fault of its own. A test that expects none asserts that it is empty. */
  readonly unexpectedErrors: readonly unknown[];
}

/** Settings of a gateway that remembers nothing between operations: for tests of what a single operation costs. */
export const NO_CACHE: Environment = Object.fromEntries(
  ['ENDED_CALL', 'JUST_ENDED_CALL', 'LIVE_CALL', 'ASSISTANT', 'CAMPAIGN', 'RUNNING_CAMPAIGN', 'PAGE', 'NOT_FOUND'].map((name) => [
    `FRESHNESS_${name}_MS`,
    '0',
  ]),
);

/** Settings of a gateway that asks once: for tests of how one failure is told. */
export const NO_RETRIES: Environment = { REVOX_RETRIES: '0' };

export const KEY_A = 'sk_demo_a';
export const KEY_B = 'sk_demo_b';

/** One moment for all the sandboxes of a file: their story is told once. */
const STARTED_AT = Date.now();

/** The whole gateway over the sandbox, with no socket between them. */
export function createTestGateway({
  settings = {},
  sandbox: sandboxOptions,
  gateway: gatewayOptions,
  upstream,
}: TestGatewayOptions = {}): TestGateway {
  const sandbox = createSandbox({ startedAt: STARTED_AT, ...sandboxOptions });
  const unexpectedErrors: unknown[] = [];
  const requests: string[] = [];
  const gateway = createGateway(
    readSettings({ REVOX_BASE_URL: 'http://revox.test/api', REVOX_API_KEY: KEY_A, REVOX_FIRST_PAGE: '1', ...settings }),
    {
      fetch: (request) => {
        const { pathname, search } = new URL(request.url);
        requests.push(`${request.method} ${pathname.replace('/api', '')}${decodeURIComponent(search)}`);
        return (upstream ?? sandbox.fetch)(request);
      },
      fastPath: process.env.FAST_PATH !== 'off',
      responseCache: process.env.RESPONSE_CACHE !== 'off',
      log: {
        info: () => {},
        error: (message) => unexpectedErrors.push(message),
        unexpected: (error) => unexpectedErrors.push(error),
      },
      ...gatewayOptions,
    },
  );
  const send = (url: string, init?: RequestInit) => gateway.fetch(new Request(new URL(url, 'http://localhost'), init));

  return {
    sandbox,
    unexpectedErrors,
    fetch: send,
    traffic: () => requests.splice(0),
    async execute(query, variables, headers = {}) {
      const response = await send('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as GraphQLResult;
    },
  };
}
