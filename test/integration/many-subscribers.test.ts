import { expect, test } from 'vitest';
import { createLiveGateway } from '../support/live-gateway.ts';

const CALL_UPDATED = 'subscription ($id: ID!) { callUpdated(id: $id) { status } }';
const SECOND = 1_000;

test('1, 100 and 10,000 subscribers of one call have the same upstream traffic', async () => {
  const trafficOf = async (count: number) => {
    const gateway = createLiveGateway({
      settings: { MAX_SUBSCRIPTIONS: '10000', MAX_CONNECTIONS: '20000' },
    });
    gateway.putCall({ id: 'c1', status: 'calling' });
    gateway.traffic();
    const pending = Array.from({ length: count }, () =>
      gateway.subscribe(CALL_UPDATED, { id: 'c1' }),
    );
    const streams = await Promise.all(pending);
    // The streams write in turns, in many iterations of the event loop.
    const untilEventsOfEach = (events: number) =>
      expect.poll(() => streams.every((stream) => stream.events.length === events)).toBe(true);
    await gateway.pass(20 * SECOND);
    await untilEventsOfEach(1);
    gateway.putCall({ id: 'c1', status: 'completed' });
    await gateway.pass(10 * SECOND);
    await untilEventsOfEach(2);
    for (const { events } of streams)
      expect(events.map(({ data }) => data.callUpdated.status)).toEqual(['CALLING', 'COMPLETED']);
    const executed = await gateway.metric('live_events_total{field="callUpdated",source="poll"}');
    expect(executed).toBe(2);
    return gateway.traffic();
  };
  const single = await trafficOf(1);
  expect(single.length).toBeGreaterThan(5);
  expect(await trafficOf(100)).toEqual(single);
  expect(await trafficOf(10_000)).toEqual(single);
});
