import DataLoader from 'dataloader';
import type { NodeType, NodeTypes } from '#cache/node-types.ts';
import type { Assistant, Call, CallAttempt, CallStatus, Campaign, CampaignRow } from '#generated/revox-api.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import type { ListSource } from '#pagination/list.ts';
import { createPagedList } from '#pagination/paged-list.ts';
import { createWholeList } from '#pagination/whole-list.ts';
import type { CampaignRowFilter, Rest } from '#rest/endpoints.ts';
import { nullIfNotFound, toKeyError } from './failures.ts';
import { type OddItem, toIdentified, toPage } from './identified.ts';
import { createListedLoader } from './listed-loader.ts';

/** Everything one operation can ask for. What it has asked for once it does not ask for again. */
export interface Loaders {
  call(id: string): Promise<Call | null>;
  assistant(id: string): Promise<Assistant | null>;
  campaign(id: string): Promise<Campaign | null>;
  /** Any of the three. An id never seen is looked for in at most three requests; a look-up that fails is an error, never null. */
  node(id: string): Promise<{ readonly type: NodeType; readonly object: Call | Assistant | Campaign } | null>;
  /** Lists under the same filter are one list, read once. An empty filter is none. */
  callAttempts(statuses: readonly CallStatus[]): ListSource<CallAttempt>;
  campaignRows(campaignId: string, filter: CampaignRowFilter): ListSource<CampaignRow>;
  assistants(): ListSource<Assistant>;
  campaigns(): ListSource<Campaign>;
}

export interface LoadersOptions {
  readonly rest: Rest;
  readonly facts: FactsByEndpoint;
  readonly nodeTypes: NodeTypes;
  /** Hears of list items that are no objects, or have no id or a number for one, and of a total that is not told. */
  readonly onDrift: (kind: OddItem | 'missing', type: string, field: string) => void;
}

export function createLoaders({ rest, facts, nodeTypes, onDrift }: LoadersOptions): Loaders {
  const onOddItem = (type: NodeType | 'CallAttempt' | 'CampaignRow') => (how: OddItem) =>
    how === 'dropped' ? onDrift(how, `${type}Connection`, 'nodes') : onDrift(how, type, 'id');
  const callById = new DataLoader<string, Call | null>((ids) =>
    Promise.all(ids.map((id) => nullIfNotFound(rest.getCall(id)).then(seenCall, toKeyError))),
  );
  const assistants = createListedLoader<Assistant>({
    getOne: async (id) => seen('Assistant', await rest.getAssistant(id)),
    getAll: async () =>
      toIdentified<Assistant>((await rest.listAssistants()).items, onOddItem('Assistant')).map((assistant) =>
        seen('Assistant', assistant),
      ),
  });
  const campaigns = createListedLoader<Campaign>({
    getOne: async (id) => seenCampaign(await rest.getCampaign(id)),
    getAll: async () => toIdentified<Campaign>((await rest.listCampaigns()).items, onOddItem('Campaign')).map(seenCampaign),
  });

  type Load = { readonly [type in NodeType]: (id: string) => Promise<Call | Assistant | Campaign | null> };
  const load: Load = {
    Call: (id) => callById.load(id),
    Assistant: (id) => assistants.byId.load(id),
    Campaign: (id) => campaigns.byId.load(id),
  };
  const seek: Load = {
    ...load,
    Assistant: (id) => assistants.seek.load(id),
    Campaign: (id) => campaigns.seek.load(id),
  };

  const callAttempts = new Map<string, ListSource<CallAttempt>>();
  const campaignRows = new Map<string, ListSource<CampaignRow>>();

  return {
    call: (id) => callById.load(id),
    assistant: (id) => assistants.byId.load(id),
    campaign: (id) => campaigns.byId.load(id),
    async node(id) {
      const known = nodeTypes.typeOf(id);
      if (known) {
        const object = await load[known](id);
        return object && { type: known, object };
      }
      for (const type of ['Call', 'Assistant', 'Campaign'] as const) {
        const object = await seek[type](id);
        if (object) return { type, object };
      }
      return null;
    },
    callAttempts: (statuses) =>
      remembered(callAttempts, statuses.join(), () =>
        createPagedList(async ({ page, pageSize, newerThan }) => {
          const answer = await rest.listCallAttempts({ page, pageSize }, statuses, { newerThan });
          return toPage<CallAttempt>(answer, onOddItem('CallAttempt'));
        }, facts('/call')),
      ),
    campaignRows: (campaignId, filter) =>
      remembered(campaignRows, JSON.stringify([campaignId, filter.query, filter.result, filter.statuses]), () =>
        createPagedList(async ({ page, pageSize, newerThan }) => {
          const answer = await rest.listCampaignRows(campaignId, { page, pageSize }, filter, { newerThan });
          // Within one operation no field asks for a call after its row has come; whoever asks later than the root fields do finds it.
          for (const call of answer.calls) callById.prime(call.id, seenCall(call));
          if (answer.total === undefined) onDrift('missing', 'CampaignRowConnection', 'totalCount');
          return toPage<CampaignRow>(answer, onOddItem('CampaignRow'));
        }, facts('/campaigns/{id}/rows')),
      ),
    assistants: () => createWholeList(assistants.all),
    campaigns: () => createWholeList(campaigns.all),
  };

  function seen<T extends { readonly id: string }>(type: NodeType, object: T): T {
    nodeTypes.remember(object.id, type);
    return object;
  }

  // What an answer brings along has been served too, and may be asked for by its id.

  function seenCampaign(campaign: Campaign): Campaign {
    if (campaign.assistant?.id) nodeTypes.remember(campaign.assistant.id, 'Assistant');
    return seen('Campaign', campaign);
  }

  function seenCall(call: Call): Call;
  function seenCall(call: Call | null): Call | null;
  function seenCall(call: Call | null): Call | null {
    if (!call) return null;
    if (call.assistant?.id) nodeTypes.remember(call.assistant.id, 'Assistant');
    if (call.campaign?.id) nodeTypes.remember(call.campaign.id, 'Campaign');
    return seen('Call', call);
  }
}

function remembered<T>(memory: Map<string, T>, key: string, create: () => T): T {
  let value = memory.get(key);
  if (value === undefined) {
    value = create();
    memory.set(key, value);
  }
  return value;
}
