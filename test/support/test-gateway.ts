import { type Environment, readSettings } from '#config/settings.ts';
import { createGateway, type GatewayOptions } from '#gateway.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '#sandbox/sandbox.ts';

/** The response that a GraphQL client gets. */
// biome-ignore lint/suspicious/noExplicitAny: results are as deep as their operations; each test knows its own
export type GraphQLResult = { data?: any; errors?: GraphQLResultError[]; extensions?: any };

export interface GraphQLResultError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: {
    readonly code: string;
    readonly status?: number;
    readonly retryAfter?: number;
  };
}

export interface TestGatewayOptions {
  /**
   * Environment variables, over those of a gateway in service mode for the first organization of
   * the sandbox.
   */
  readonly settings?: Environment;
  readonly sandbox?: SandboxOptions;
  readonly gateway?: GatewayOptions;
  /** Replaces the sandbox. */
  readonly upstream?: (request: Request) => Promise<Response>;
}

export interface TestGateway {
  readonly sandbox: Sandbox;
  /** Executes one operation. */
  execute(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<GraphQLResult>;
  /** Sends any request; the URL is relative to the gateway. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** The upstream requests since the last call, as `GET /call/…`. */
  traffic(): string[];
  /**
   * The errors that the gateway reported as unexpected. A test that expects none asserts that it is
   * empty.
   */
  readonly unexpectedErrors: readonly unknown[];
  /** Stops the gateway like SIGTERM. */
  drain(): void;
}

/**
 * Settings of a gateway that caches nothing between operations: for tests of the cost of a single
 * operation.
 */
export const NO_CACHE: Environment = Object.fromEntries(
  [
    'ENDED_CALL',
    'JUST_ENDED_CALL',
    'LIVE_CALL',
    'ASSISTANT',
    'CAMPAIGN',
    'RUNNING_CAMPAIGN',
    'PAGE',
    'NOT_FOUND',
  ].map((name) => [`FRESHNESS_${name}_MS`, '0']),
);

/** Settings of a gateway without retries: for tests of how a failure is reported. */
export const NO_RETRIES: Environment = { REVOX_RETRIES: '0' };

export const KEY_A = 'sk_demo_a';
export const KEY_B = 'sk_demo_b';

/** One start time for all sandboxes of a file, so that their data is generated once. */
const STARTED_AT = Date.now();

/** The whole gateway over the sandbox, without sockets. */
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
    readSettings({
      REVOX_BASE_URL: 'http://revox.test/api',
      REVOX_API_KEY: KEY_A,
      REVOX_FIRST_PAGE: '1',
      ...settings,
    }),
    {
      fetch: (request) => {
        const { pathname, search } = new URL(request.url);
        requests.push(
          `${request.method} ${pathname.replace('/api', '')}${decodeURIComponent(search)}`,
        );
        return (upstream ?? sandbox.fetch)(request);
      },
      fastPath: process.env.FAST_PATH !== 'off',
      plannedExecution: process.env.PLANNED_EXECUTION !== 'off',
      responseCache: process.env.RESPONSE_CACHE !== 'off',
      log: {
        info: () => {},
        // Failing upstreams are logged; they are not unexpected.
        error: () => {},
        unexpected: (error) => unexpectedErrors.push(error),
      },
      ...gatewayOptions,
    },
  );
  const send = (url: string, init?: RequestInit) =>
    gateway.fetch(new Request(new URL(url, 'http://localhost'), init));

  return {
    sandbox,
    unexpectedErrors,
    fetch: send,
    drain: gateway.drain,
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
