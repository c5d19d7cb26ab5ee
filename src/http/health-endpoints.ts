import { NO_STORE } from '#http/headers/cache-control.ts';
import { toErrorResponse } from './error-response.ts';
import type { RequestHead } from './message.ts';

/** What `/ready` shows of the upstream. */
export interface UpstreamStatus {
  readonly circuits: {
    readonly connection: { readonly state: string; readonly openCount: number };
    readonly endpoint: { readonly openCount: number };
  };
  /** Requests in the queue. */
  readonly queued: number;
  readonly inFlight: number;
  /** Credentials in a rate-limit cooldown. */
  readonly coolingDown: number;
  /** When the upstream last sent any response, in ms; undefined before the first. */
  readonly lastResponseAt: number | undefined;
}

export interface HealthEndpointsOptions {
  readonly isReady: () => boolean;
  readonly upstreamStatus: () => UpstreamStatus;
  readonly metrics: {
    readonly contentType: string;
    render(): Promise<string>;
  };
}

/** Handles a request to one of the paths below. */
export type HandleHealthRequest = (
  pathname: string,
  request: RequestHead,
) => Promise<Response> | Response;

export const HEALTH_PATHS = ['/health', '/ready', '/metrics'];

/**
 * Health and metrics endpoints for operators. `GET /health`: the process is alive. `GET /ready`:
 * the gateway accepts requests; 503 once it drains. Never 503 because of the upstream: cached data
 * can still be served. `GET /metrics`: for Prometheus. They require no secret, and reveal no
 * caller's data.
 */
export function createHealthEndpoints({
  isReady,
  upstreamStatus,
  metrics,
}: HealthEndpointsOptions): HandleHealthRequest {
  return (pathname, { method }) => {
    if (method !== 'GET' && method !== 'HEAD') {
      return toErrorResponse('BAD_USER_INPUT', `${pathname} accepts only GET.`, {
        status: 405,
        headers: { allow: 'GET, HEAD' },
      });
    }
    const headers = { 'cache-control': NO_STORE };
    if (pathname === '/health') return Response.json({ status: 'alive' }, { headers });
    if (pathname === '/metrics') return renderMetrics(headers);
    const ready = isReady();
    const status = ready ? 'ready' : 'draining';
    return Response.json(
      { status, upstream: toReadyField(upstreamStatus()) },
      { status: ready ? 200 : 503, headers },
    );
  };

  async function renderMetrics(headers: Record<string, string>): Promise<Response> {
    return new Response(await metrics.render(), {
      headers: { ...headers, 'content-type': metrics.contentType },
    });
  }
}

/** The field `upstream` of `/ready`. */
function toReadyField({
  circuits: { connection, endpoint },
  queued,
  inFlight,
  coolingDown,
  lastResponseAt,
}: UpstreamStatus): object {
  return {
    breaker: connection.state,
    circuitsOpen: connection.openCount + endpoint.openCount,
    queued,
    inFlight,
    coolingDown,
    lastResponseAt: lastResponseAt === undefined ? null : new Date(lastResponseAt).toISOString(),
  };
}
