import DataLoader from 'dataloader';
import type { NodeType, NodeTypes } from '#cache/node-types.ts';
import type {
  Assistant,
  Call,
  CallAttempt,
  CallStatus,
  Campaign,
  CampaignRow,
} from '#generated/revox-api.ts';
import { createCompleteList } from '#pagination/complete-list.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import type { ListSource } from '#pagination/list.ts';
import { createPagedList } from '#pagination/paged-list.ts';
import type { CampaignRowFilter, RevoxApi } from '#rest/revox-api.ts';
import { toNumericId } from '#rest/transport/exact-number.ts';
import { createListBackedLoader } from './list-backed-loader.ts';
import { type ItemDrift, toPage, uniqueById, withIds } from './list-items.ts';
import { toFailedResult } from './load-errors.ts';

/** All objects and lists that one operation can load. Each is requested only once per operation. */
export interface Loaders {
  call(id: string): Promise<Call | null>;
  assistant(id: string): Promise<Assistant | null>;
  campaign(id: string): Promise<Campaign | null>;
  /**
   * An object of any of the three types. An unknown id costs at most three requests; a failed
   * lookup is an error, never null.
   */
  node(
    id: string,
  ): Promise<{ readonly type: NodeType; readonly object: Call | Assistant | Campaign } | null>;
  /** Lists with the same filter are one list, read once. An empty filter means no filter. */
  callAttempts(statuses: readonly CallStatus[]): ListSource<CallAttempt>;
  campaignRows(campaignId: string, filter: CampaignRowFilter): ListSource<CampaignRow>;
  assistants(): ListSource<Assistant>;
  campaigns(): ListSource<Campaign>;
}

export interface LoadersOptions {
  readonly rest: RevoxApi;
  readonly facts: FactsByEndpoint;
  readonly nodeTypes: NodeTypes;
  /**
   * Called for list items that are not objects, have no id or have a number as their id, and for a
   * missing total.
   */
  readonly onDrift: (kind: ItemDrift | 'missing', type: string, field: string) => void;
}

export function createLoaders({ rest, facts, nodeTypes, onDrift }: LoadersOptions): Loaders {
  const onItemDrift = (type: NodeType | 'CallAttempt' | 'CampaignRow') => (kind: ItemDrift) =>
    kind === 'dropped' ? onDrift(kind, `${type}Connection`, 'nodes') : onDrift(kind, type, 'id');
  const callById = new DataLoader<string, Call | null>((ids) =>
    Promise.all(ids.map((id) => rest.getCall(id).then(recordCallTypes, toFailedResult))),
  );
  const assistants = createListBackedLoader<Assistant>({
    getOne: async (id) => recordType('Assistant', await rest.getAssistant(id)),
    getAll: async () =>
      uniqueById(
        withIds<Assistant>((await rest.listAssistants()).items, onItemDrift('Assistant')),
      ).map((assistant) => recordType('Assistant', assistant)),
  });
  const campaigns = createListBackedLoader<Campaign>({
    getOne: async (id) => recordCampaignTypes(await rest.getCampaign(id)),
    getAll: async () =>
      uniqueById(
        withIds<Campaign>((await rest.listCampaigns()).items, onItemDrift('Campaign')),
      ).map(recordCampaignTypes),
  });

  const callAttempts = new Map<string, ListSource<CallAttempt>>();
  const campaignRows = new Map<string, ListSource<CampaignRow>>();

  return {
    call: (id) => callById.load(id),
    assistant: (id) => assistants.byId.load(id),
    campaign: (id) => campaigns.byId.load(id),
    async node(id) {
      const known = nodeTypes.get(id);
      if (known) {
        const object = await load(known, id);
        return object && { type: known, object };
      }
      for (const type of ['Call', 'Assistant', 'Campaign'] as const) {
        const object = await findInLists(type, id);
        if (object) return { type, object };
      }
      return null;
    },
    callAttempts: (statuses) =>
      getOrCreate(callAttempts, statuses.join(), () =>
        createPagedList(async ({ page, pageSize, newerThan }) => {
          const response = await rest.listCallAttempts({ page, pageSize }, statuses, { newerThan });
          return toPage<CallAttempt>(response, onItemDrift('CallAttempt'));
        }, facts('/call')),
      ),
    campaignRows: (campaignId, filter) =>
      getOrCreate(
        campaignRows,
        JSON.stringify([campaignId, filter.query, filter.result, filter.statuses]),
        () =>
          createPagedList(
            async ({ newerThan, ...page }) => {
              const response = await rest.listCampaignRows(campaignId, page, filter, { newerThan });
              // The calls of rows are complete, so `callById` need not request them. (At present no
              // field below a row requests a call by id.)
              for (const call of response.calls) callById.prime(call.id, recordCallTypes(call));
              if (response.total === undefined)
                onDrift('missing', 'CampaignRowConnection', 'totalCount');
              return toPage<CampaignRow>(response, onItemDrift('CampaignRow'));
            },
            facts('/campaigns/{id}/rows'),
            { reportsTotal: true },
          ),
      ),
    assistants: () => createCompleteList(assistants.all),
    campaigns: () => createCompleteList(campaigns.all),
  };

  function load(type: NodeType, id: string): Promise<Call | Assistant | Campaign | null> {
    if (type === 'Call') return callById.load(id);
    return (type === 'Assistant' ? assistants : campaigns).byId.load(id);
  }

  function findInLists(type: NodeType, id: string): Promise<Call | Assistant | Campaign | null> {
    if (type === 'Call') return callById.load(id);
    return (type === 'Assistant' ? assistants : campaigns).findInList.load(id);
  }

  function recordType<T extends { readonly id: string }>(type: NodeType, object: T): T {
    nodeTypes.set(object.id, type);
    return object;
  }

  /** @param id as the upstream sent it: a number at times */
  function recordId(type: NodeType, id: unknown): void {
    const text = typeof id === 'string' ? id : toNumericId(id);
    if (text) nodeTypes.set(text, type);
  }

  /** Records the types of the embedded objects, too: a client may request them with `node(id:)`. */
  function recordCampaignTypes(campaign: Campaign): Campaign {
    recordId('Assistant', campaign.assistant?.id);
    return recordType('Campaign', campaign);
  }

  /** Records the types of the embedded objects, too: a client may request them with `node(id:)`. */
  function recordCallTypes(call: Call): Call {
    recordId('Assistant', call.assistant?.id);
    recordId('Campaign', call.campaign?.id);
    return recordType('Call', call);
  }
}

function getOrCreate<T>(entries: Map<string, T>, key: string, create: () => T): T {
  let value = entries.get(key);
  if (value === undefined) {
    value = create();
    entries.set(key, value);
  }
  return value;
}
