import type { Resolvers } from '#generated/resolvers.ts';
import { connectionResolvers, resolveConnection } from './connection.ts';
import { toFilter } from './filter.ts';

export const callAttemptResolvers: Resolvers = {
  Query: {
    callAttempts(_query, args, context, info) {
      const statuses = toFilter(args.statuses);
      return resolveConnection(
        context.loaders.callAttempts(statuses),
        args,
        [statuses],
        context,
        info,
      );
    },
  },
  CallAttemptConnection: connectionResolvers,
};
