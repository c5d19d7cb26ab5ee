import { graphql } from '../__generated__/documents/gql.ts';

export const CARD = graphql(`
  query Card($id: ID!) {
    call(id: $id) { id status campaign { id name } }
  }
`);
