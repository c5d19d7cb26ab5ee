import { createServer } from 'node:http';
import { listenOnFreePort } from '../support/served-gateway.ts';

/** An upstream that has every call and responds to each request after a fixed latency. */
export interface SlowUpstream extends AsyncDisposable {
  readonly url: string;
  /**
   * The number of requests with this credential since the last call, and their maximum
   * concurrency.
   */
  takeTraffic(authorization: string): { readonly requests: number; readonly maxConcurrent: number };
}

export async function startSlowUpstream(latencyMs: number): Promise<SlowUpstream> {
  const traffic = new Map<string, { requests: number; now: number; maxConcurrent: number }>();
  const server = createServer(({ url, headers }, response) => {
    const credential = headers.authorization ?? '';
    const seen = traffic.get(credential) ?? { requests: 0, now: 0, maxConcurrent: 0 };
    traffic.set(credential, seen);
    seen.requests += 1;
    seen.now += 1;
    seen.maxConcurrent = Math.max(seen.maxConcurrent, seen.now);
    setTimeout(() => {
      seen.now -= 1;
      const id = decodeURIComponent(url?.split('/').at(-1) ?? '');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ call: { id, status: 'completed', call_attempts: [] } }));
    }, latencyMs);
  });
  const port = await listenOnFreePort(
    (candidate) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(candidate, '127.0.0.1', () => resolve(candidate));
      }),
  );
  return {
    url: `http://127.0.0.1:${port}`,
    takeTraffic(authorization) {
      const { requests = 0, maxConcurrent = 0, now = 0 } = traffic.get(authorization) ?? {};
      traffic.set(authorization, { requests: 0, now, maxConcurrent: now });
      return { requests, maxConcurrent };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
