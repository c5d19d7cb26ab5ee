import { expect, test } from 'vitest';
import { startCallbackRouter } from '../support/callback-router.ts';
import { startDemo } from './demo-process.ts';

const SECRET = 'a-router-secret-of-32-characters';
/** Three streams end after 0, 2,133 and 4,267 ms: the demo has no delay. */
const TIMEOUT_MS = 8_000;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => void setTimeout(resolve, 10));
}

test('a process that gets SIGTERM checks its callback subscriptions, completes all of them in time, and then exits', async () => {
  await using router = await startCallbackRouter();
  await using demo = await startDemo({
    ROUTER_SECRETS: SECRET,
    SUBSCRIPTION_CALLBACK_URLS: router.url,
    DRAIN_TIMEOUT_MS: String(TIMEOUT_MS),
  });
  const execute = (query: string, extensions?: object) =>
    fetch(demo.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json;callbackSpec=1.0',
        'router-authorization': SECRET,
      },
      body: JSON.stringify({ query, extensions }),
    });
  const { data } = (await (await execute('{ campaigns { nodes { id status } } }')).json()) as {
    data: { campaigns: { nodes: { id: string; status: string }[] } };
  };
  const campaign = data.campaigns.nodes.find(({ status }) => status === 'RUNNING');
  const query = `subscription { campaignUpdated(id: "${campaign?.id}") { status } }`;
  const subscribe = (id: string) => execute(query, { subscription: router.register(id, 1_000) });
  const ids = ['s1', 's2', 's3'];
  for (const id of ids) expect((await subscribe(id)).status).toBe(200);
  await until(() => router.ofAction('next').length === ids.length);

  // The router answers the last messages slowly.
  router.override = async ({ action }) => {
    if (action === 'complete') await new Promise((resolve) => void setTimeout(resolve, 300));
    return false;
  };
  const sentBefore = router.messages.length;
  const stoppedAt = performance.now();
  demo.process.kill('SIGTERM');
  const { code, stderr } = await demo.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(performance.now() - stoppedAt).toBeLessThan(TIMEOUT_MS);

  for (const [index, id] of ids.entries()) {
    const [complete, ...checks] = router.messages
      .slice(sentBefore)
      .filter(({ path }) => path.endsWith(`/${id}`))
      .toReversed();
    expect(complete).toMatchObject({
      action: 'complete',
      errors: [
        { extensions: { code: 'SUBSCRIPTION_INTERRUPTED', retryAfter: expect.any(Number) } },
      ],
    });
    // A check comes every 0.8 s until then.
    expect(checks.length).toBeGreaterThanOrEqual(index);
    expect(checks.every(({ action }) => action === 'check')).toBe(true);
  }
});
