import { describe, expect, test } from 'vitest';
import type { EventStream } from '../support/event-stream.ts';
import { createLiveGateway, type LiveGateway } from '../support/live-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { type StreamFault, streamFaults } from './stream-faults.ts';

const SUBSCRIPTION = 'subscription { callUpdated(id: "c1") { status } }';
const TRANSPORTS = ['text/event-stream', 'multipart/mixed;subscriptionSpec=1.0'];
const HEADERS = { authorization: `Bearer ${KEY_A}` };
const SECOND = 1_000;
const VALUE = { callUpdated: { status: 'INITIALIZING' } };
/** Polls of one call in a second: its interval is two seconds. */
const MAX_POLLS_A_SECOND = 0.6;

function createGateway(): LiveGateway {
  const gateway = createLiveGateway({
    settings: { REVOX_API_KEY: '', LIVE_GIVE_UP_MS: '120000' },
  });
  gateway.putCall({ id: 'c1', status: 'initializing' });
  return gateway;
}

async function subscribe(gateway: LiveGateway): Promise<EventStream[]> {
  const streams: EventStream[] = [];
  for (const accept of TRANSPORTS)
    streams.push(await gateway.subscribe(SUBSCRIPTION, {}, { ...HEADERS, accept }));
  return streams;
}

/** What a stream has sent, without repetitions of its transport: values and codes. */
function sentBy({ events, parts }: EventStream): unknown[] {
  const sent = events.map(({ data, errors, extensions }) => {
    const { live } = extensions ?? {};
    if (errors) return errors[0]?.extensions.code;
    return live ? { ...data, ...omitSince(live) } : data;
  });
  // An error beside `payload` ends a multipart stream.
  const { errors } = JSON.parse(parts.at(-1) ?? '{}');
  return errors ? [...sent, errors[0].extensions.code] : sent;
}

function omitSince({ since: _, ...live }: Record<string, unknown>): object {
  return live;
}

/** The value after an outage that was shown. */
const RECOVERED = { ...VALUE, stale: false };

/** Asserts what both streams have sent since their subscription. */
function expectSent(streams: readonly EventStream[], expected: readonly unknown[]): void {
  for (const stream of streams) expect(sentBy(stream)).toEqual(expected);
}

async function passWithin(gateway: LiveGateway, seconds: number): Promise<void> {
  gateway.traffic();
  await gateway.pass(seconds * SECOND);
  const polls = gateway.traffic().filter((path) => path === 'GET /call/c1');
  expect(polls.length).toBeLessThanOrEqual(1 + MAX_POLLS_A_SECOND * seconds);
}

function expectEnded(streams: readonly EventStream[], isComplete: boolean): void {
  const [sse, multipart] = streams;
  expect([sse?.isEnded(), sse?.isComplete()]).toEqual([true, isComplete]);
  // The last boundary follows the error.
  expect([multipart?.isEnded(), multipart?.isComplete()]).toEqual([true, true]);
}

async function expectNothingLeft(gateway: LiveGateway): Promise<void> {
  gateway.traffic();
  await gateway.pass(60 * SECOND);
  expect(gateway.traffic()).toEqual([]);
  expect(await gateway.metric('live_cohorts')).toBe(0);
  expect(gateway.unexpectedErrors).toEqual([]);
}

describe.each(
  streamFaults.filter(({ isEnd }) => !isEnd).map((fault) => [fault.name, fault] as const),
)('A subscription while the upstream %s', (_, { start, code }: StreamFault) => {
  test('gets an error at its first reading, goes on, and gets the value after the fault', async () => {
    const gateway = createGateway();
    start(gateway.sandbox.control);
    const streams = await subscribe(gateway);
    await passWithin(gateway, 25);
    expectSent(streams, []);
    await passWithin(gateway, 8);
    expectSent(streams, [code]);
    gateway.sandbox.control.heal();
    await passWithin(gateway, 90);
    expectSent(streams, [code, RECOVERED]);
    for (const stream of streams) expect(stream.isEnded()).toBe(false);
    for (const stream of streams) stream.leave();
    await expectNothingLeft(gateway);
  });

  test('gets nothing where the fault mends within 20 s', async () => {
    const gateway = createGateway();
    const streams = await subscribe(gateway);
    start(gateway.sandbox.control);
    await passWithin(gateway, 20);
    gateway.sandbox.control.heal();
    await passWithin(gateway, 60);
    expectSent(streams, [VALUE]);
    gateway.putCall({ id: 'c1', status: 'cancelled' });
    await passWithin(gateway, 5);
    expectSent(streams, [VALUE, { callUpdated: { status: 'CANCELLED' } }]);
    expectEnded(streams, true);
    await expectNothingLeft(gateway);
  });

  test('gets one stale event after 30 s, and the value after the fault', async () => {
    const gateway = createGateway();
    const streams = await subscribe(gateway);
    start(gateway.sandbox.control);
    await passWithin(gateway, 28);
    expectSent(streams, [VALUE]);
    // The first failed poll, of which a hanging one takes ten seconds, begins the outage.
    await passWithin(gateway, 20);
    const stale = { ...VALUE, stale: true, code };
    expectSent(streams, [VALUE, stale]);
    gateway.sandbox.control.heal();
    await passWithin(gateway, 90);
    expectSent(streams, [VALUE, stale, RECOVERED]);
    for (const stream of streams) stream.leave();
    await expectNothingLeft(gateway);
  });

  test('ends with UPSTREAM_UNAVAILABLE after LIVE_GIVE_UP_MS, interrupted', async () => {
    const gateway = createGateway();
    const streams = await subscribe(gateway);
    start(gateway.sandbox.control);
    await passWithin(gateway, 140);
    const stale = { ...VALUE, stale: true, code };
    expectSent(streams, [VALUE, stale, 'UPSTREAM_UNAVAILABLE']);
    expectEnded(streams, false);
    await expectNothingLeft(gateway);
  });
});

describe.each(
  streamFaults.filter(({ isEnd }) => isEnd).map((fault) => [fault.name, fault] as const),
)('A subscription while the upstream %s', (_, { start, code }: StreamFault) => {
  test('ends with the error at its first reading', async () => {
    const gateway = createGateway();
    start(gateway.sandbox.control);
    const streams = await subscribe(gateway);
    await gateway.pass(SECOND);
    expectSent(streams, [code]);
    expectEnded(streams, true);
    await expectNothingLeft(gateway);
  });

  test('ends with the error at a later reading', async () => {
    const gateway = createGateway();
    const streams = await subscribe(gateway);
    start(gateway.sandbox.control);
    await passWithin(gateway, 3);
    expectSent(streams, [VALUE, code]);
    expectEnded(streams, true);
    await expectNothingLeft(gateway);
  });
});

test('a subscription gets its events late, and no error, while the upstream responds slowly', async () => {
  const gateway = createGateway();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  gateway.sandbox.control.delay('/call/c1', first.promise, 1);
  const streams = await subscribe(gateway);
  await passWithin(gateway, 4);
  expectSent(streams, []);
  first.resolve();
  await passWithin(gateway, 1);
  expectSent(streams, [VALUE]);
  gateway.sandbox.control.delay('/call/c1', second.promise, 1);
  gateway.putCall({ id: 'c1', status: 'cancelled' });
  await passWithin(gateway, 4);
  expectSent(streams, [VALUE]);
  second.resolve();
  await passWithin(gateway, 1);
  expectSent(streams, [VALUE, { callUpdated: { status: 'CANCELLED' } }]);
  expectEnded(streams, true);
  await expectNothingLeft(gateway);
});
