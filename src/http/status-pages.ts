import { NO_STORE } from './cache-control.ts';
import type { RequestHead } from './exchange.ts';
import { toRefusal } from './refusal.ts';

export interface StatusPagesOptions {
  readonly isReady: () => boolean;
  /** What `/ready` says of the upstream. */
  readonly upstream: () => object;
  readonly metrics: {
    readonly contentType: string;
    render(): Promise<string>;
  };
}

/** Answers one of the places below. */
export type AnswerStatus = (pathname: string, request: RequestHead) => Promise<Response> | Response;

export const STATUS_PLACES = ['/health', '/ready', '/metrics'];

/**
 * For those who run the gateway. `GET /health`: the process is alive. `GET /ready`: it takes requests; 503 once it drains. Never 503 because
 * of the upstream: what is remembered can still be served. `GET /metrics`: for Prometheus. They ask for no secret, and tell of nobody's data.
 */
export function createStatusPages({ isReady, upstream, metrics }: StatusPagesOptions): AnswerStatus {
  return (pathname, { method }) => {
    if (method !== 'GET' && method !== 'HEAD') {
      return toRefusal('BAD_USER_INPUT', `${pathname} takes GET only.`, { status: 405, headers: { allow: 'GET, HEAD' } });
    }
    const headers = { 'cache-control': NO_STORE };
    if (pathname === '/health') return Response.json({ status: 'alive' }, { headers });
    if (pathname === '/metrics') return tellMetrics(headers);
    const ready = isReady();
    const status = ready ? 'ready' : 'draining';
    return Response.json({ status, upstream: upstream() }, { status: ready ? 200 : 503, headers });
  };

  async function tellMetrics(headers: Record<string, string>): Promise<Response> {
    return new Response(await metrics.render(), { headers: { ...headers, 'content-type': metrics.contentType } });
  }
}
