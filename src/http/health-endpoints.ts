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

/** A failing server or an open circuit breaker. Name and cause are from closed sets. */
export interface ConditionStatus {
  readonly name: string;
  readonly isActive: boolean;
  readonly cause: string;
  /** When it began, in ms. */
  readonly since: number;
  /** When it ended, in ms; undefined while it is active. */
  readonly endedAt: number | undefined;
  readonly count: number;
}

export interface HealthEndpointsOptions {
  readonly isReady: () => boolean;
  readonly upstreamStatus: () => UpstreamStatus;
  /** The conditions that have occurred. */
  readonly conditionStatus: () => readonly ConditionStatus[];
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
  conditionStatus,
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
      {
        status,
        upstream: toReadyField(upstreamStatus()),
        conditions: toConditionsField(conditionStatus()),
      },
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

/** The field `conditions` of `/ready`, by name. */
function toConditionsField(conditions: readonly ConditionStatus[]): object {
  return Object.fromEntries(
    conditions.map(({ name, isActive, cause, since, endedAt, count }) => [
      name,
      {
        active: isActive,
        cause,
        since: new Date(since).toISOString(),
        ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
        count,
      },
    ]),
  );
}
