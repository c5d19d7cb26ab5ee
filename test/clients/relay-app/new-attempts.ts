import { graphql } from 'relay-runtime';

export const newAttempts = graphql`
  subscription newAttemptsSubscription($connections: [ID!]!, $after: String) {
    callAttemptAdded(after: $after) @prependEdge(connections: $connections) {
      cursor
      node {
        id
        status
        startedAt
      }
    }
  }
`;
