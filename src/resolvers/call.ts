import { asStub, isWireObject, toId } from '#binding/wire-object.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { assertId, loadMany } from './ids.ts';

export const callResolvers: Resolvers = {
  Query: {
    call: (_query, { id }, { loaders }) => loaders.call(assertId(id)),
    calls: (_query, { ids }, context) =>
      loadMany(ids, (id) => context.loaders.call(assertId(id)), context),
  },
  Call: {
    campaign({ campaign }, _args, { loaders }) {
      if (!isWireObject(campaign) || !campaign.id) return null;
      const id = toId(campaign.id);
      return id === undefined ? null : asStub(campaign, () => loaders.campaign(id));
    },
  },
};
