import { describe, expect, test } from 'vitest';
import type { ApiVersion } from '#sandbox/api/versions.ts';
import { createCampaignGateway } from '../support/live-campaign.ts';

type Properties = Record<string, unknown>;
interface PageBody {
  readonly rows: readonly { readonly call: Properties & { call_attempts: Properties[] } }[];
}

const CALL =
  'query ($id: ID!) { call(id: $id) { direction metadata callAttempts { transcript { content } } } }';
const EXPECTED = {
  call: {
    direction: 'OUTBOUND',
    metadata: { order: '7' },
    callAttempts: [{ transcript: [{ content: 'Hello' }] }],
  },
};
const ATTEMPT = {
  id: 'a1',
  status: 'completed',
  answered_at: null,
  dial_error: null,
  end_reason: null,
  ended_at: '2026-05-01T12:00:00Z',
  ended_by: null,
  phone_number: '+33100000000',
  recording_url: null,
  result: 'human',
  started_at: null,
  structured_output: null,
  transcript: [{ role: 'user', content: 'Hello' }],
} as never;

/** A campaign of calls that are over. @param change what its rows embed in place of a call */
function createScene(change: (call: PageBody['rows'][0]['call']) => unknown = (call) => call) {
  const gateway = createCampaignGateway();
  const campaign = gateway.createCampaign({ calls: 3 });
  for (const id of campaign.callIds)
    campaign.put({
      id,
      status: 'completed',
      direction: 'outbound',
      metadata: { order: '7' },
      call_attempts: [ATTEMPT],
    });
  gateway.sandbox.control.transform(/\/rows\?/, ({ rows, ...page }: PageBody) => ({
    ...page,
    rows: rows.map(({ call, ...row }) => ({ ...row, call: change(call) })),
  }));
  return {
    ...gateway,
    readRows: async () => {
      const query = 'query ($id: ID!) { campaign(id: $id) { rows { nodes { call { id } } } } }';
      const { data } = await gateway.execute(query, { id: campaign.id });
      expect(data.campaign.rows.nodes).toHaveLength(3);
      gateway.traffic();
    },
    async readCall(number: number) {
      const { data, errors } = await gateway.execute(CALL, { id: `live-0-${number}` });
      expect(errors).toBeUndefined();
      return { data, traffic: gateway.traffic() };
    },
  };
}

const withoutMetadata = ({ metadata: _, ...call }: Properties) => call;
/** Changes the attempts of a call. */
const withAttempts =
  (change: (attempt: Properties) => Properties) =>
  ({ call_attempts, ...call }: PageBody['rows'][0]['call']) => ({
    ...call,
    call_attempts: call_attempts.map(change),
  });
const withoutResults = withAttempts(({ result: _, ...attempt }) => attempt);
const withoutTranscripts = withAttempts(({ transcript: _, ...attempt }) => attempt);

describe('A call that rows embed', () => {
  test('answers a query without a request where it is whole', async () => {
    const scene = createScene();
    await scene.readRows();
    expect(await scene.readCall(0)).toEqual({ data: EXPECTED, traffic: [] });
  });

  test.each([
    ['the call', withoutMetadata],
    ['its attempts', withoutResults],
  ])('does not answer a query where properties of %s are missing', async (_, change) => {
    const scene = createScene(change);
    await scene.readRows();
    for (const number of [0, 1])
      expect(await scene.readCall(number)).toEqual({
        data: EXPECTED,
        traffic: [`GET /call/live-0-${number}`],
      });
  });

  test.each([
    ['properties', withoutMetadata],
    ['optional properties of its attempts', withoutTranscripts],
  ])('does not replace a whole call where %s are missing', async (_, change) => {
    const scene = createScene(change);
    await scene.readCall(0);
    await scene.readRows();
    expect(await scene.readCall(0)).toEqual({ data: EXPECTED, traffic: [] });
  });

  test('is partial where it lacks a property that the documentation does not name', async () => {
    const scene = createScene();
    scene.sandbox.control.transform(/^\/call\//, ({ call }) => ({ call: { ...call, extra: 1 } }));
    await scene.readCall(0);
    await scene.readRows();
    expect((await scene.readCall(1)).traffic).toEqual(['GET /call/live-0-1']);
  });

  test.each<ApiVersion>(['oldest', '0.0.2'])(
    '%s: is whole without the properties that no call of this version has',
    async (version) => {
      const scene = createScene();
      scene.sandbox.control.respondAs(version);
      await scene.readRows();
      expect((await scene.readCall(0)).traffic).toEqual(['GET /call/live-0-0']);
      await scene.pass(60_000);
      await scene.readRows();
      expect((await scene.readCall(1)).traffic).toEqual([]);
    },
  );
});
