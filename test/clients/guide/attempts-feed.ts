import { graphql } from './tada.ts';

export const FEED = graphql(`
  query Feed($after: String, $statuses: [CallStatus!]) {
    callAttempts(first: 50, after: $after, statuses: $statuses) {
      edges { node { id startedAt status phoneNumber } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
