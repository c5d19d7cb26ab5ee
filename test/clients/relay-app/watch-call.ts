import { graphql } from 'relay-runtime';

export const watchCall = graphql`
  subscription watchCallSubscription($id: ID!) {
    callUpdated(id: $id) {
      id
      status
      metadata
      campaign {
        id
        status
      }
    }
  }
`;
