import {
  type FieldNode,
  type GraphQLArgument,
  type GraphQLField,
  getArgumentValues,
  isNonNullType,
  Kind,
  type ValueNode,
  valueFromAST,
  visit,
} from 'graphql';
import type { VariableValues } from './variables.ts';

/**
 * Returns the coerced arguments of a field.
 * @throws GraphQLError for a value that does not fit
 */
export type ToArguments = (variableValues: VariableValues) => { readonly [name: string]: unknown };

const NO_ARGUMENTS = Object.freeze({});
const toNoArguments: ToArguments = () => NO_ARGUMENTS;

/**
 * Plans the arguments of a field: literals are coerced once, and a variable already has the type of
 * its argument. graphql-js coerces everything else, and reports every error.
 */
export function planArguments(field: GraphQLField<unknown, unknown>, node: FieldNode): ToArguments {
  if (field.args.length === 0) return toNoArguments;
  const coerce: ToArguments = (variableValues) => getArgumentValues(field, node, variableValues);
  const values = new Map(node.arguments?.map(({ name, value }) => [name.value, value]));
  const steps: ArgumentStep[] = [];
  for (const argument of field.args) {
    const step = planArgument(argument, values.get(argument.name));
    if (!step) return coerce;
    steps.push(step);
  }
  return (variableValues) => {
    const coerced: VariableValues = {};
    for (const { name, variable, isNonNull, constant } of steps) {
      const isGiven = variable !== undefined && Object.hasOwn(variableValues, variable);
      const value = isGiven ? variableValues[variable] : constant;
      if (value !== undefined && value !== null) coerced[name] = value;
      else if (isNonNull) return coerce(variableValues);
      else if (value === null) coerced[name] = null;
    }
    return coerced;
  };
}

interface ArgumentStep {
  readonly name: string;
  /** The variable that is the value. */
  readonly variable: string | undefined;
  readonly isNonNull: boolean;
  /** The value without the variable: a literal or the default. Undefined: the argument is absent. */
  readonly constant: unknown;
}

/** Undefined for a value that graphql-js must coerce in each execution. */
function planArgument(
  { name, type, defaultValue }: GraphQLArgument,
  node: ValueNode | undefined,
): ArgumentStep | undefined {
  const step = { name, variable: undefined, isNonNull: isNonNullType(type) };
  if (!node) return { ...step, constant: defaultValue };
  if (node.kind === Kind.VARIABLE)
    return { ...step, variable: node.name.value, constant: defaultValue };
  const constant = containsVariable(node) ? undefined : valueFromAST(node, type);
  return constant === undefined ? undefined : { ...step, constant };
}

function containsVariable(node: ValueNode): boolean {
  let isFound = false;
  visit(node, {
    Variable() {
      isFound = true;
    },
  });
  return isFound;
}
