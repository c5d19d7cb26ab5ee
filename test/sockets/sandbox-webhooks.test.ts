import { afterEach, expect, test } from 'vitest';
import type { WebhookOptions } from '#sandbox/index.ts';
import { type EventStream, readEventStream } from '../support/event-stream.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { WEBHOOK_SECRET } from '../support/webhooks.ts';

const HOUR_MS = 3_600_000;
/** The longest interval: a test that ends before has not waited for a poll. */
const NO_POLLS = '60000';
const POLLS = '1000';

let gateway: ServedGateway;
afterEach(async () => {
  await gateway.close();
  expect(gateway.unexpectedErrors).toEqual([]);
});

interface EndedCall {
  readonly id: string;
  readonly stream: EventStream;
}

/** Follows a call in progress whose end the sandbox announces, and ends it. */
async function endCall(webhooks: WebhookOptions, LIVE_CALL_MS: string): Promise<EndedCall> {
  gateway = await serveTestGateway({
    settings: { WEBHOOK_SECRETS: WEBHOOK_SECRET, LIVE_CALL_MS },
    sandbox: { webhooks },
  });
  const { control } = gateway.sandbox;
  for (const assistant of control.data(KEY_A).assistants)
    assistant.webhook_url = gateway.url.replace('/graphql', `/webhooks/revox/${WEBHOOK_SECRET}`);
  const id = control.startCall(KEY_A, { queueMs: 0, ringMs: 0, talkMs: HOUR_MS });
  const abort = new AbortController();
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: `subscription { callUpdated(id: "${id}") { status } }` }),
    signal: abort.signal,
  });
  const stream = await readEventStream(response, abort);
  await expect.poll(() => statusesOf(stream)).toEqual(['CALLING']);
  gateway.traffic();
  control.endCall(KEY_A, id);
  await expect.poll(() => stream.isEnded()).toBe(true);
  return { id, stream };
}

const statusesOf = ({ events }: EventStream) =>
  events.map(({ data }) => data?.callUpdated.status as string);

/** The webhooks by their result, and the polls by their reason. */
async function counts(): Promise<Record<string, number>> {
  const text = await (await fetch(gateway.url.replace('/graphql', '/metrics'))).text();
  const metrics = parseMetrics(text);
  return Object.fromEntries([
    ...['due', 'unwatched', 'invalid', 'secret', 'limited'].map((result) => [
      result,
      sumSamples(metrics, 'webhooks_total', { result }),
    ]),
    ...['hint', 'timer'].map((reason) => [
      reason,
      sumSamples(metrics, 'live_polls_total', { reason }),
    ]),
  ]);
}

const NONE = { due: 0, unwatched: 0, invalid: 0, secret: 0, limited: 0, hint: 0, timer: 0 };

test('a subscriber sees the end of a call by its webhook, and not by the next poll', async () => {
  const { id, stream } = await endCall({}, NO_POLLS);
  expect(statusesOf(stream)).toEqual(['CALLING', 'COMPLETED']);
  expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
  expect(await counts()).toEqual({ ...NONE, due: 1, hint: 1 });
});

test('a webhook that is sent twice costs one request', async () => {
  const { id, stream } = await endCall({ copies: 2 }, NO_POLLS);
  expect(statusesOf(stream)).toEqual(['CALLING', 'COMPLETED']);
  await expect
    .poll(async () => {
      const { due = 0, unwatched = 0 } = await counts();
      return due + unwatched;
    })
    .toBe(2);
  expect(await counts()).toMatchObject({ hint: 1, timer: 0 });
  expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
});

test('a webhook that is later than the poll that shows the end costs nothing', async () => {
  const released = Promise.withResolvers<void>();
  const late = async (request: Request) => {
    await released.promise;
    return fetch(request);
  };
  const { id, stream } = await endCall({ fetch: late }, POLLS);
  expect(statusesOf(stream)).toEqual(['CALLING', 'COMPLETED']);
  expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
  expect(await counts()).toMatchObject({ due: 0, hint: 0 });
  released.resolve();
  await expect.poll(async () => (await counts()).unwatched).toBe(1);
  expect(gateway.traffic()).toEqual([]);
  expect(await counts()).toMatchObject({ due: 0, hint: 0 });
});

test('a webhook with forged ids costs nothing, and the next poll shows the end', async () => {
  const { id, stream } = await endCall({ forgesIds: true }, POLLS);
  expect(statusesOf(stream)).toEqual(['CALLING', 'COMPLETED']);
  await expect.poll(async () => (await counts()).unwatched).toBe(1);
  expect(await counts()).toMatchObject({ due: 0, hint: 0 });
  // No request for the forged id.
  expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
});

test('without a webhook, the next poll shows the end', async () => {
  const { id, stream } = await endCall({ copies: 0 }, POLLS);
  expect(statusesOf(stream)).toEqual(['CALLING', 'COMPLETED']);
  const { timer, ...others } = await counts();
  expect(timer).toBeGreaterThan(0);
  expect(others).toEqual({ due: 0, unwatched: 0, invalid: 0, secret: 0, limited: 0, hint: 0 });
  expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
});
