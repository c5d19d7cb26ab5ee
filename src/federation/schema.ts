import {
  type ASTNode,
  GraphQLSchema,
  isObjectType,
  isTypeDefinitionNode,
  Kind,
  parse,
  print,
  visit,
} from 'graphql';
import { subgraphSdl } from '#generated/type-definitions.ts';
import { createSchema } from '#resolvers/schema.ts';
import { createEntityResolvers } from './entities.ts';

/**
 * The executable schema, with the fields and types of a subgraph.
 * @param hasSubscriptions whether it has the root type of subscriptions, and what only that uses
 */
export function createSubgraphSchema(hasSubscriptions = true): GraphQLSchema {
  if (hasSubscriptions) return createSchema([createEntityResolvers(() => subgraphSdl)]);
  const schema: GraphQLSchema = withoutSubscriptions(
    createSchema([createEntityResolvers(() => toSdlOf(schema))]),
  );
  return schema;
}

const sharedSchemas = new Map<boolean, GraphQLSchema>();

/**
 * The schema that all gateways of the process share: it has no state, and its creation takes most of
 * the time that the creation of a gateway takes.
 * @param hasSubscriptions as for `createSubgraphSchema`
 */
export function shareSubgraphSchema(hasSubscriptions: boolean): GraphQLSchema {
  const known = sharedSchemas.get(hasSubscriptions);
  if (known) return known;
  const schema = createSubgraphSchema(hasSubscriptions);
  sharedSchemas.set(hasSubscriptions, schema);
  return schema;
}

/** The types that nothing but subscriptions refers to are left out, too. */
function withoutSubscriptions(schema: GraphQLSchema): GraphQLSchema {
  const config = schema.toConfig();
  const types = config.types.filter(
    (type) => isObjectType(type) && type.getInterfaces().length > 0,
  );
  return new GraphQLSchema({ ...config, types, subscription: null });
}

/** The part of the SDL that a schema has. */
function toSdlOf(schema: GraphQLSchema): string {
  const isMissing = (node: ASTNode) =>
    node.kind === Kind.OPERATION_TYPE_DEFINITION
      ? !schema.getRootType(node.operation)
      : isTypeDefinitionNode(node) && !schema.getType(node.name.value);
  return print(
    visit(parse(subgraphSdl), { enter: (node) => (isMissing(node) ? null : undefined) }),
  );
}
