import { Client, fetchExchange } from '@urql/core';

export function createUrqlFetchClient(url: string, readToken: () => string) {
  return new Client({
    url,
    fetchOptions: () => ({ headers: { authorization: `Bearer ${readToken()}` } }),
    exchanges: [fetchExchange],
    fetchSubscriptions: true,
  });
}
