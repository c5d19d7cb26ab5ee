import type { RequestContext } from '#context/request-context.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { checkedId, loadEach } from './ids.ts';
import { saidType, sayType } from './type-of.ts';

async function findNode(id: string, { loaders }: RequestContext) {
  const found = await loaders.node(id);
  return found && sayType(found.object, found.type);
}

export const nodeResolvers: Resolvers = {
  Query: {
    node: (_query, { id }, context) => findNode(checkedId(id), context),
    nodes: (_query, { ids }, context) => loadEach(ids.map(checkedId), (id) => findNode(id, context), context),
  },
  Node: { __resolveType: saidType },
};
