import type { Plugin } from 'graphql-yoga';
import { NO_STORE } from './cache-control.ts';
import { toRefusal } from './refusal.ts';

const headers = { 'cache-control': NO_STORE };

/**
 * `GET /health`: the process is alive. `GET /ready`: it takes requests; 503 once it drains. Never 503 because of the upstream.
 */
export function useHealth(isReady: () => boolean): Plugin {
  return {
    onRequest({ request, url, endResponse, fetchAPI }) {
      if (url.pathname !== '/health' && url.pathname !== '/ready') return;
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        endResponse(
          toRefusal('BAD_USER_INPUT', `${url.pathname} takes GET only.`, { status: 405, headers: { allow: 'GET, HEAD' } }),
        );
      } else if (url.pathname === '/health') {
        endResponse(fetchAPI.Response.json({ status: 'alive' }, { headers }));
      } else {
        const ready = isReady();
        endResponse(fetchAPI.Response.json({ status: ready ? 'ready' : 'draining' }, { status: ready ? 200 : 503, headers }));
      }
    },
  };
}
