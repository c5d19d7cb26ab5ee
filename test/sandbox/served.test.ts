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

/** Serves on a port below 32768: the system assigns higher ports to clients at any time. */
async function serve(sandbox: Pick<Sandbox, 'fetch' | 'basePath'>): Promise<Served> {
  for (;;) {
    try {
      const served = await serveSandbox(sandbox, {
        host: '127.0.0.1',
        port: 20_000 + Math.floor(Math.random() * 12_000),
      });
      open.push(served);
      return served;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

const headers = { authorization: 'Bearer sk_demo_a' };

/** A sandbox that exposes when a request has arrived and when it has ended. */
const createServedScene = async () => {
  const sandbox = createSandbox({ startedAt: STARTED_AT });
  const arrived = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const { url } = await serve({
    basePath: sandbox.basePath,
    fetch: (request) => {
      arrived.resolve();
      return sandbox.fetch(request).finally(over.resolve);
    },
  });
  return { sandbox, url, arrived: arrived.promise, over: over.promise };
};

it('the served sandbox responds over a socket as without one', async () => {
  const { sandbox, url } = await createServedScene();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api$/);
  const path = '/call?page=2&page_size=50&statuses=completed,errored';
  const direct = await sandbox.fetch(new Request(`http://sandbox.example/api${path}`, { headers }));
  const served = await fetch(url + path, { headers });
  expect([served.status, served.headers.get('content-type')]).toEqual([200, 'application/json']);
  expect(await served.text()).toBe(await direct.text());
  expect(sandbox.log.map((entry) => entry.path)).toEqual([path, path]);
});

it('the served sandbox rejects requests as without a socket', async () => {
  const { url } = await createServedScene();
  expect((await fetch(`${url}/assistants`)).status).toBe(401);
  const posted = await fetch(`${url}/assistants`, { method: 'POST', headers, body: '{}' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
  expect((await fetch(`${new URL(url).origin}//call`, { headers })).status).toBe(404);
});

it('the served sandbox destroys the socket on reset', async () => {
  const { sandbox, url } = await createServedScene();
  sandbox.control.reset('/assistants', 1);
  const error = await fetch(`${url}/assistants`, { headers }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TypeError);
  expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain(
    ((error as Error).cause as { code: string }).code,
  );
  expect((await fetch(`${url}/assistants`, { headers })).status).toBe(200);
});

it('the served sandbox breaks the connection in the middle of a body on cut', async () => {
  const { sandbox, url } = await createServedScene();
  sandbox.control.cut('/assistants', 1);
  const response = await fetch(`${url}/assistants`, { headers });
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow('terminated');
  expect((await fetch(`${url}/assistants`, { headers })).status).toBe(200);
});

it('the served sandbox stops in the middle of a body on stall, until release', async () => {
  const { sandbox, url } = await createServedScene();
  const whole = await (await fetch(`${url}/assistants`, { headers })).text();
  sandbox.control.stall('/assistants', 1);
  const { body } = await fetch(`${url}/assistants`, { headers });
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value ?? '';
  expect(text).not.toBe(whole);
  const rest = reader.read();
  expect(await Promise.race([rest, new Promise(setImmediate).then(() => 'nothing')])).toBe(
    'nothing',
  );
  sandbox.control.release();
  text += (await rest).value;
  for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
  expect(text).toBe(whole);
});

it('the served sandbox logs a disconnected client', async () => {
  const { sandbox, url, arrived, over } = await createServedScene();
  sandbox.control.hang('/assistants');
  const leaving = new AbortController();
  const pending = fetch(`${url}/assistants`, { headers, signal: leaving.signal });
  await arrived;
  expect(sandbox.log[0]).toMatchObject({ status: null, aborted: false });
  leaving.abort();
  await expect(pending).rejects.toThrow('aborted');
  await over;
  expect(sandbox.log[0]).toMatchObject({ status: null, aborted: true });
});

it('closing the served sandbox ends waiting and idle connections', async () => {
  const { sandbox, url, arrived } = await createServedScene();
  const idle = createConnection(Number(new URL(url).port), '127.0.0.1');
  await new Promise((resolve) => idle.once('connect', resolve));
  const idleEnded = new Promise((resolve) => idle.once('close', resolve));
  sandbox.control.hang('/assistants');
  const pending = fetch(`${url}/assistants`, { headers }).catch((reason: unknown) => reason);
  await arrived;
  await open.pop()!.close();
  expect(await pending).toBeInstanceOf(TypeError);
  await idleEnded;
  await expect(fetch(`${url}/assistants`, { headers })).rejects.toThrow('fetch failed');
});

it('serving the sandbox on a port in use rejects with EADDRINUSE', async () => {
  const { url } = await createServedScene();
  const second = serveSandbox(createSandbox({ startedAt: STARTED_AT }), {
    host: '127.0.0.1',
    port: Number(new URL(url).port),
  });
  await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
