import { isWireObject, toPartial } from '#binding/wire-object.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { checkedId, loadEach } from './ids.ts';

export const callResolvers: Resolvers = {
  Query: {
    call: (_query, { id }, { loaders }) => loaders.call(checkedId(id)),
    calls: (_query, { ids }, context) => loadEach(ids.map(checkedId), (id) => context.loaders.call(id), context),
  },
  Call: {
    campaign({ campaign }, _args, { loaders }) {
      if (!isWireObject(campaign) || !campaign.id) return null;
      return toPartial(campaign, () => loaders.campaign(String(campaign.id)));
    },
  },
};
