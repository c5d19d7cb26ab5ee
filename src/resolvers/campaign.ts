import { isWireObject, toWhole } from '#binding/wire-object.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { resolveConnection } from './connection.ts';
import { checkedId } from './ids.ts';

export const campaignResolvers: Resolvers = {
  Query: {
    campaign: (_query, { id }, { loaders }) => loaders.campaign(checkedId(id)),
    campaigns: (_query, args, context, info) => resolveConnection(() => context.loaders.campaigns(), args, [], context, info),
  },
  Campaign: {
    async assistant(known, _args, { loaders }) {
      const campaign = await toWhole(known);
      if (isWireObject(campaign?.assistant) && campaign.assistant.id) return campaign.assistant;
      return campaign?.assistant_id ? loaders.assistant(campaign.assistant_id) : null;
    },
  },
  CampaignConnection: { totalCount: (connection) => connection.totalCount() },
};
