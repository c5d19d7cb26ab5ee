import {
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { toResponsePath } from '#binding/response-path.ts';
import type { RequestContext } from '#context/request-context.ts';
import { type Connection, readConnection } from '#pagination/connection.ts';
import type { Identified, ListSource } from '#pagination/list.ts';
import { type ConnectionArguments, toPageRequest } from '#pagination/page-request.ts';

/**
 * Resolves a field that returns a connection.
 * @param scope the parent and the filter: cursors are bound to these and to the field
 */
export async function resolveConnection<T extends Identified>(
  list: ListSource<T>,
  args: ConnectionArguments,
  scope: readonly unknown[],
  context: RequestContext,
  info: GraphQLResolveInfo,
): Promise<Connection<T>> {
  const request = toPageRequest(args);
  const fullScope = toConnectionScope(`${info.parentType.name}.${info.fieldName}`, scope);
  const selected = selectedPaths(info);
  const hasCursor = request.after !== undefined || request.before !== undefined;
  const connection = await readConnection(list, request, fullScope, {
    page:
      ['edges', 'nodes', 'pageInfo'].some((name) => selected.has(name)) ||
      (hasCursor && selected.has('cursorItemGone')),
    hasNextPage: selected.has('pageInfo.hasNextPage'),
  });
  if (connection.isCursorItemGone) {
    context.paginationNotes.push({ path: toResponsePath(info.path), reason: 'CURSOR_ITEM_GONE' });
  }
  return connection;
}

/**
 * The scope of the cursors of a connection.
 * @param field with its type, as `Type.field`
 * @param scope the parent and the filter
 */
export function toConnectionScope(field: string, scope: readonly unknown[]): string {
  return JSON.stringify([field, ...scope]);
}

/** The fields of a connection that are not properties of the page. */
export const connectionResolvers = {
  cursorItemGone: (connection: Connection<unknown>) => connection.isCursorItemGone,
  totalCount: (connection: Connection<unknown>) => connection.totalCount(),
};

/**
 * The selected fields, here and one level below, as `field` and `field.field`; fragments and
 * `@skip`/`@include` are applied.
 */
function selectedPaths(info: GraphQLResolveInfo): ReadonlySet<string> {
  const paths = new Set<string>();
  // Each fragment is visited once per level: otherwise a chain of fragments, each of which spreads
  // the next one twice, would be visited 2ⁿ times.
  const spread = new Set<string>();
  for (const { selectionSet } of info.fieldNodes) if (selectionSet) collect(selectionSet, '', 1);
  return paths;

  function collect(selectionSet: SelectionSetNode, prefix: string, depth: number): void {
    for (const selection of selectionSet.selections) {
      if (getDirectiveValues(GraphQLSkipDirective, selection, info.variableValues)?.if === true)
        continue;
      if (getDirectiveValues(GraphQLIncludeDirective, selection, info.variableValues)?.if === false)
        continue;
      if (selection.kind === Kind.FIELD) {
        const path = `${prefix}${selection.name.value}`;
        paths.add(path);
        if (selection.selectionSet && depth > 0)
          collect(selection.selectionSet, `${path}.`, depth - 1);
        continue;
      }
      // A connection's types are concrete: every fragment that validates here applies.
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const spreadPath = `${prefix}...${selection.name.value}`;
        if (spread.has(spreadPath)) continue;
        spread.add(spreadPath);
      }
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : info.fragments[selection.name.value];
      if (fragment) collect(fragment.selectionSet, prefix, depth);
    }
  }
}
