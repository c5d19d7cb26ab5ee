import type { RequestContext } from '#context/request-context.ts';
import { UserInputError } from '#errors/gateway-error.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { assertId, loadMany } from '#resolvers/ids.ts';
import { getNodeType, setNodeType } from '#resolvers/node-type.ts';

const ENTITY_LOADERS = {
  Assistant: (id: string, { loaders }: RequestContext) => loaders.assistant(id),
  Call: (id: string, { loaders }: RequestContext) => loaders.call(id),
  Campaign: (id: string, { loaders }: RequestContext) => loaders.campaign(id),
};

/**
 * The root fields of the subgraph specification (`_entities`, `_service`), with the same loaders as
 * the other fields.
 * @param toSdl returns the SDL of the subgraph
 */
export function createEntityResolvers(toSdl: () => string): Resolvers {
  return {
    Query: {
      // Awaited here, so that a trace attributes the time to this field.
      _entities: (_query, { representations }, context) =>
        Promise.all(
          loadMany(
            representations,
            (representation) => findEntity(representation, context),
            context,
          ),
        ),
      _service: () => ({ sdl: toSdl() }),
    },
    _Entity: { __resolveType: getNodeType },
  };
}

/** @throws UserInputError (synchronously) for an invalid representation */
function findEntity(representation: unknown, context: RequestContext) {
  const { type, id } = parseRepresentation(representation);
  return ENTITY_LOADERS[type](id, context).then((object) => object && setNodeType(object, type));
}

function parseRepresentation(representation: unknown): {
  readonly type: keyof typeof ENTITY_LOADERS;
  readonly id: string;
} {
  if (
    typeof representation !== 'object' ||
    representation === null ||
    Array.isArray(representation)
  ) {
    throw new UserInputError(
      'A representation must be an object: { "__typename": "Call", "id": "…" } for instance.',
    );
  }
  const { __typename: type, id } = representation as { readonly [key: string]: unknown };
  if (type === 'CallAttempt' || type === 'CampaignRow') {
    throw new UserInputError(
      `A ${type} cannot be loaded by its id: the upstream has no endpoint for one.`,
    );
  }
  if (!isEntityType(type)) {
    throw new UserInputError(
      `The \`__typename\` of a representation must be one of ${Object.keys(ENTITY_LOADERS).join(', ')}.`,
    );
  }
  // The values that graphql-js accepts as an ID.
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) {
    throw new UserInputError(`The \`id\` of a representation of ${type} must be a string.`);
  }
  return { type, id: assertId(String(id)) };
}

function isEntityType(type: unknown): type is keyof typeof ENTITY_LOADERS {
  return typeof type === 'string' && Object.hasOwn(ENTITY_LOADERS, type);
}
