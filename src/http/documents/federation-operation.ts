import {
  type DocumentNode,
  getOperationAST,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql';

/** The fields that a router requests from a subgraph: its schema, and objects by their keys. */
const FEDERATION_FIELDS = new Set(['_service', '_entities', '__typename']);

/**
 * Whether an operation is a query whose root fields are all `_service`, `_entities` or `__typename`.
 * The document need not be valid: an operation or a fragment that cannot be found makes the result
 * false. A field counts even if `@skip` or `@include` excludes it.
 */
export function isFederationOperation(
  document: DocumentNode,
  operationName: string | null | undefined,
): boolean {
  const operation = getOperationAST(document, operationName);
  if (operation?.operation !== OperationTypeNode.QUERY) return false;
  const fragments = new Map(
    document.definitions
      .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map(({ name, selectionSet }) => [name.value, selectionSet]),
  );
  // Fragments may form a cycle, and one of them may be spread many times.
  const visited = new Set<string>();
  return hasOnlyFederationFields(operation.selectionSet);

  function hasOnlyFederationFields({ selections }: SelectionSetNode): boolean {
    return selections.every((selection) => {
      if (selection.kind === Kind.FIELD) return FEDERATION_FIELDS.has(selection.name.value);
      if (selection.kind === Kind.INLINE_FRAGMENT)
        return hasOnlyFederationFields(selection.selectionSet);
      const name = selection.name.value;
      if (visited.has(name)) return true;
      visited.add(name);
      const fragment = fragments.get(name);
      return fragment !== undefined && hasOnlyFederationFields(fragment);
    });
  }
}
