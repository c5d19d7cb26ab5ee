import type { RequestContext } from '#context/request-context.ts';
import { UserInputError } from '#errors/gateway-error.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { subgraphSdl } from '#generated/type-definitions.ts';
import { checkedId } from '#resolvers/ids.ts';
import { saidType, sayType } from '#resolvers/type-of.ts';

const FINDERS = {
  Assistant: (id: string, { loaders }: RequestContext) => loaders.assistant(id),
  Call: (id: string, { loaders }: RequestContext) => loaders.call(id),
  Campaign: (id: string, { loaders }: RequestContext) => loaders.campaign(id),
};

/** A second door to the same loaders, as the subgraph specification (`_entities`, `_service`) has it. */
export const entityResolvers: Resolvers = {
  Query: {
    // Awaited, so that a trace finds the time here; an error that is an item costs that item.
    _entities: (_query, { representations }, context) =>
      Promise.all(representations.map((representation) => findEntity(representation, context).catch(toItem))),
    _service: () => ({ sdl: subgraphSdl }),
  },
  _Entity: { __resolveType: saidType },
};

/** GraphQL takes an `Error` in a list for the failure of one item; loaders reject with nothing else. The generated types do not know that. */
function toItem(error: unknown): null {
  return error as null;
}

/** Async, so that whatever is wrong with one representation costs that one. */
async function findEntity(representation: unknown, context: RequestContext) {
  const { type, id } = readRepresentation(representation);
  const object = await FINDERS[type](id, context);
  return object && sayType(object, type);
}

function readRepresentation(representation: unknown): { readonly type: keyof typeof FINDERS; readonly id: string } {
  if (typeof representation !== 'object' || representation === null || Array.isArray(representation)) {
    throw new UserInputError('A representation has to be an object: { "__typename": "Call", "id": "…" } for instance.');
  }
  const { __typename: type, id } = representation as { readonly [key: string]: unknown };
  if (type === 'CallAttempt') {
    throw new UserInputError('A CallAttempt cannot be found by its id: the upstream has no endpoint for one.');
  }
  if (!isEntityType(type)) {
    throw new UserInputError(`The \`__typename\` of a representation has to be one of ${Object.keys(FINDERS).join(', ')}.`);
  }
  // As GraphQL reads an ID.
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) {
    throw new UserInputError(`The \`id\` of a representation of ${type} has to be a string.`);
  }
  return { type, id: checkedId(String(id)) };
}

function isEntityType(type: unknown): type is keyof typeof FINDERS {
  return typeof type === 'string' && Object.hasOwn(FINDERS, type);
}
