import { type DocumentNode, getOperationAST, Kind, OperationTypeNode, type SelectionSetNode } from 'graphql';

/** What a router asks a subgraph: its schema, and more of the objects it knows by their keys. */
const ROUTER_FIELDS = new Set(['_service', '_entities', '__typename']);

/**
 * Whether an operation asks only what a router asks of its own accord. The document need not be valid: what cannot be followed is none.
 * Fields that `@skip` and `@include` leave out count.
 */
export function isRouterOperation(document: DocumentNode, operationName: string | null | undefined): boolean {
  const operation = getOperationAST(document, operationName);
  if (operation?.operation !== OperationTypeNode.QUERY) return false;
  const fragments = new Map(
    document.definitions
      .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map(({ name, selectionSet }) => [name.value, selectionSet]),
  );
  // Fragments may spread one another in a circle, or one of them many times over.
  const seen = new Set<string>();
  return hasOnlyRouterFields(operation.selectionSet);

  function hasOnlyRouterFields({ selections }: SelectionSetNode): boolean {
    return selections.every((selection) => {
      if (selection.kind === Kind.FIELD) return ROUTER_FIELDS.has(selection.name.value);
      if (selection.kind === Kind.INLINE_FRAGMENT) return hasOnlyRouterFields(selection.selectionSet);
      const name = selection.name.value;
      if (seen.has(name)) return true;
      seen.add(name);
      const fragment = fragments.get(name);
      return fragment !== undefined && hasOnlyRouterFields(fragment);
    });
  }
}
