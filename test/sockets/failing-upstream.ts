import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { onTestFinished } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { createGateway, type GatewayOptions } from '#gateway.ts';
import { sendJson } from '../rest/real-server.ts';
import { captureLog, type LogLine } from '../support/captured-log.ts';
import { createCertificate } from '../support/certificate.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import { type GraphQLResult, NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';

export const KEY = 'sk_test_of_the_gateway';
/** Less than the ten 401s after which the gateway sends nothing with its key. */
export const OPERATIONS = 8;

export type Respond = (response: ServerResponse, request: IncomingMessage) => void;

/** An upstream whose behaviour a test can change. */
export interface Upstream {
  /** The URLs of the requests. */
  readonly requests: string[];
  respond: Respond;
}

export const respondOk: Respond = (response) => sendJson(response, { call: { id: 'c' } });

export async function serve(
  upstream: Upstream,
  create: (listener: RequestListener) => ReturnType<typeof createServer> = createServer,
  port?: number,
): Promise<number> {
  const server = create((request, response) => {
    upstream.requests.push(request.url ?? '');
    upstream.respond(response, request);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const listenOn = (one: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(one, '127.0.0.1', () => resolve(one));
    });
  return port === undefined ? listenOnFreePort(listenOn) : listenOn(port);
}

export function createUpstream(respond: Respond = respondOk): Upstream {
  return { requests: [], respond };
}

/** The whole gateway over sockets, in service mode, without retries and without open circuits. */
export function createLoggedGateway(
  settings: Record<string, string>,
  options: GatewayOptions = {},
) {
  const { log, lines, read } = captureLog();
  const gateway = createGateway(
    readSettings({
      REVOX_API_KEY: KEY,
      REVOX_FIRST_PAGE: '1',
      REVOX_BREAKER_FAILURES: '1000',
      ...NO_CACHE,
      ...NO_RETRIES,
      ...settings,
    }),
    { log, ...options },
  );
  onTestFinished(() => gateway.dispose());
  return {
    lines,
    /** The lines of conditions, as level and message. */
    conditions: () =>
      read()
        .filter(({ condition }) => condition !== undefined)
        .map(({ level, msg }) => `${level} ${msg}`),
    failedRequests: (): LogLine[] => read().filter(({ msg }) => msg === 'upstream request failed'),
    async execute(query = '{ call(id: "c") { id } }', headers = {}): Promise<GraphQLResult> {
      const response = await gateway.fetch(
        new Request('http://localhost/graphql', {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ query }),
        }),
      );
      return (await response.json()) as GraphQLResult;
    },
    async readText(path: string): Promise<string> {
      return (await gateway.fetch(new Request(`http://localhost${path}`))).text();
    },
  };
}

export interface Scene {
  readonly settings: Record<string, string>;
  readonly upstream: Upstream;
  readonly options?: GatewayOptions;
  /** @default the upstream responds */
  readonly heal?: () => unknown;
}

export interface Case {
  readonly name: string;
  readonly start: () => Promise<Scene>;
  /** `HOST`: host and port of the base URL. */
  readonly message: string;
  readonly failure: { readonly cause: string; readonly code?: string; readonly status?: number };
  readonly query?: string;
  readonly error: string;
  /** Requests that the upstream receives. @default one for each operation */
  readonly received?: 0;
}

/** A case over plain HTTP, with a response that fails. */
export function responding(respond: Respond): Case['start'] {
  return async () => {
    const upstream = createUpstream(respond);
    const port = await serve(upstream);
    return {
      upstream,
      settings: { REVOX_BASE_URL: `http://127.0.0.1:${port}/api` },
      heal() {
        upstream.respond = (response, { url }) =>
          url?.includes('/call?')
            ? sendJson(response, { calls: [] })
            : sendJson(response, { call: { id: 'c' } });
      },
    };
  };
}

/** A case over TLS, with a certificate that fails. The trusted one is valid for 127.0.0.1. */
export function certified(
  options: Parameters<typeof createCertificate>[0],
  isTrusted: boolean,
): Case['start'] {
  return async () => {
    const failing = createCertificate(options);
    const valid = createCertificate({ names: ['IP:127.0.0.1'] });
    const authorities = getCACertificates('default');
    setDefaultCACertificates([...authorities, valid.cert, ...(isTrusted ? [failing.cert] : [])]);
    onTestFinished(() => setDefaultCACertificates(authorities));
    const upstream = createUpstream();
    let setCertificate = (_certificate: typeof valid) => {};
    const port = await serve(upstream, (listener) => {
      const server = createTlsServer(failing, listener);
      setCertificate = (certificate) => server.setSecureContext(certificate);
      return server;
    });
    return {
      upstream,
      settings: { REVOX_BASE_URL: `https://127.0.0.1:${port}/api` },
      heal: () => setCertificate(valid),
    };
  };
}
