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

/** What the binding needs of a request. */
export interface BindingContext {
  readonly driftLog: DriftReporter;
  readonly responseBudget: ResponseBudget;
}

type Resolver = GraphQLFieldResolver<unknown, BindingContext>;
type BoundField = GraphQLField<unknown, unknown>;

/**
 * Gives every field that has no resolver of its own the one that reads its REST key, and has all of them counted. Done once, when the schema
 * is built.
 *
 * Root and connection types, and those of federation, are not bound: their parents are ours, not REST's.
 */
export function bind(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const isBound = isFromRest(type, schema);
    for (const field of Object.values(type.getFields())) {
      if (isBound) field.resolve = toResolver(type.name, field) as GraphQLFieldResolver<unknown, unknown>;
      const enumArguments = field.args.filter(({ type }) => isEnumType(getNamedType(type)));
      if (field.resolve && enumArguments.length > 0) field.resolve = rejectUnrecognized(field.resolve, enumArguments);
      field.resolve = withResponseBudget(field.type, field.resolve);
    }
  }
  return schema;
}

/** Whether the objects of a type are what REST says, key by key. */
export function isFromRest(type: GraphQLObjectType, schema: GraphQLSchema): boolean {
  return type !== schema.getQueryType() && !/(Connection|Edge|^PageInfo|^_Service)$/.test(type.name);
}

function toResolver(typeName: string, field: BoundField): Resolver {
  if (!field.resolve) return createFieldResolver(typeName, field);
  // What takes arguments is no key of REST's.
  return field.args.length > 0 ? field.resolve : withDriftCheck(typeName, field, field.resolve);
}

function createFieldResolver(typeName: string, field: BoundField): Resolver {
  const key = keyOf(typeName, field.name);
  const coerce = createFieldCoercer(field.type, typeName, field.name);
  return (parent, _args, { driftLog }) => {
    const object = parent as WireObject;
    if (key in object) return coerce(object, driftLog);
    const full = loadFull(object);
    if (full instanceof Promise) return full.then((loaded) => (isWireObject(loaded) ? coerce(loaded, driftLog) : null));
    return coerce(object, driftLog);
  };
}

/** What is odd of a key is told, too, where a resolver decides what becomes of it. */
function withDriftCheck(typeName: string, field: BoundField, resolve: Resolver): Resolver {
  const coerce = createFieldCoercer(field.type, typeName, field.name);
  return (parent, args, context, info) => {
    coerce(parent as WireObject, context.driftLog);
    return resolve(parent, args, context, info);
  };
}

/** `UNRECOGNIZED` stands for values that we do not know; nobody can ask for them. */
function rejectUnrecognized<T, C>(
  resolve: GraphQLFieldResolver<T, C>,
  enumArguments: readonly GraphQLArgument[],
): GraphQLFieldResolver<T, C> {
  return (parent, args, context, info) => {
    for (const { name } of enumArguments) {
      if ([args[name]].flat().includes(UNRECOGNIZED)) {
        throw new UserInputError(
          `\`${name}\` must not be ${UNRECOGNIZED}: it stands for values newer than this schema, which cannot be asked for.`,
        );
      }
    }
    return resolve(parent, args, context, info);
  };
}
