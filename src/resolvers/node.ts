import type { RequestContext } from '#context/request-context.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { checkedId, loadEach } from './ids.ts';

/** What an object found by `node` is: REST objects do not say their type. */
const typeOf = new WeakMap<object, 'Call' | 'Assistant' | 'Campaign'>();

async function findNode(id: string, { loaders }: RequestContext) {
  const found = await loaders.node(id);
  if (!found) return null;
  typeOf.set(found.object, found.type);
  return found.object;
}

export const nodeResolvers: Resolvers = {
  Query: {
    node: (_query, { id }, context) => findNode(checkedId(id), context),
    nodes: (_query, { ids }, context) => loadEach(ids, (id) => findNode(id, context)),
  },
  Node: {
    __resolveType: (object) => typeOf.get(object) ?? null,
  },
};
