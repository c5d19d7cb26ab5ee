import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isObjectType,
} from 'graphql';
import { UserInputError } from '#errors/gateway-error.ts';
import type { DriftReporter } from './drift.ts';
import { createFieldCoercer } from './field-coercion.ts';
import { keyOf, UNRECOGNIZED } from './names.ts';
import { type ResponseBudget, withResponseBudget } from './response-budget.ts';
import { isWireObject, loadFull, type WireObject } from './wire-object.ts';

/** The parts of the request context that the binding uses. */
export interface BindingContext {
  readonly driftLog: DriftReporter;
  readonly responseBudget: ResponseBudget;
}

type Resolver = GraphQLFieldResolver<unknown, BindingContext>;
type BoundField = GraphQLField<unknown, unknown>;

/**
 * Gives every field without a resolver one that reads its REST key, and counts the output of all
 * fields against the response budget. Runs once, when the schema is built.
 *
 * Root, connection and federation types are not bound, because their objects do not come from REST.
 */
export function bind(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const isBound = isFromRest(type, schema);
    for (const field of Object.values(type.getFields())) {
      if (isBound)
        field.resolve = toResolver(type.name, field) as GraphQLFieldResolver<unknown, unknown>;
      const enumArguments = field.args.filter(({ type }) => isEnumType(getNamedType(type)));
      // A subscription is rejected once, and not at each event.
      const name = field.subscribe ? 'subscribe' : 'resolve';
      const resolver = field[name];
      if (resolver && enumArguments.length > 0)
        field[name] = rejectUnrecognized(resolver, enumArguments);
      field.resolve = withResponseBudget(field.type, field.resolve);
    }
  }
  return schema;
}

/** Whether the objects of a type are REST objects, with their REST keys. */
export function isFromRest(type: GraphQLObjectType, schema: GraphQLSchema): boolean {
  return (
    type !== schema.getQueryType() &&
    type !== schema.getSubscriptionType() &&
    !/(Connection|Edge|^PageInfo|^_Service|^CallUpdate)$/.test(type.name)
  );
}

function toResolver(typeName: string, field: BoundField): Resolver {
  if (!field.resolve) return createFieldResolver(typeName, field);
  // A field with arguments does not correspond to a REST key.
  return field.args.length > 0 ? field.resolve : withDriftCheck(typeName, field, field.resolve);
}

function createFieldResolver(typeName: string, field: BoundField): Resolver {
  const key = keyOf(typeName, field.name);
  const coerce = createFieldCoercer(field.type, typeName, field.name);
  return (parent, _args, { driftLog }, { path }) => {
    const object = parent as WireObject;
    if (key in object) return coerce(object, driftLog, path);
    const full = loadFull(object);
    if (full instanceof Promise)
      return full.then((loaded) => (isWireObject(loaded) ? coerce(loaded, driftLog, path) : null));
    return coerce(object, driftLog, path);
  };
}

/** Reports drift of the REST key of a field that has its own resolver. */
function withDriftCheck(typeName: string, field: BoundField, resolve: Resolver): Resolver {
  const coerce = createFieldCoercer(field.type, typeName, field.name);
  return (parent, args, context, info) => {
    coerce(parent as WireObject, context.driftLog, info.path);
    return resolve(parent, args, context, info);
  };
}

/**
 * `UNRECOGNIZED` represents values that the schema does not know, so a client cannot request them.
 */
function rejectUnrecognized<T, C>(
  resolve: GraphQLFieldResolver<T, C>,
  enumArguments: readonly GraphQLArgument[],
): GraphQLFieldResolver<T, C> {
  return (parent, args, context, info) => {
    for (const { name } of enumArguments) {
      if ([args[name]].flat().includes(UNRECOGNIZED)) {
        throw new UserInputError(
          `\`${name}\` must not be ${UNRECOGNIZED}: it represents values newer than this schema, which cannot be requested.`,
        );
      }
    }
    return resolve(parent, args, context, info);
  };
}
