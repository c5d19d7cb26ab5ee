import type { RequestContext } from '#context/request-context.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { assertId, loadMany } from './ids.ts';
import { getNodeType, setNodeType } from './node-type.ts';

async function findNode(id: string, { loaders }: RequestContext) {
  const found = await loaders.node(id);
  return found && setNodeType(found.object, found.type);
}

export const nodeResolvers: Resolvers = {
  Query: {
    node: (_query, { id }, context) => findNode(assertId(id), context),
    nodes: (_query, { ids }, context) =>
      loadMany(ids, (id) => findNode(assertId(id), context), context),
  },
  Node: { __resolveType: getNodeType },
};
