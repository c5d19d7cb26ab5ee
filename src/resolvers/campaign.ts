import { hasId, isWireObject, loadFull } from '#binding/wire-object.ts';
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
      const id: unknown = campaign?.assistant_id;
      return hasId({ id }) ? loaders.assistant(String(id)) : null;
    },
  },
  CampaignConnection: connectionResolvers,
};
