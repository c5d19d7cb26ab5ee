import type { RequestContext } from '#context/request-context.ts';
import { UserInputError } from '#errors/gateway-error.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { subgraphSdl } from '#generated/type-definitions.ts';
import { assertId, loadMany } from '#resolvers/ids.ts';
import { getNodeType, setNodeType } from '#resolvers/node-type.ts';

const ENTITY_LOADERS = {
  Assistant: (id: string, { loaders }: RequestContext) => loaders.assistant(id),
  Call: (id: string, { loaders }: RequestContext) => loaders.call(id),
  Campaign: (id: string, { loaders }: RequestContext) => loaders.campaign(id),
};

/** A second door to the same loaders, as the subgraph specification (`_entities`, `_service`) has it. */
export const entityResolvers: Resolvers = {
  Query: {
    // Awaited, so that a trace finds the time here.
    _entities: (_query, { representations }, context) =>
      Promise.all(loadMany(representations, (representation) => findEntity(representation, context), context)),
    _service: () => ({ sdl: subgraphSdl }),
  },
  _Entity: { __resolveType: getNodeType },
};

/** @throws UserInputError (at once) for what cannot be found */
function findEntity(representation: unknown, context: RequestContext) {
  const { type, id } = parseRepresentation(representation);
  return ENTITY_LOADERS[type](id, context).then((object) => object && setNodeType(object, type));
}

function parseRepresentation(representation: unknown): { readonly type: keyof typeof ENTITY_LOADERS; readonly id: string } {
  if (typeof representation !== 'object' || representation === null || Array.isArray(representation)) {
    throw new UserInputError('A representation has to be an object: { "__typename": "Call", "id": "…" } for instance.');
  }
  const { __typename: type, id } = representation as { readonly [key: string]: unknown };
  if (type === 'CallAttempt') {
    throw new UserInputError('A CallAttempt cannot be found by its id: the upstream has no endpoint for one.');
  }
  if (!isEntityType(type)) {
    throw new UserInputError(
      `The \`__typename\` of a representation has to be one of ${Object.keys(ENTITY_LOADERS).join(', ')}.`,
    );
  }
  // As GraphQL reads an ID.
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) {
    throw new UserInputError(`The \`id\` of a representation of ${type} has to be a string.`);
  }
  return { type, id: assertId(String(id)) };
}

function isEntityType(type: unknown): type is keyof typeof ENTITY_LOADERS {
  return typeof type === 'string' && Object.hasOwn(ENTITY_LOADERS, type);
}
