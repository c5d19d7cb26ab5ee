import { graphql } from 'relay-runtime';

export const attemptsListQuery = graphql`
  query attemptsListQuery($first: Int, $last: Int, $statuses: [CallStatus!]) {
    ...attemptsList_query @arguments(first: $first, last: $last, statuses: $statuses)
  }
`;

export const attemptsList = graphql`
  fragment attemptsList_query on Query
  @refetchable(queryName: "attemptsListPaginationQuery")
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
    statuses: { type: "[CallStatus!]" }
  ) {
    callAttempts(first: $first, after: $after, last: $last, before: $before, statuses: $statuses)
      @connection(key: "attemptsList_callAttempts", filters: ["statuses"]) {
      edges {
        node {
          id
          status
          result
          startedAt
          transcript {
            role
            content
          }
        }
      }
    }
  }
`;
