import type { Resolvers } from '#generated/resolvers.ts';
import { connectionResolvers, resolveConnection } from './connection.ts';
import { assertId } from './ids.ts';

export const assistantResolvers: Resolvers = {
  Query: {
    assistant: (_query, { id }, { loaders }) => loaders.assistant(assertId(id)),
    assistants: (_query, args, context, info) =>
      resolveConnection(context.loaders.assistants(), args, [], context, info),
  },
  AssistantConnection: connectionResolvers,
};
