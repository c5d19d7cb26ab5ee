import type { Client, CombinedError, TypedDocumentNode } from '@urql/core';

/**
 * Appends the next page to a list that a page shows by the same query, without `after`. Resolves to
 * the error of a page that has failed.
 */
export async function loadMore<Variables extends { after?: string | null }>(
  client: Client,
  query: TypedDocumentNode<unknown, Variables>,
  variables: Variables,
): Promise<CombinedError | undefined> {
  const { error } = await client.query(query, variables).toPromise();
  return error;
}
