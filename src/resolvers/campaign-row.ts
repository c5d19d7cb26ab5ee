import type { Resolvers } from '#generated/resolvers.ts';
import { connectionResolvers, resolveConnection } from './connection.ts';
import { toFilter } from './filter.ts';

export const campaignRowResolvers: Resolvers = {
  Campaign: {
    rows({ id }, args, context, info) {
      const filter = {
        query: args.query || undefined,
        result: args.result ?? undefined,
        statuses: toFilter(args.statuses),
      };
      const scope = [id, filter.query ?? null, filter.result ?? null, filter.statuses];
      return resolveConnection(
        context.loaders.campaignRows(id, filter),
        args,
        scope,
        context,
        info,
      );
    },
  },
  CampaignRowConnection: connectionResolvers,
};
