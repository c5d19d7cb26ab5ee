import {
  type GraphQLInputType,
  type GraphQLSchema,
  getVariableValues,
  isInputType,
  isLeafType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql';

export type VariableValues = { [name: string]: unknown };

/** The variables of a request, as sent. */
export type RawVariables = { readonly [name: string]: unknown };

export interface CoercionOptions {
  /** Maximum errors of variables in one result. */
  readonly maxCoercionErrors: number;
}

/** Coerces the variables of one operation, with the result of graphql-js's `getVariableValues`. */
export type CoerceVariables = (
  variables: RawVariables | undefined,
) => ReturnType<typeof getVariableValues>;

/**
 * Plans the coercion of an operation's variables. It covers values that fit. If one does not,
 * graphql-js coerces all of them, and reports the errors.
 */
export function planVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  { maxCoercionErrors: maxErrors }: CoercionOptions,
): CoerceVariables {
  const steps = variableDefinitions.map((definition) => planVariable(schema, definition));
  return (variables = {}) => {
    const coerced: VariableValues = Object.create(null);
    for (const { name, coerce, defaultValue } of steps) {
      const value = Object.hasOwn(variables, name) ? coerce(variables[name]) : defaultValue;
      if (value === MISFIT)
        return getVariableValues(schema, variableDefinitions, variables, { maxErrors });
      if (value !== undefined) coerced[name] = value;
    }
    return { coerced };
  };
}

/** In place of a value that does not fit its type, or that graphql-js must coerce. */
const MISFIT = Symbol('misfit');

type Coerce = (value: unknown) => unknown;

interface VariableStep {
  readonly name: string;
  readonly coerce: Coerce;
  /** The value of a variable that is not given. Undefined: none. */
  readonly defaultValue: unknown;
}

function planVariable(
  schema: GraphQLSchema,
  { variable, type: typeNode, defaultValue }: VariableDefinitionNode,
): VariableStep {
  const name = variable.name.value;
  const type = typeFromAST(schema, typeNode);
  if (!isInputType(type)) return { name, coerce: () => MISFIT, defaultValue: MISFIT };
  const coerce = createCoerce(type);
  if (defaultValue) return { name, coerce, defaultValue: valueFromAST(defaultValue, type) };
  return { name, coerce, defaultValue: isNonNullType(type) ? MISFIT : undefined };
}

function createCoerce(type: GraphQLInputType): Coerce {
  if (isNonNullType(type)) {
    const coerce = createCoerce(type.ofType);
    return (value) => (value === null || value === undefined ? MISFIT : coerce(value));
  }
  const coerce = createPresentCoerce(type);
  return (value) => (value === null || value === undefined ? null : coerce(value));
}

function createPresentCoerce(type: GraphQLInputType): Coerce {
  if (isListType(type)) {
    const coerceItem = createCoerce(type.ofType);
    return (value) => {
      if (!Array.isArray(value)) return MISFIT;
      const items = value.map(coerceItem);
      return items.includes(MISFIT) ? MISFIT : items;
    };
  }
  // An input object: the schema has none.
  if (!isLeafType(type)) return () => MISFIT;
  return (value) => {
    try {
      return type.parseValue(value) ?? MISFIT;
    } catch {
      return MISFIT;
    }
  };
}
