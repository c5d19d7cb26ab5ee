import type { TimeoutStage } from './failure-cause.ts';

/** The server whose failures are described, and the names of its settings. */
export interface FailingServer {
  /** The URL, of which only the host is shown. */
  readonly url: string;
  /** In place of the host, if the host of the URL is not that of the server. */
  readonly name?: string | undefined;
  /** The setting that has the URL: `REVOX_BASE_URL`. */
  readonly urlSetting: string;
  /** The setting that has the key of the gateway itself. */
  readonly keySetting?: string | undefined;
  /** The setting that names trusted certificates. @default `NODE_EXTRA_CA_CERTS` */
  readonly caSetting?: string;
  /** Time limits, as settings or as times. @default the settings of upstream requests */
  readonly timeouts?: Readonly<Partial<TimeoutNames>> | undefined;
  /** Whether requests go through `HTTPS_PROXY` or `HTTP_PROXY` if they are set. @default true */
  readonly canUseProxy?: boolean | undefined;
  /** What the server sends if it works. @default `JSON` */
  readonly format?: string;
  /** What the path of the URL must be: a complete sentence. */
  readonly pathAdvice?: string | undefined;
}

/** How a sentence names each time limit. */
export type TimeoutNames = Record<'connect' | TimeoutStage, string>;

/** The Revox API, for the description of a failure. */
export function toRevoxServer(
  url: string,
  options: Pick<FailingServer, 'keySetting' | 'timeouts'> = {},
): FailingServer {
  const hasUsualPath = /\/api\/*$/.test(new URL(url).pathname);
  return {
    url,
    urlSetting: 'REVOX_BASE_URL',
    pathAdvice: hasUsualPath ? undefined : 'The path of the Revox API ends with /api.',
    ...options,
  };
}

export const UPSTREAM_TIMEOUTS: TimeoutNames = {
  connect: 'REVOX_CONNECT_TIMEOUT_MS',
  headers: 'REVOX_HEADERS_TIMEOUT_MS',
  body: 'REVOX_BODY_TIMEOUT_MS',
  response: 'REVOX_TIMEOUT_MS',
};
