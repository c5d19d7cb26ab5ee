import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleOperations } from '#sandbox/example-operations.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { readEventStream } from '../support/event-stream.ts';
import { type Demo, startDemo } from './demo-process.ts';

describe('Demo', () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await startDemo();
  });
  afterAll(() => demo[Symbol.asyncDispose]());

  // The sandbox of the demo has the same ids as every sandbox with the same seed.
  const operations = exampleOperations(sampleIds(createSandbox({ live: true })));
  const isSubscription = ({ query }: { query: string }) => query.includes('subscription');

  test.each(operations.filter((operation) => !isSubscription(operation)))(
    'the demo completes its example operation $query',
    async ({ query, variables }) => {
      const response = await fetch(demo.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as {
        data: Record<string, unknown>;
        errors?: unknown;
      };
      expect(errors).toBeUndefined();
      expect(Object.values(data)).not.toContain(null);
    },
  );

  test.each(operations.filter(isSubscription))(
    'the demo opens a stream for its example operation $query',
    async ({ query, variables = {} }) => {
      const abort = new AbortController();
      const { body, status } = await fetch(demo.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query, variables }),
        signal: abort.signal,
      });
      expect(status).toBe(200);
      const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      // The feed of new attempts has no first event.
      const first = 'id' in variables ? /"status":"CALLING"/ : /^:\n\n/;
      while (!first.test(text)) text += (await reader.read()).value;
      expect(text).not.toContain('"errors"');
      abort.abort();
    },
  );

  test('a call of the demo ends by its webhook', async () => {
    const control = async (command: object) => {
      const response = await fetch(`${demo.sandboxOrigin}/control`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(command),
      });
      return (await response.json()) as { id: string };
    };
    const count = async (sample: string) => {
      const text = await (await fetch(new URL('/metrics', demo.url))).text();
      const line = text.split('\n').find((each) => each.startsWith(`revox_gateway_${sample} `));
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    const hints = () => count('live_polls_total{reason="hint",result="read"}');
    const before = await hints();
    const { id } = await control({
      action: 'start-call',
      queueMs: 0,
      ringMs: 0,
      talkMs: 3_600_000,
    });
    const abort = new AbortController();
    const response = await fetch(demo.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: `subscription { callUpdated(id: "${id}") { status } }` }),
      signal: abort.signal,
    });
    const stream = await readEventStream(response, abort);
    await expect.poll(() => stream.events.length).toBe(1);
    await control({ action: 'end-call', id });
    await expect.poll(() => stream.isEnded()).toBe(true);
    expect(stream.events.at(-1)?.data).toEqual({ callUpdated: { status: 'COMPLETED' } });
    await expect.poll(() => count('webhooks_total{result="due"}')).toBeGreaterThan(0);
    // A call of the demo's own data may end by another webhook at the same time.
    await expect.poll(hints).toBeGreaterThan(before);
  });

  test('the demo serves GraphiQL, /health and /ready', async () => {
    const page = await fetch(demo.url, { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
    expect(await page.text()).toContain('<title>Revox</title>');
    for (const path of ['/health', '/ready'])
      expect((await fetch(new URL(path, demo.url))).status).toBe(200);
  });

  test('the demo prints the URL and the keys of its sandbox, and commands to try', async () => {
    const { stdout: lines } = await demo.untilOutput(/stop +Ctrl\+C\n/);
    const [ready, title, ...details] = lines.trimEnd().split('\n');
    expect(ready).toMatch(new RegExp(`^[\\d:.]{12}Z info {2}Ready: ${demo.url}$`));
    expect(title).toMatch(/ info {2}This is a demo: all of its data is invented\.$/);
    expect(details.slice(0, 6)).toEqual([
      '    GraphiQL  open the address above in a browser',
      expect.stringMatching(/^ {4}try {7}curl -s '127\.0\.0\.1:\d+\/graphql' /),
      expect.stringMatching(
        /^ {4}sandbox {3}http:\/\/127\.0\.0\.1:\d+\/api, the REST API behind the gateway, with the keys sk_demo_a and sk_demo_b$/,
      ),
      expect.stringMatching(/^ {4}try {7}curl -s 'http:\/\/127\.0\.0\.1:\d+\/api\/call\?/),
      '    next      doctor checks a real key (npm run doctor), start serves the real API (npm start)',
      '    stop      Ctrl+C',
    ]);
  });

  test('the demo prints its URL once, logs one line per request, webhook and subscription, and exits with code 0 on SIGTERM', async () => {
    demo.process.kill('SIGTERM');
    const { stdout, ...ending } = await demo.ended;
    expect(ending).toEqual({ code: 0, stderr: '' });
    const [first, , ...others] = stdout
      .trimEnd()
      .replace(/\n {4}.*/g, '')
      .split('\n');
    expect(stdout.split(demo.url)).toHaveLength(2);
    expect(first).toContain(demo.url);
    expect(others.length).toBeGreaterThan(0);
    for (const line of others)
      expect(line).toMatch(
        /^[\d:.]{12}Z info {2}((GET|POST) \/graphql 200 |POST \/webhooks\/revox 204 |subscription operation=)/,
      );
  });
});

describe('Restart of the demo', () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await startDemo({ DRAIN_TIMEOUT_MS: '100' });
  });
  afterAll(() => demo[Symbol.asyncDispose]());

  const post = (url: string | URL, body: object, headers = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const control = (command: object) => post(`${demo.sandboxOrigin}/control`, command);

  interface Result {
    readonly data: { readonly campaigns: { readonly totalCount: number } | null };
    readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
  }

  async function countCampaigns() {
    const response = await post(demo.url, { query: '{ campaigns(first: 1) { totalCount } }' });
    const { data, errors } = (await response.json()) as Result;
    return data.campaigns?.totalCount ?? errors?.[0]?.extensions.code;
  }

  test('a restarted demo has neither its cache nor the cooldown after a 429', async () => {
    const total = await countCampaigns();
    expect(total).toEqual(expect.any(Number));

    const headers = { 'retry-after': '40' };
    await control({ action: 'fail', path: '/campaigns', status: 429, headers });
    expect(await countCampaigns()).toBe(total);
    await control({ action: 'restart' });
    expect(await countCampaigns()).toBe('RATE_LIMITED');

    await control({ action: 'heal' });
    expect(await countCampaigns()).toBe('RATE_LIMITED');
    await control({ action: 'restart' });
    expect(await countCampaigns()).toBe(total);
  });

  test('a restart ends subscriptions as a deployment does, and the demo still stops cleanly', async () => {
    const query = 'subscription { callAttemptAdded { node { id } } }';
    const stream = await post(demo.url, { query }, { accept: 'text/event-stream' });
    await control({ action: 'restart' });
    // Without an event `complete`: the client connects again.
    expect(await stream.text()).toMatch(/^:\n\nretry: \d+\n\n$/);
    expect((await fetch(new URL('/ready', demo.url))).status).toBe(200);
    demo.process.kill('SIGTERM');
    expect(await demo.ended).toMatchObject({ code: 0, stderr: '' });
  });
});
