import { hasId, isWireObject, toWhole } from '#binding/wire-object.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { resolveConnection } from './connection.ts';
import { checkedId } from './ids.ts';

export const campaignResolvers: Resolvers = {
  Query: {
    campaign: (_query, { id }, { loaders }) => loaders.campaign(checkedId(id)),
    campaigns: (_query, args, context, info) => resolveConnection(context.loaders.campaigns(), args, [], context, info),
  },
  Campaign: {
    async assistant(known, _args, { loaders }) {
      const campaign = await toWhole(known);
      if (isWireObject(campaign?.assistant) && hasId(campaign.assistant)) return campaign.assistant;
      const id: unknown = campaign?.assistant_id;
      return hasId({ id }) ? loaders.assistant(String(id)) : null;
    },
  },
  CampaignConnection: { totalCount: (connection) => connection.totalCount() },
};
