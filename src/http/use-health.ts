import type { Plugin } from 'graphql-yoga';
import { NO_STORE } from './cache-control.ts';

const headers = { 'cache-control': NO_STORE };

/**
 * `GET /health`: the process is alive. `GET /ready`: it takes requests; 503 once it drains. Never 503 because of the upstream.
 */
export function useHealth(isReady: () => boolean): Plugin {
  return {
    onRequest({ request, url, endResponse, fetchAPI }) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return;
      if (url.pathname === '/health') endResponse(fetchAPI.Response.json({ status: 'alive' }, { headers }));
      if (url.pathname === '/ready') {
        const ready = isReady();
        endResponse(fetchAPI.Response.json({ status: ready ? 'ready' : 'draining' }, { status: ready ? 200 : 503, headers }));
      }
    },
  };
}
