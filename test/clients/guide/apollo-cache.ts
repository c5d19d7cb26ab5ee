import { type FieldMergeFunction, type FieldPolicy, InMemoryCache } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';

export function createCache() {
  return new InMemoryCache({
    possibleTypes: {
      Node: ['Assistant', 'Call', 'Campaign'],
      LlmModel: ['DedicatedInstanceLlmModel', 'OpenrouterLlmModel', 'UnrecognizedLlmModel'],
    },
    typePolicies: {
      Query: {
        fields: {
          callAttempts: appendPages(['statuses']),
          campaigns: appendPages(),
        },
      },
      Campaign: { fields: { rows: appendPages(['query', 'result', 'statuses']) } },
    },
  });
}

/** A list that has failed is null. `relayStylePagination` alone makes an empty list of it. */
function appendPages(filters: string[] | false = false): FieldPolicy {
  const policy = relayStylePagination(filters);
  const merge = policy.merge as FieldMergeFunction;
  return {
    ...policy,
    merge: (list, page, options) => (list || page ? merge(list, page, options) : null),
  };
}
