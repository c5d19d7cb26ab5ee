import {
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  Kind,
  type SelectionSetNode,
} from 'graphql';

/** The size of a document. A fragment counts as often as it is spread. */
export interface DocumentSize {
  /** Levels of fields; fragments add none. */
  readonly depth: number;
  /**
   * Aliases, and fields that are repeated in one selection set: both can request a field many times.
   */
  readonly aliases: number;
  readonly directives: number;
  /** Fields, fragment spreads and inline fragments. */
  readonly selections: number;
  /** Characters of the longest alias. */
  readonly aliasLength: number;
  /** Whether the document requests the schema, which graphql-js resolves by itself. */
  readonly usesIntrospection: boolean;
}

const ZERO_SIZE: DocumentSize = {
  depth: 0,
  aliases: 0,
  directives: 0,
  selections: 0,
  aliasLength: 0,
  usesIntrospection: false,
};

const INTROSPECTION_FIELDS = new Set(['__schema', '__type']);

const sizeByDocument = new WeakMap<DocumentNode, DocumentSize>();

/**
 * Measures a document: each number is the maximum over its operations and fragments. The document
 * need not be valid, because its validation is what may take long. Each fragment is walked once, so
 * the time is linear in the document's length.
 */
export function measureDocument(document: DocumentNode): DocumentSize {
  let size = sizeByDocument.get(document);
  if (!size) {
    size = computeSize(document);
    sizeByDocument.set(document, size);
  }
  return size;
}

function computeSize({ definitions }: DocumentNode): DocumentSize {
  const fragments = new Map<string, DefinitionNode>();
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition);
  }
  const sizeByDefinition = new Map<DefinitionNode, DocumentSize>();
  // A fragment that no operation spreads counts like an operation: validation walks the fragment
  // before it rejects the document.
  return definitions.map(measureDefinition).reduce(maxSize, ZERO_SIZE);

  function measureDefinition(definition: DefinitionNode): DocumentSize {
    if (
      definition.kind !== Kind.OPERATION_DEFINITION &&
      definition.kind !== Kind.FRAGMENT_DEFINITION
    )
      return ZERO_SIZE;
    const cached = sizeByDefinition.get(definition);
    if (cached) return cached;
    // Counts as zero while it is measured: validation rejects cycles of fragments later.
    sizeByDefinition.set(definition, ZERO_SIZE);
    const variableDirectives =
      definition.variableDefinitions?.reduce(
        (sum, variable) => sum + countDirectives(variable.directives),
        0,
      ) ?? 0;
    const size = addSizes(measureSelections(definition.selectionSet), {
      directives: variableDirectives + countDirectives(definition.directives),
    });
    sizeByDefinition.set(definition, size);
    return size;
  }

  function measureSelections(selectionSet: SelectionSetNode): DocumentSize {
    const names = new Set<string>();
    let total = ZERO_SIZE;
    for (const selection of selectionSet.selections) {
      total = addSizes(total, { directives: countDirectives(selection.directives), selections: 1 });
      if (selection.kind === Kind.FIELD) {
        const nested = selection.selectionSet
          ? measureSelections(selection.selectionSet)
          : ZERO_SIZE;
        const name = selection.name.value;
        const isRepeated = selection.alias !== undefined || names.has(name);
        if (!selection.alias) names.add(name);
        total = addSizes(total, {
          ...nested,
          depth: nested.depth + 1,
          aliases: nested.aliases + (isRepeated ? 1 : 0),
          aliasLength: Math.max(nested.aliasLength, selection.alias?.value.length ?? 0),
          usesIntrospection: nested.usesIntrospection || INTROSPECTION_FIELDS.has(name),
        });
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        total = addSizes(total, measureSelections(selection.selectionSet));
      } else {
        const fragment = fragments.get(selection.name.value);
        if (fragment) total = addSizes(total, measureDefinition(fragment));
      }
    }
    return total;
  }
}

function countDirectives(directives: readonly DirectiveNode[] | undefined): number {
  return directives?.length ?? 0;
}

/**
 * The size of two siblings: the greater depth and alias length, and the sum of each count. A sum is
 * at most `MAX_SAFE_INTEGER`: in a long chain of fragments, of which each spreads the next one twice,
 * it would be infinite.
 */
function addSizes(a: DocumentSize, b: Partial<DocumentSize>): DocumentSize {
  return {
    depth: Math.max(a.depth, b.depth ?? 0),
    aliases: clampToSafeInteger(a.aliases + (b.aliases ?? 0)),
    directives: clampToSafeInteger(a.directives + (b.directives ?? 0)),
    selections: clampToSafeInteger(a.selections + (b.selections ?? 0)),
    aliasLength: Math.max(a.aliasLength, b.aliasLength ?? 0),
    usesIntrospection: a.usesIntrospection || b.usesIntrospection === true,
  };
}

function maxSize(a: DocumentSize, b: DocumentSize): DocumentSize {
  return {
    depth: Math.max(a.depth, b.depth),
    aliases: Math.max(a.aliases, b.aliases),
    directives: Math.max(a.directives, b.directives),
    selections: Math.max(a.selections, b.selections),
    aliasLength: Math.max(a.aliasLength, b.aliasLength),
    usesIntrospection: a.usesIntrospection || b.usesIntrospection,
  };
}

function clampToSafeInteger(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}
