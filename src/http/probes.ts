import { NO_STORE } from '#http/headers/cache-control.ts';
import { toErrorResponse } from './error-response.ts';
import type { RequestHead } from './message.ts';

export interface ProbesOptions {
  readonly isReady: () => boolean;
  /** The field `upstream` of `/ready`. */
  readonly upstreamStatus: () => object;
  readonly metrics: {
    readonly contentType: string;
    render(): Promise<string>;
  };
}

/** Handles a request to one of the paths below. */
export type HandleProbe = (pathname: string, request: RequestHead) => Promise<Response> | Response;

export const PROBE_PATHS = ['/health', '/ready', '/metrics'];

/**
 * Endpoints for operators. `GET /health`: the process is alive. `GET /ready`: the gateway accepts
 * requests; 503 once it drains. Never 503 because of the upstream: cached data can still be served.
 * `GET /metrics`: for Prometheus. They require no secret, and reveal no caller's data.
 */
export function createProbes({ isReady, upstreamStatus, metrics }: ProbesOptions): HandleProbe {
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
      { status, upstream: upstreamStatus() },
      { status: ready ? 200 : 503, headers },
    );
  };

  async function renderMetrics(headers: Record<string, string>): Promise<Response> {
    return new Response(await metrics.render(), {
      headers: { ...headers, 'content-type': metrics.contentType },
    });
  }
}
