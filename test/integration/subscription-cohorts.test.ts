import { describe, expect, test } from 'vitest';
import type { EventStream } from '../support/event-stream.ts';
import { createLiveGateway } from '../support/live-gateway.ts';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';

const SECOND = 1_000;
const SECRET = 'a-router-secret-of-32-characters';
/** No poll follows the first one within a test. */
const SLOW_POLLS = {
  LIVE_CALL_MS: '60000',
  LIVE_WAITING_CALL_MS: '60000',
  LIVE_CAMPAIGN_MS: '60000',
};

function createGateway(settings: Record<string, string> = {}) {
  const gateway = createLiveGateway({
    settings: { REVOX_RETRIES: '0', REVOX_FIRST_PAGE: '1', ...settings },
  });
  gateway.putCall({ id: 'c1', status: 'calling', campaign: null });
  gateway.putCall({ id: 'c2', status: 'calling', campaign: null });
  gateway.traffic();
  return {
    ...gateway,
    put: (id: string, status: string) =>
      gateway.putCall({ id, status: status as never, campaign: null }),
    lookUp: (id: string) =>
      gateway.execute('query ($id: ID!) { call(id: $id) { status } }', { id }),
  };
}

describe('Changes in quick succession', () => {
  const WATCH = 'subscription ($id: ID!) { callUpdated(id: $id) { status } }';
  const statuses = ({ events }: EventStream) => events.map(({ data }) => data.callUpdated.status);

  test('a subscriber that joins before the next event gets only the newest state (G1)', async () => {
    const gateway = createGateway({ ...NO_CACHE, ...SLOW_POLLS });
    const early = await gateway.subscribe(WATCH, { id: 'c1' });
    await gateway.pass(SECOND);
    for (const status of ['scheduled', 'calling']) {
      gateway.put('c1', status);
      await gateway.lookUp('c1');
    }
    await gateway.pass(0);
    expect(statuses(early)).toEqual(['CALLING', 'SCHEDULED']);
    const late = await gateway.subscribe(WATCH, { id: 'c1' });
    await gateway.pass(250);
    expect([statuses(early), statuses(late)]).toEqual([
      ['CALLING', 'SCHEDULED', 'CALLING'],
      ['CALLING'],
    ]);
    expect(gateway.traffic()).toEqual(Array(3).fill('GET /call/c1'));
  });

  test('each state that is passed over is counted', async () => {
    const gateway = createGateway({ ...NO_CACHE, ...SLOW_POLLS });
    const stream = await gateway.subscribe(WATCH, { id: 'c1' });
    for (const status of ['scheduled', 'queued_for_calling', 'calling', 'scheduled']) {
      gateway.put('c1', status);
      await gateway.lookUp('c1');
    }
    await gateway.pass(250);
    expect(statuses(stream)).toEqual(['CALLING', 'SCHEDULED']);
    expect(await gateway.metric('live_coalesced_total')).toBe(3);
    expect(gateway.traffic()).toHaveLength(5);
  });
});

describe('callsEnded', () => {
  const ENDED = 'subscription { callsEnded(ids: ["c1", "c2"]) { callId call { createdAt } } }';
  const ids = ({ events }: EventStream) => events.map(({ data }) => data.callsEnded?.callId);

  test('a call that changes after its end is sent once', async () => {
    const gateway = createGateway(NO_CACHE as Record<string, string>);
    const stream = await gateway.subscribe(ENDED);
    gateway.put('c1', 'completed');
    await gateway.pass(61 * SECOND);
    expect(ids(stream)).toEqual(['c1']);
    gateway.putCall({ id: 'c1', status: 'completed', created_at: '2026-01-01T00:00:00Z' });
    gateway.traffic();
    await gateway.lookUp('c1');
    await gateway.pass(SECOND);
    expect(ids(stream)).toEqual(['c1']);
    expect(gateway.traffic().filter((line) => line === 'GET /call/c1')).toHaveLength(1);
  });

  test('a router gets each call once, although it gets the states of other fields repeatedly', async () => {
    const gateway = createGateway({ ROUTER_SECRETS: SECRET });
    const stream = await gateway.subscribe(ENDED, {}, { 'router-authorization': SECRET });
    gateway.put('c1', 'completed');
    await gateway.pass(200 * SECOND);
    expect(ids(stream)).toEqual(['c1']);
    gateway.traffic();
    await gateway.pass(SECOND * 60);
    expect(gateway.traffic()).not.toContain('GET /call/c1');
  });
});

test('a call that does not exist has settled: null and complete after three polls', async () => {
  const gateway = createGateway();
  const stream = await gateway.subscribe(
    'subscription { callUpdated(id: "none", until: SETTLED) { status } }',
  );
  await gateway.pass(4 * SECOND);
  expect(stream.events.map(({ data }) => data)).toEqual([{ callUpdated: null }]);
  expect(stream.isComplete()).toBe(true);
  expect(gateway.traffic()).toEqual(Array(3).fill('GET /call/none'));
});

describe('A campaign with its rows', () => {
  const PROGRESS = `subscription ($id: ID!) {
    campaignUpdated(id: $id) { status rows(first: 1, statuses: [COMPLETED]) { totalCount } }
  }`;
  const totals = ({ events }: EventStream) =>
    events.map(({ data }) => data.campaignUpdated.rows.totalCount);

  function createCampaignGateway(settings: Record<string, string>) {
    const gateway = createGateway(settings);
    const { control } = gateway.sandbox;
    const { campaigns, rows, calls } = control.data(KEY_A);
    const campaign = campaigns[0]!;
    const { id } = campaign;
    rows[id]?.splice(0);
    Object.assign(campaign, { status: 'running', is_cancelled: false });
    const call = calls.find(({ status }) => status === 'completed')!;
    return {
      ...gateway,
      id,
      rowsPath: `GET /campaigns/${id}/rows?page=1&page_size=1&statuses=completed`,
      complete: () => control.insertRows(KEY_A, id, { at: 0, items: [{ call }] }),
      lookUpCampaign: () =>
        gateway.execute('query ($id: ID!) { campaign(id: $id) { status } }', { id }),
    };
  }

  test('queries of the unchanged campaign do not read the rows again within an interval', async () => {
    const gateway = createCampaignGateway({ ...NO_CACHE, ...SLOW_POLLS });
    const stream = await gateway.subscribe(PROGRESS, { id: gateway.id });
    await gateway.pass(SECOND);
    gateway.traffic();
    for (let query = 0; query < 3; query += 1) {
      await gateway.lookUpCampaign();
      await gateway.pass(SECOND);
    }
    expect(gateway.traffic()).toEqual(Array(3).fill(`GET /campaigns/${gateway.id}`));
    expect(totals(stream)).toEqual([0]);
  });

  test('a subscriber gets the present rows, although a query has just read the campaign (G1)', async () => {
    const gateway = createCampaignGateway({ ...SLOW_POLLS, FRESHNESS_RUNNING_CAMPAIGN_MS: '5000' });
    await gateway.subscribe(PROGRESS, { id: gateway.id });
    await gateway.pass(20 * SECOND);
    gateway.complete();
    await gateway.lookUpCampaign();
    gateway.traffic();
    const late = await gateway.subscribe(PROGRESS, { id: gateway.id });
    await gateway.pass(SECOND);
    expect(totals(late)).toEqual([1]);
    expect(gateway.traffic()).toContain(gateway.rowsPath);
  });
});
