const QUERY = `query Attempts($after: String, $statuses: [CallStatus!]) {
  callAttempts(first: 100, after: $after, statuses: $statuses) {
    nodes { id startedAt status }
    pageInfo { hasNextPage endCursor }
  }
}`;

interface Result {
  readonly data?: {
    readonly callAttempts: {
      readonly nodes: readonly { readonly id: string }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    } | null;
  };
  readonly errors?: readonly { readonly message: string }[];
}

/** Yields all attempts of calls with one of these statuses, newest first. */
export async function* readAttempts(url: string, statuses: readonly string[]) {
  let after: string | null = null;
  for (;;) {
    const response: Response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: QUERY, variables: { after, statuses } }),
    });
    const { data, errors } = (await response.json()) as Result;
    if (!data?.callAttempts) throw new Error(errors?.[0]?.message);
    const { nodes, pageInfo } = data.callAttempts;
    yield* nodes;
    if (!pageInfo.hasNextPage) return;
    after = pageInfo.endCursor;
  }
}
