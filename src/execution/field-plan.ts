import {
  defaultFieldResolver,
  type FieldNode,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  isNonNullType,
  type SelectionSetNode,
} from 'graphql';
import { planArguments, type ToArguments } from './arguments.ts';
import { type Complete, createCompleter } from './completion.ts';
import type { OperationPlan } from './operation-plan.ts';
import { collectFields } from './selection.ts';

/** A field of a selection, planned for one object type. */
export interface FieldPlan {
  readonly responseName: string;
  /** The JSON text between the value of the previous field and the value of this one. */
  readonly prefix: string;
  readonly definition: GraphQLField<unknown, unknown>;
  /** The selections that are merged into this field. */
  readonly fieldNodes: readonly FieldNode[];
  readonly parentType: GraphQLObjectType;
  readonly isNonNull: boolean;
  readonly resolve: GraphQLFieldResolver<unknown, unknown>;
  readonly toArguments: ToArguments;
  readonly complete: Complete;
  readonly plan: OperationPlan;
}

/** The operation for which selections are planned, with one set of conditions. */
export interface PlanScope {
  readonly plan: OperationPlan;
  /** The values of the variables in `@skip` and `@include`. */
  readonly conditions: { readonly [variable: string]: unknown };
  /** Fields planned so far. A selection is planned when it is executed for the first time. */
  plannedFields: number;
}

/** The fields that are selected of an object type, in response order. */
export interface SelectionPlan {
  readonly fields: readonly FieldPlan[];
  /** The JSON text after the value of the last field. */
  readonly end: string;
}

/** Plans a selection. The values of `__typename` are part of its constant texts. */
export function planSelection(
  type: GraphQLObjectType,
  selectionSets: readonly SelectionSetNode[],
  scope: PlanScope,
): SelectionPlan {
  const fields: FieldPlan[] = [];
  let text = '{';
  let separator = '';
  for (const [responseName, fieldNodes] of collectFields(type, selectionSets, scope)) {
    const fieldName = fieldNodes[0]?.name.value;
    const definition = type.getFields()[fieldName ?? ''];
    if (!definition && fieldName !== '__typename') continue;
    text += `${separator}"${responseName}":`;
    separator = ',';
    if (!definition) text += `"${type.name}"`;
    else {
      fields.push(planField(definition, type, responseName, text, fieldNodes, scope));
      text = '';
    }
  }
  return { fields, end: `${text}}` };
}

function planField(
  definition: GraphQLField<unknown, unknown>,
  parentType: GraphQLObjectType,
  responseName: string,
  prefix: string,
  fieldNodes: readonly FieldNode[],
  scope: PlanScope,
): FieldPlan {
  scope.plannedFields += 1;
  const selectionSets = fieldNodes.flatMap(({ selectionSet }) => selectionSet ?? []);
  return {
    responseName,
    prefix,
    definition,
    fieldNodes,
    parentType,
    isNonNull: isNonNullType(definition.type),
    resolve: definition.resolve ?? defaultFieldResolver,
    toArguments: planArguments(definition, fieldNodes[0] as FieldNode),
    complete: createCompleter(definition.type, (type) => planSelection(type, selectionSets, scope)),
    plan: scope.plan,
  };
}
