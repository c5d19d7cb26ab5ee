import { hasId, isWireObject, loadFull, toId } from '#binding/wire-object.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { connectionResolvers, resolveConnection } from './connection.ts';
import { assertId } from './ids.ts';

export const campaignResolvers: Resolvers = {
  Query: {
    campaign: (_query, { id }, { loaders }) => loaders.campaign(assertId(id)),
    campaigns: (_query, args, context, info) =>
      resolveConnection(context.loaders.campaigns(), args, [], context, info),
  },
  Campaign: {
    async assistant(known, _args, { loaders }) {
      const campaign = await loadFull(known);
      if (isWireObject(campaign?.assistant) && hasId(campaign.assistant)) return campaign.assistant;
      const id = toId(campaign?.assistant_id);
      return id === undefined ? null : loaders.assistant(id);
    },
  },
  CampaignConnection: connectionResolvers,
};
