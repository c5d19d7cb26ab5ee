import { createConnection } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { STARTED_AT } from './sandbox-requests.ts';

type Served = Awaited<ReturnType<typeof serveSandbox>>;
const open: Served[] = [];
afterEach(async () => {
  for (const served of open.splice(0)) await served.close();
});

/** On a port below 32768: above it the system hands out ports to clients, and one of those may be taken at any moment. */
async function serve(sandbox: Pick<Sandbox, 'fetch' | 'basePath'>): Promise<Served> {
  for (;;) {
    try {
      const served = await serveSandbox(sandbox, { host: '127.0.0.1', port: 20_000 + Math.floor(Math.random() * 12_000) });
      open.push(served);
      return served;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

const headers = { authorization: 'Bearer sk_demo_a' };

/** A sandbox that tells when a request has come, and when it is over. */
const createServedScene = async () => {
  const sandbox = createSandbox({ startedAt: STARTED_AT });
  const came = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const { url } = await serve({
    basePath: sandbox.basePath,
    fetch: (request) => {
      came.resolve();
      return sandbox.fetch(request).finally(over.resolve);
    },
  });
  return { sandbox, url, came: came.promise, over: over.promise };
};

it('answers over a socket what it answers without', async () => {
  const { sandbox, url } = await createServedScene();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api$/);
  const path = '/call?page=2&page_size=50&statuses=completed,errored';
  const direct = await sandbox.fetch(new Request(`http://sandbox.example/api${path}`, { headers }));
  const served = await fetch(url + path, { headers });
  expect([served.status, served.headers.get('content-type')]).toEqual([200, 'application/json']);
  expect(await served.text()).toBe(await direct.text());
  expect(sandbox.log.map((entry) => entry.path)).toEqual([path, path]);
});

it('refuses as it does without', async () => {
  const { url } = await createServedScene();
  expect((await fetch(`${url}/assistants`)).status).toBe(401);
  const posted = await fetch(`${url}/assistants`, { method: 'POST', headers, body: '{}' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
  expect((await fetch(`${new URL(url).origin}//call`, { headers })).status).toBe(404);
});

it('destroys the socket on reset', async () => {
  const { sandbox, url } = await createServedScene();
  sandbox.control.reset('/assistants', 1);
  const error = await fetch(`${url}/assistants`, { headers }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TypeError);
  expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain(((error as Error).cause as { code: string }).code);
  expect((await fetch(`${url}/assistants`, { headers })).status).toBe(200);
});

it('notes that a client has left', async () => {
  const { sandbox, url, came, over } = await createServedScene();
  sandbox.control.hang('/assistants');
  const leaving = new AbortController();
  const answer = fetch(`${url}/assistants`, { headers, signal: leaving.signal });
  await came;
  expect(sandbox.log[0]).toMatchObject({ status: null, aborted: false });
  leaving.abort();
  await expect(answer).rejects.toThrow('aborted');
  await over;
  expect(sandbox.log[0]).toMatchObject({ status: null, aborted: true });
});

it('ends open sockets when it closes: those that wait for an answer, and those that wait for nothing', async () => {
  const { sandbox, url, came } = await createServedScene();
  const idle = createConnection(Number(new URL(url).port), '127.0.0.1');
  await new Promise((resolve) => idle.once('connect', resolve));
  const idleEnded = new Promise((resolve) => idle.once('close', resolve));
  sandbox.control.hang('/assistants');
  const answer = fetch(`${url}/assistants`, { headers }).catch((reason: unknown) => reason);
  await came;
  await open.pop()!.close();
  expect(await answer).toBeInstanceOf(TypeError);
  await idleEnded;
  await expect(fetch(`${url}/assistants`, { headers })).rejects.toThrow('fetch failed');
});

it('says so when the port is taken', async () => {
  const { url } = await createServedScene();
  const second = serveSandbox(createSandbox({ startedAt: STARTED_AT }), { host: '127.0.0.1', port: Number(new URL(url).port) });
  await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
