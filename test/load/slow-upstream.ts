import { createServer } from 'node:http';
import { listenOnFreePort } from '../support/served-gateway.ts';

/** An upstream that knows every call, and takes its time for each. */
export interface SlowUpstream extends AsyncDisposable {
  readonly url: string;
  /** Of one credential, since this was last called: how many it has asked, and the most at a time. */
  takeTraffic(authorization: string): { readonly requests: number; readonly maxConcurrent: number };
}

export async function startSlowUpstream(latencyMs: number): Promise<SlowUpstream> {
  const traffic = new Map<string, { requests: number; now: number; mostAtOnce: number }>();
  const server = createServer(({ url, headers }, response) => {
    const who = headers.authorization ?? '';
    const seen = traffic.get(who) ?? { requests: 0, now: 0, mostAtOnce: 0 };
    traffic.set(who, seen);
    seen.requests += 1;
    seen.now += 1;
    seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.now);
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
      const {
        requests = 0,
        mostAtOnce: maxConcurrent = 0,
        now = 0,
      } = traffic.get(authorization) ?? {};
      traffic.set(authorization, { requests: 0, now, mostAtOnce: now });
      return { requests, maxConcurrent };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
