import { type CallState, createLiveGateway, type LiveGateway } from './live-gateway.ts';
import { KEY_A, type TestGatewayOptions } from './test-gateway.ts';

export interface CampaignOptions {
  readonly calls: number;
  readonly apiKey?: string;
  /** Which of the organization's campaigns. */
  readonly index?: number;
}

export interface LiveCampaign {
  readonly id: string;
  readonly callIds: readonly string[];
  /** Changes a call of the campaign. */
  put(call: CallState): void;
  /** Sends the end of each call; at most 100 calls are in one subscription. */
  subscribeAll(headers?: Record<string, string>): Promise<void>;
}

export const CALLS_ENDED =
  'subscription ($ids: [ID!]!) { callsEnded(ids: $ids) { callId call { status } } }';

/** A live gateway whose campaigns have the rows that tests give them. */
export function createCampaignGateway(options: TestGatewayOptions = {}): LiveGateway & {
  createCampaign(campaign: CampaignOptions): LiveCampaign;
} {
  const gateway = createLiveGateway(options);
  const { control } = gateway.sandbox;
  return {
    ...gateway,
    createCampaign({ calls, apiKey = KEY_A, index = 0 }) {
      const { campaigns, rows } = control.data(apiKey);
      const campaign = campaigns[index];
      if (!campaign) throw new Error('The sandbox has no such campaign.');
      const { id, name } = campaign;
      rows[id]?.splice(0);
      const put = (call: CallState) => gateway.putCall({ campaign: { id, name }, ...call }, apiKey);
      const callIds = Array.from({ length: calls }, (_, number) => `live-${index}-${number}`);
      for (const callId of callIds)
        put({ id: callId, status: 'calling', call_attempts: [RINGING] });
      const byId = new Map(control.data(apiKey).calls.map((call) => [call.id, call]));
      const items = callIds.map((callId) => ({ call: byId.get(callId) }));
      control.insertRows(apiKey, id, { at: 0, items: items as [] });
      return {
        id,
        callIds,
        put,
        async subscribeAll(headers) {
          for (let start = 0; start < calls; start += 100)
            await gateway.subscribe(
              CALLS_ENDED,
              { ids: callIds.slice(start, start + 100) },
              headers,
            );
        },
      };
    },
  };
}

/** An attempt that rings: its call is polled at the shortest interval. */
export const RINGING = {
  id: 'a1',
  status: 'ringing',
  answered_at: null,
  dial_error: null,
  ended_at: null,
  phone_number: '+33100000000',
  recording_url: null,
  result: null,
  started_at: null,
} as never;
