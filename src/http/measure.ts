import { type DefinitionNode, type DirectiveNode, type DocumentNode, Kind, type SelectionSetNode } from 'graphql';

/** How large a document is. What its fragments hold counts as often as they are spread. */
export interface Measure {
  /** Levels of fields; fragments add none. */
  readonly depth: number;
  /** Aliases, and fields that stand beside their like in one selection set: either way the same is asked for again. */
  readonly aliases: number;
  readonly directives: number;
  /** Fields and fragments: what there is to walk through. */
  readonly selections: number;
  /** Characters of the longest alias. */
  readonly aliasLength: number;
  /** Whether it asks for the schema, which GraphQL answers by itself. */
  readonly introspects: boolean;
}

const NOTHING: Measure = { depth: 0, aliases: 0, directives: 0, selections: 0, aliasLength: 0, introspects: false };

const INTROSPECTION = new Set(['__schema', '__type']);

const known = new WeakMap<DocumentNode, Measure>();

/**
 * Measures a document by its largest operation. It need not be valid: to validate one is what may take long. Each fragment is walked
 * once, so this takes no longer than the document is.
 */
export function measure(document: DocumentNode): Measure {
  let measured = known.get(document);
  if (!measured) {
    measured = measureAll(document);
    known.set(document, measured);
  }
  return measured;
}

function measureAll({ definitions }: DocumentNode): Measure {
  const fragments = new Map<string, DefinitionNode>();
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const done = new Map<DefinitionNode, Measure>();
  // A fragment that no operation spreads is refused later, but validated first: it counts like an operation.
  return definitions.map(inDefinition).reduce(larger, NOTHING);

  function inDefinition(definition: DefinitionNode): Measure {
    if (definition.kind !== Kind.OPERATION_DEFINITION && definition.kind !== Kind.FRAGMENT_DEFINITION) return NOTHING;
    const before = done.get(definition);
    if (before) return before;
    // Until it is known it counts nothing: fragments that spread one another in a circle are refused later.
    done.set(definition, NOTHING);
    const own = definition.variableDefinitions?.reduce((sum, variable) => sum + count(variable.directives), 0) ?? 0;
    const measured = plus(inSelections(definition.selectionSet), { directives: own + count(definition.directives) });
    done.set(definition, measured);
    return measured;
  }

  function inSelections(selectionSet: SelectionSetNode): Measure {
    const names = new Set<string>();
    let sum = NOTHING;
    for (const selection of selectionSet.selections) {
      sum = plus(sum, { directives: count(selection.directives), selections: 1 });
      if (selection.kind === Kind.FIELD) {
        const below = selection.selectionSet ? inSelections(selection.selectionSet) : NOTHING;
        const name = selection.name.value;
        const isAgain = selection.alias !== undefined || names.has(name);
        if (!selection.alias) names.add(name);
        sum = plus(sum, {
          ...below,
          depth: below.depth + 1,
          aliases: below.aliases + (isAgain ? 1 : 0),
          aliasLength: Math.max(below.aliasLength, selection.alias?.value.length ?? 0),
          introspects: below.introspects || INTROSPECTION.has(name),
        });
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        sum = plus(sum, inSelections(selection.selectionSet));
      } else {
        const fragment = fragments.get(selection.name.value);
        if (fragment) sum = plus(sum, inDefinition(fragment));
      }
    }
    return sum;
  }
}

function count(directives: readonly DirectiveNode[] | undefined): number {
  return directives?.length ?? 0;
}

/** What stands beside one another: as deep as the deeper one, as much as both. Doubled often enough it would be infinite. */
function plus(a: Measure, b: Partial<Measure>): Measure {
  return {
    depth: Math.max(a.depth, b.depth ?? 0),
    aliases: saturated(a.aliases + (b.aliases ?? 0)),
    directives: saturated(a.directives + (b.directives ?? 0)),
    selections: saturated(a.selections + (b.selections ?? 0)),
    aliasLength: Math.max(a.aliasLength, b.aliasLength ?? 0),
    introspects: a.introspects || b.introspects === true,
  };
}

function larger(a: Measure, b: Measure): Measure {
  return {
    depth: Math.max(a.depth, b.depth),
    aliases: Math.max(a.aliases, b.aliases),
    directives: Math.max(a.directives, b.directives),
    selections: Math.max(a.selections, b.selections),
    aliasLength: Math.max(a.aliasLength, b.aliasLength),
    introspects: a.introspects || b.introspects,
  };
}

function saturated(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}
