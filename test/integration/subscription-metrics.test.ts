import { describe, expect, test } from 'vitest';
import { type CallState, createLiveGateway, type LiveGateway } from '../support/live-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';

const CALL_UPDATED =
  'subscription Watch($id: ID!) { callUpdated(id: $id, until: SETTLED) { status metadata } }';
const CALLS_ENDED = 'subscription ($ids: [ID!]!) { callsEnded(ids: $ids) { callId } }';
const MULTIPART = { accept: 'multipart/mixed;subscriptionSpec=1.0' };
const SECOND = 1_000;

function createGateway(): LiveGateway {
  const gateway = createLiveGateway();
  gateway.putCall({ id: 'c1', status: 'initializing' });
  return gateway;
}

/** Completes a call that has ended now. */
function endCall({ putCall, sandbox, now }: LiveGateway, changes: Partial<CallState> = {}): void {
  const attempt = sandbox.control.data(KEY_A).attempts[0]!;
  const ended_at = new Date(now()).toISOString();
  putCall({
    id: 'c1',
    status: 'completed',
    call_attempts: [{ ...attempt, id: 'a1', status: 'completed', ended_at }],
    ...changes,
  });
}

const lagOf = ({ metric }: LiveGateway) =>
  Promise.all([metric('live_lag_seconds_count'), metric('live_lag_seconds_sum')]);

describe('Time from the end of a call to its event', () => {
  test.each([
    ['callUpdated', CALL_UPDATED, { id: 'c1' }],
    ['callsEnded', CALLS_ENDED, { ids: ['c1'] }],
  ])('is measured once for each event of %s that shows the end', async (_, query, variables) => {
    const gateway = createGateway();
    await gateway.subscribe(query, variables);
    await gateway.pass(5 * SECOND);
    expect(await lagOf(gateway)).toEqual([0, 0]);
    gateway.traffic();
    endCall(gateway);
    // The next poll is due after one second.
    await gateway.pass(30 * SECOND);
    expect(gateway.traffic()[0]).toBe('GET /call/c1');
    expect(await lagOf(gateway)).toEqual([1, 1]);
  });

  test('is not measured where the call was over before the subscription, or before its poll', async () => {
    const gateway = createGateway();
    endCall(gateway);
    await gateway.pass(10 * SECOND);
    const { promise, resolve } = Promise.withResolvers<void>();
    gateway.sandbox.control.delay('/call/c1', promise);
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(SECOND);
    resolve();
    await gateway.pass(SECOND);
    const late = await gateway.subscribe(CALLS_ENDED, { ids: ['c1'] });
    expect([stream.events.length, late.isComplete()]).toEqual([1, true]);
    expect(await lagOf(gateway)).toEqual([0, 0]);
  });

  test('is not measured again for a later subscriber of a call that is followed until it has settled, or for later results', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    endCall(gateway);
    await gateway.pass(3 * SECOND);
    expect(await lagOf(gateway)).toEqual([1, 2]);
    const late = await gateway.subscribe(CALLS_ENDED, { ids: ['c1'] });
    expect(late.isComplete()).toBe(true);
    endCall(gateway, { metadata: { changed: 'yes' } });
    await gateway.pass(20 * SECOND);
    expect(stream.events).toHaveLength(3);
    expect(await lagOf(gateway)).toEqual([1, 2]);
  });
});

test('the metrics of ends begin at 0 where an alert watches them', async () => {
  const text = await (await createGateway().fetch('/metrics')).text();
  for (const transport of ['sse', 'multipart', 'websocket', 'callback'])
    for (const reason of ['slow', 'bug'])
      expect(text).toContain(
        `revox_gateway_live_ends_total{transport="${transport}",reason="${reason}"} 0\n`,
      );
});

test.each([
  ['sse', {}],
  ['multipart', MULTIPART],
])('the line at the end of a stream over %s has its length', async (transport, headers) => {
  const lines: Record<string, unknown>[] = [];
  const gateway = createLiveGateway({
    gateway: {
      log: {
        info: (message, fields) => lines.push({ message, ...fields }),
        error() {},
        unexpected() {},
      },
    },
  });
  gateway.putCall({ id: 'c1', status: 'initializing' });
  const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, headers);
  gateway.putCall({ id: 'c1', status: 'cancelled' });
  await gateway.pass(3 * SECOND);
  expect(stream.isComplete()).toBe(true);
  expect(lines).toEqual([
    {
      message: 'subscription',
      operation: 'Watch',
      field: 'callUpdated',
      transport,
      reason: 'over',
      events: 2,
      bytes: Buffer.byteLength(stream.text()),
      durationMs: 2_000,
      requestId: expect.any(String),
    },
  ]);
});

test.each([
  ['SSE', {}],
  ['multipart', MULTIPART],
])('a traced event over %s has the upstream requests of its own execution', async (_, headers) => {
  const gateway = createLiveGateway({
    settings: { FRESHNESS_RUNNING_CAMPAIGN_MS: '0', FRESHNESS_CAMPAIGN_MS: '0' },
  });
  const { id, name } = gateway.sandbox.control.data(KEY_A).campaigns[0]!;
  const put = (status: 'initializing' | 'calling') =>
    gateway.putCall({ id: 'c1', status, campaign: { id, name } });
  put('initializing');
  const query = 'subscription { callUpdated(id: "c1") { status campaign { id status } } }';
  const stream = await gateway.subscribe(query, {}, { 'x-revox-trace': '1', ...headers });
  await gateway.pass(SECOND);
  put('calling');
  await gateway.pass(2 * SECOND);
  const traces = stream.events.map(({ extensions }) => extensions.upstream);
  expect(traces.map(({ requests }) => requests)).toEqual([1, 1]);
  for (const { calls } of traces)
    expect(calls).toMatchObject([{ path: `/campaigns/${id}`, source: 'network' }]);
  const untraced = await gateway.subscribe(query, {}, headers);
  await gateway.pass(SECOND);
  expect(untraced.events[0]?.extensions).toBeUndefined();
});
