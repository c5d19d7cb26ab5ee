import { Credential } from '#rest/credential.ts';
import { toClockDifference } from '#rest/transport/date-header.ts';
import { parseJson } from '#rest/transport/parse-json.ts';
import {
  isSuccess,
  type PendingResponse,
  type Transport,
  type TransportResponse,
} from '#rest/transport/transport.ts';
import { canBeMistaken, isWebPage } from '#rest/transport/web-page.ts';

/** Maximum GET requests of one run. */
export const MAX_REQUESTS = 20;

/** After this many requests in a row without a usable response nothing more is sent. */
const MAX_FAILURES_IN_A_ROW = 3;

/** A key that no organization has. */
const MADE_UP_KEY = 'sk_made_up_by_the_doctor_of_the_gateway';

/** One request, and all that its response shows. */
export interface Probe {
  readonly path: string;
  /** False if the budget was exhausted, or the upstream had stopped to respond before. */
  readonly wasSent: boolean;
  /** Undefined without a response. */
  readonly status: number | undefined;
  header(name: string): string | undefined;
  /** The parsed body of a 2xx response; undefined if it is not JSON. */
  readonly json: unknown;
  /** HTML or XML instead of JSON. */
  readonly isWebPage: boolean;
  /** The error of the connection, or of the body. */
  readonly error: unknown;
  readonly isTimeout: boolean;
  readonly bytes: number;
  /** From sending to the last byte, in ms. */
  readonly ms: number;
  /** The clock of the upstream minus that of this machine, in ms; undefined without a `Date`. */
  readonly clockDifferenceMs: number | undefined;
}

export interface ProbeOptions {
  /** Default `given`. */
  readonly key?: 'given' | 'made-up';
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends the requests of a run, one at a time, at most `MAX_REQUESTS`. */
export interface ProbeClient {
  get(path: string, options?: ProbeOptions): Promise<Probe>;
  /** Every request sent so far, in order. */
  readonly probes: readonly Probe[];
  /** How many requests may still be sent. */
  remaining(): number;
}

export interface ProbeClientOptions {
  readonly transport: Transport;
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly now: () => number;
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/**
 * Creates the client of a run. It sends what the gateway's own REST client sends, with neither
 * retries nor limits, and returns what that client hides: statuses, headers and durations.
 */
export function createProbeClient(options: ProbeClientOptions): ProbeClient {
  const { transport, now, monotonicNow, startTimer, timeoutMs } = options;
  const { origin, pathname } = new URL(options.baseUrl);
  const basePath = pathname === '/' ? '' : pathname;
  const credentials = {
    given: options.apiKey === undefined ? undefined : new Credential(options.apiKey),
    'made-up': new Credential(MADE_UP_KEY),
  };
  const probes: Probe[] = [];
  let failuresInARow = 0;
  let isRateLimited = false;

  return { probes, remaining, get };

  function remaining(): number {
    const isStopped = isRateLimited || failuresInARow >= MAX_FAILURES_IN_A_ROW;
    return isStopped ? 0 : MAX_REQUESTS - probes.length;
  }

  async function get(
    path: string,
    { key = 'given', headers = {} }: ProbeOptions = {},
  ): Promise<Probe> {
    if (remaining() <= 0) return { ...EMPTY_PROBE, path, wasSent: false };
    // undici returns a connection to its pool after the response has been delivered: without this
    // iteration of the event loop, a second connection would be opened beside it.
    await new Promise((resolve) => setImmediate(resolve));
    const authorization = credentials[key]?.toAuthorization();
    const probe = await send(path, {
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
      'user-agent': options.userAgent,
      ...headers,
    });
    probes.push(probe);
    isRateLimited ||= probe.status === 429;
    failuresInARow = hasFailed(probe) ? failuresInARow + 1 : 0;
    return probe;
  }

  async function send(path: string, headers: Record<string, string>): Promise<Probe> {
    const [sentAt, startedAt] = [now(), monotonicNow()];
    const pending = transport({
      origin,
      path: basePath + path,
      headers,
      maxBytes: options.maxResponseBytes,
    });
    const { response, error, isTimeout } = await receive(pending);
    const ms = monotonicNow() - startedAt;
    if (!response) return { ...EMPTY_PROBE, path, error, isTimeout, ms };
    return {
      ...EMPTY_PROBE,
      path,
      status: response.status,
      header: response.header,
      isWebPage: canBeMistaken(response.status) && isWebPage(response),
      ...parseBody(response),
      bytes: response.body.reduce((bytes, { byteLength }) => bytes + byteLength, 0),
      ms,
      clockDifferenceMs: toClockDifference(response.header, sentAt + ms / 2),
    };
  }

  async function receive(pending: PendingResponse) {
    let isTimeout = false;
    const stopTimer = startTimer(timeoutMs, () => {
      isTimeout = true;
      pending.abort(new Error('timeout'));
    });
    try {
      return { response: await pending.response, error: undefined, isTimeout };
    } catch (error) {
      return { response: undefined, error, isTimeout };
    } finally {
      stopTimer();
    }
  }
}

const EMPTY_PROBE: Omit<Probe, 'path'> = {
  wasSent: true,
  status: undefined,
  header: () => undefined,
  json: undefined,
  isWebPage: false,
  error: undefined,
  isTimeout: false,
  bytes: 0,
  ms: 0,
  clockDifferenceMs: undefined,
};

/** The template of a path, without ids and query: it may be shown. */
export function toEndpoint(path: string): string {
  return path.replace(/\?.*/, '').replace(/^(\/[^/]+)\/[^/]+/, '$1/{id}');
}

/** Whether a response is JSON with a 2xx status. */
export function isUsable({ status, json }: Probe): boolean {
  return status !== undefined && isSuccess(status) && json !== undefined;
}

/** Why a response is not usable, as the end of a sentence. */
export function describeProblem({ wasSent, status, isWebPage: isPage }: Probe): string {
  if (!wasSent) return 'no request was left for it';
  if (status === undefined) return 'the API does not respond';
  if (isPage) return 'the API responds with a web page';
  return isSuccess(status)
    ? 'the response is not the documented JSON'
    : `the API responds with status ${status}`;
}

/** Whether the upstream has rejected the request itself: an argument out of range, for example. */
export function isRejected({ status, isWebPage: isPage }: Probe): boolean {
  return !isPage && (status === 400 || status === 422);
}

function hasFailed({ status, isWebPage: isPage }: Probe): boolean {
  return status === undefined || status >= 500 || isPage;
}

function parseBody(response: TransportResponse): Pick<Probe, 'json' | 'error'> {
  if (!isSuccess(response.status)) return { json: undefined, error: undefined };
  if (response.bodyError) return { json: undefined, error: response.bodyError };
  try {
    return { json: parseJson(response.body), error: undefined };
  } catch (error) {
    return { json: undefined, error };
  }
}
