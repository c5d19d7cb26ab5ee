import {
  type GraphQLFieldConfigMap,
  GraphQLObjectType,
  GraphQLSchema,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';
import type { RequestContext } from '#context/request-context.ts';
import type { LiveEvent } from '#live/live-source.ts';

/** The context of an event. A plan has no root value, so the root field gets the event from it. */
export interface EventContext extends RequestContext {
  readonly event: LiveEvent;
}

/**
 * The schema of events: its query type is the subscription type of the schema, with fields that
 * resolve the event of an `EventContext`. So plans execute events like queries.
 */
export function toEventSchema(schema: GraphQLSchema): GraphQLSchema {
  const rootType = schema.getSubscriptionType();
  if (!rootType) throw new Error('The schema has no subscriptions.');
  const { fields, ...config } = rootType.toConfig();
  const eventFields: GraphQLFieldConfigMap<unknown, EventContext> = {};
  for (const [name, { subscribe: _, resolve, ...field }] of Object.entries(fields))
    eventFields[name] = {
      ...field,
      resolve: (_root, args, context, info) => resolve?.(context.event, args, context, info),
    };
  const query = new GraphQLObjectType({ ...config, fields: eventFields });
  const { types, ...schemaConfig } = schema.toConfig();
  return new GraphQLSchema({
    ...schemaConfig,
    types: types.filter((type) => type !== rootType),
    query,
    subscription: null,
  });
}

/** The operation of a subscription, for the schema of events. */
export function toEventOperation(operation: OperationDefinitionNode): OperationDefinitionNode {
  return { ...operation, operation: OperationTypeNode.QUERY };
}
