import { describe, expect, test } from 'vitest';
import { createLiveGateway } from '../support/live-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';

const SECOND = 1_000;
/** No poll follows the first one within a test. */
const SLOW_POLLS = { LIVE_CALL_MS: '60000', LIVE_WAITING_CALL_MS: '60000' };
const isOfCampaign = (line: string) => line.startsWith('GET /campaigns');

/** A gateway over calls of campaigns of their own, whose lookups wait until `release`. */
function createGateway(count: number) {
  const gateway = createLiveGateway({ settings: SLOW_POLLS });
  const { control } = gateway.sandbox;
  const [template] = control.data(KEY_A).campaigns;
  if (!template) throw new Error('The sandbox has no campaign.');
  const ids = Array.from({ length: count }, (_, index) => `c${index}`);
  for (const id of ids) {
    const campaign = { ...template, id: `campaign-of-${id}`, name: id };
    control.data(KEY_A).campaigns.push(campaign);
    gateway.putCall({ id, status: 'calling', campaign: { id: campaign.id, name: id } });
  }
  const released = Promise.withResolvers<void>();
  control.delay('/campaigns', released.promise);
  gateway.traffic();
  return { ...gateway, ids, release: () => released.resolve() };
}

describe('Executions that wait for the upstream', () => {
  test('the events of four calls are executed at the same time, and those of further calls after them', async () => {
    const gateway = createGateway(10);
    const stream = await gateway.subscribe(
      'subscription ($ids: [ID!]!) { callsUpdated(ids: $ids) { callId call { campaign { status } } } }',
      { ids: gateway.ids },
    );
    await gateway.pass(2 * SECOND);
    expect(gateway.traffic().filter(isOfCampaign)).toHaveLength(4);
    expect(stream.events).toEqual([]);
    gateway.release();
    await gateway.pass(2 * SECOND);
    expect(stream.events.map(({ data }) => data.callsUpdated.callId).toSorted()).toEqual(
      gateway.ids,
    );
    expect(gateway.traffic().filter(isOfCampaign)).toHaveLength(6);
  });

  test('the states of one call are executed one after the other, so that no old state is sent last', async () => {
    const gateway = createGateway(1);
    const stream = await gateway.subscribe(
      'subscription { callUpdated(id: "c0") { status campaign { status } } }',
    );
    await gateway.pass(2 * SECOND);
    // The next state needs no lookup, so its execution would end first.
    gateway.putCall({ id: 'c0', status: 'scheduled', campaign: null });
    await gateway.execute('{ call(id: "c0") { status } }');
    await gateway.pass(2 * SECOND);
    expect(stream.events).toEqual([]);
    gateway.release();
    await gateway.pass(2 * SECOND);
    // A new subscriber gets the present state first.
    expect(stream.events.map(({ data }) => data.callUpdated.status)).toEqual(['SCHEDULED']);
    expect(gateway.traffic()).toEqual([
      'GET /call/c0',
      'GET /campaigns/campaign-of-c0',
      'GET /call/c0',
    ]);
  });
});
