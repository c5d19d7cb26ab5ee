import { graphql } from 'relay-runtime';

export const rowsListQuery = graphql`
  query rowsListQuery($id: ID!, $first: Int, $last: Int) {
    campaign(id: $id) {
      ...rowsList_campaign @arguments(first: $first, last: $last)
    }
  }
`;

// `Campaign` is a `Node`, so `@refetchable` makes Relay request further pages through `node(id:)`.
export const rowsList = graphql`
  fragment rowsList_campaign on Campaign
  @refetchable(queryName: "rowsListPaginationQuery")
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  ) {
    name
    rows(first: $first, after: $after, last: $last, before: $before) @connection(key: "rowsList_rows", filters: []) {
      edges {
        node {
          id
          rowIndex
          phoneNumber
          call {
            id
            status
            lastCallAttempt {
              id
              result
            }
          }
        }
      }
    }
  }
`;
