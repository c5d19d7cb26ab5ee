import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  GraphQLSkipDirective,
  getDirectiveValues,
  type InlineFragmentNode,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
} from 'graphql';
import type { PlanScope } from './field-plan.ts';

/**
 * The fields that a selection selects of an object type, by response name and in response order.
 * Fields with the same response name are merged.
 */
export type SelectedFields = ReadonlyMap<string, readonly FieldNode[]>;

/** Collects the fields of several selection sets, as the GraphQL specification's CollectFields. */
export function collectFields(
  type: GraphQLObjectType,
  selectionSets: readonly SelectionSetNode[],
  scope: PlanScope,
): SelectedFields {
  const fields = new Map<string, FieldNode[]>();
  const visitedFragments = new Set<string>();
  for (const selectionSet of selectionSets) collect(selectionSet);
  return fields;

  function collect({ selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD && visitedFragments.has(selection.name.value))
        continue;
      if (!isIncluded(selection, scope)) continue;
      if (selection.kind === Kind.FIELD) {
        addField(selection);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) visitedFragments.add(selection.name.value);
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT
          ? selection
          : scope.plan.fragments[selection.name.value];
      if (fragment && appliesTo(fragment, type, scope)) collect(fragment.selectionSet);
    }
  }

  function addField(node: FieldNode): void {
    const responseName = (node.alias ?? node.name).value;
    const nodes = fields.get(responseName);
    if (nodes) nodes.push(node);
    else fields.set(responseName, [node]);
  }
}

function isIncluded(selection: SelectionNode, { conditions }: PlanScope): boolean {
  return (
    getDirectiveValues(GraphQLSkipDirective, selection, conditions)?.if !== true &&
    getDirectiveValues(GraphQLIncludeDirective, selection, conditions)?.if !== false
  );
}

function appliesTo(
  { typeCondition }: InlineFragmentNode | FragmentDefinitionNode,
  type: GraphQLObjectType,
  { plan: { schema } }: PlanScope,
): boolean {
  if (!typeCondition) return true;
  const condition = typeFromAST(schema, typeCondition);
  return condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
}
